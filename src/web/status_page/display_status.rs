//! The status of a cluster in the one word that a person looks for.

use ack_client::Status;

use crate::snapshot::{ClusterReading, Outcome};

/// The status of a cluster's upgrade, or why it is not known. Ordered by how soon somebody should
/// look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum DisplayStatus {
    Running,
    Paused,
    Failed,
    NotAnswering,
    Unknown,
    Canceled,
    NotAsked,
    Succeeded,
    Never,
}

impl DisplayStatus {
    pub(super) const ALL: [Self; 9] = [
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

    pub(super) fn of(reading: &ClusterReading) -> Self {
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
    pub(super) fn slug(self) -> &'static str {
        self.words().0
    }

    /// The inverse of [`slug`](Self::slug).
    pub(super) fn parse(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.slug() == slug)
    }

    /// The name of the status of one cluster.
    pub(super) fn label(self) -> &'static str {
        self.words().1
    }

    /// The name of all clusters in the status.
    pub(super) fn heading(self) -> &'static str {
        self.words().2
    }

    pub(super) fn needs_attention(self) -> bool {
        self <= Self::Unknown
    }

    /// Returns true if the row of a cluster gets little room.
    pub(super) fn is_quiet(self) -> bool {
        matches!(self, Self::NotAsked | Self::Succeeded | Self::Never)
    }

    /// The slug, the label and the heading.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Running => ("running", "Running", "Upgrading now"),
            Self::Paused => ("pause", "Paused", "Paused"),
            Self::Failed => ("fail", "Failed", "Failed"),
            Self::NotAnswering => ("not_answering", "Not answering", "Not answering"),
            Self::Unknown => ("unknown", "Unknown", "Status unknown"),
            Self::Canceled => ("canceled", "Canceled", "Last upgrade canceled"),
            Self::NotAsked => ("not_asked", "Not asked yet", "Not asked yet"),
            Self::Succeeded => ("success", "Succeeded", "Last upgrade succeeded"),
            Self::Never => ("none", "No upgrade", "No upgrade"),
        }
    }
}
