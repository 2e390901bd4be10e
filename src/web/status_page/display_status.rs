//! How a cluster stands, in the one word that a person looks for.

use ack_client::Status;

use crate::snapshot::{ClusterReading, Outcome};

/// The status of a cluster's upgrade, or why there is none to tell. Ordered by how soon somebody
/// should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DisplayStatus {
    /// An upgrade is under way.
    Running,
    /// An upgrade is paused.
    Paused,
    /// The last upgrade failed.
    Failed,
    /// The last query was not answered.
    NotAnswering,
    /// The vendor says something that its reference does not list.
    Unknown,
    /// The last upgrade was canceled.
    Canceled,
    /// The cluster has not been asked yet.
    NotAsked,
    /// The last upgrade succeeded.
    Succeeded,
    /// There never was an upgrade.
    Never,
}

impl DisplayStatus {
    /// Every status, in their order.
    pub const ALL: [Self; 9] = [
        Self::Running,
        Self::Paused,
        Self::Failed,
        Self::NotAnswering,
        Self::Unknown,
        Self::Canceled,
        Self::NotAsked,
        Self::Succeeded,
        Self::Never,
    ];

    /// The status of one cluster.
    pub fn of(reading: &ClusterReading) -> Self {
        match &reading.outcome {
            Outcome::Up(state) => match state.status {
                Status::None => Self::Never,
                Status::Running => Self::Running,
                Status::Pause => Self::Paused,
                Status::Success => Self::Succeeded,
                Status::Fail => Self::Failed,
                Status::Canceled => Self::Canceled,
                Status::Unknown => Self::Unknown,
            },
            Outcome::Down(_) => Self::NotAnswering,
            Outcome::NotAsked => Self::NotAsked,
        }
    }

    /// The word for it in links and class names: the metric's label value where there is one.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "pause",
            Self::Failed => "fail",
            Self::NotAnswering => "not_answering",
            Self::Unknown => "unknown",
            Self::Canceled => "canceled",
            Self::NotAsked => "not_asked",
            Self::Succeeded => "success",
            Self::Never => "none",
        }
    }

    /// The status with this [`slug`](Self::slug).
    pub fn parse(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.slug() == slug)
    }

    /// What one cluster is called.
    pub fn label(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Paused => "Paused",
            Self::Failed => "Failed",
            Self::NotAnswering => "Not answering",
            Self::Unknown => "Unknown",
            Self::Canceled => "Canceled",
            Self::NotAsked => "Not asked yet",
            Self::Succeeded => "Succeeded",
            Self::Never => "No upgrade",
        }
    }

    /// What several clusters are called.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Running => "Upgrading now",
            Self::Unknown => "Status unknown",
            Self::Succeeded => "Last upgrade succeeded",
            Self::Canceled => "Last upgrade canceled",
            other => other.label(),
        }
    }

    /// Whether somebody may have to do something.
    pub fn needs_attention(self) -> bool {
        self <= Self::Unknown
    }
}
