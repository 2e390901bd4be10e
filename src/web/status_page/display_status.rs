//! The status of a cluster in the one word that a person looks for.

use ack_client::Status;

use super::word_set::word_set;
use crate::snapshot::{ClusterReading, Outcome};
use crate::upgrade::UpgradeState;

word_set! {
    /// The status of a cluster's upgrade, or why it is not known. Ordered by how soon somebody
    /// should look. The word is the metric's label value where there is one.
    DisplayStatus {
        Failed = "fail", failed;
        PausedOnError = "pause_on_error", paused_on_error;
        NotAnswering = "not_answering", not_answering;
        Paused = "pause", paused;
        Running = "running", running;
        Unknown = "unknown", unknown;
        Canceled = "canceled", canceled;
        NotAsked = "not_asked", not_asked;
        Succeeded = "success", succeeded;
        Never = "none", never;
    }
}

impl DisplayStatus {
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
