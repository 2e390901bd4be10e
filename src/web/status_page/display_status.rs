//! The status of a cluster in the one word that a person looks for.

use ack_client::Status;

use super::messages::Messages;
use crate::snapshot::{ClusterReading, Outcome};
use crate::upgrade::UpgradeState;

/// The status of a cluster's upgrade, or why it is not known. Ordered by how soon somebody should
/// look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum DisplayStatus {
    Failed,
    PausedOnError,
    NotAnswering,
    Paused,
    Running,
    Unknown,
    Canceled,
    NotAsked,
    Succeeded,
    Never,
}

impl DisplayStatus {
    pub(super) const ALL: [Self; 10] = [
        Self::Failed,
        Self::PausedOnError,
        Self::NotAnswering,
        Self::Paused,
        Self::Running,
        Self::Unknown,
        Self::Canceled,
        Self::NotAsked,
        Self::Succeeded,
        Self::Never,
    ];

    pub(super) fn of(reading: &ClusterReading) -> Self {
        match &reading.outcome {
            Outcome::Up(state) => Self::of_upgrade(state),
            Outcome::Down(_) => Self::NotAnswering,
            Outcome::NotAsked => Self::NotAsked,
        }
    }

    fn of_upgrade(state: &UpgradeState) -> Self {
        let message = state.error_message.as_deref().unwrap_or_default();
        match state.status {
            Status::None => Self::Never,
            Status::Running => Self::Running,
            Status::Pause if message.trim().is_empty() => Self::Paused,
            Status::Pause => Self::PausedOnError,
            Status::Success => Self::Succeeded,
            Status::Fail => Self::Failed,
            Status::Canceled => Self::Canceled,
            Status::Unknown => Self::Unknown,
        }
    }

    /// The word for it in links and class names: the metric's label value where there is one.
    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::Failed => "fail",
            Self::PausedOnError => "pause_on_error",
            Self::NotAnswering => "not_answering",
            Self::Paused => "pause",
            Self::Running => "running",
            Self::Unknown => "unknown",
            Self::Canceled => "canceled",
            Self::NotAsked => "not_asked",
            Self::Succeeded => "success",
            Self::Never => "none",
        }
    }

    /// The inverse of [`slug`](Self::slug).
    pub(super) fn parse(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.slug() == slug)
    }

    /// The name of the status.
    pub(super) fn label(self, t: &Messages) -> &'static str {
        match self {
            Self::Failed => t.failed,
            Self::PausedOnError => t.paused_on_error,
            Self::NotAnswering => t.not_answering,
            Self::Paused => t.paused,
            Self::Running => t.running,
            Self::Unknown => t.unknown,
            Self::Canceled => t.canceled,
            Self::NotAsked => t.not_asked,
            Self::Succeeded => t.succeeded,
            Self::Never => t.never,
        }
    }

    pub(super) fn needs_attention(self) -> bool {
        self <= Self::Unknown
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ack_client::Step;

    use super::*;
    use crate::web::fixture::{cluster, state};

    #[test]
    fn a_pause_with_a_message_is_an_error_and_one_without_is_not() {
        let paused = |message: Option<&str>| {
            let state = UpgradeState {
                error_message: message.map(str::to_owned),
                ..state(Status::Pause, Step::Upgrading)
            };
            DisplayStatus::of(&cluster("c1", Outcome::Up(Arc::new(state))))
        };
        assert_eq!(paused(Some("drain")), DisplayStatus::PausedOnError);
        assert_eq!(paused(Some(" \n")), DisplayStatus::Paused);
        assert_eq!(paused(None), DisplayStatus::Paused);
    }
}
