//! The states of an upgrade.

use crate::state_set::state_set;

state_set! {
    /// The status of the whole upgrade.
    Status {
        /// No upgrade has been started.
        None = "none",
        /// The upgrade is running.
        Running = "running",
        /// The upgrade is paused, by a user or by an error.
        Pause = "pause",
        /// The upgrade has succeeded.
        Success = "success",
        /// The upgrade has failed.
        Fail = "fail",
        /// The upgrade was canceled.
        Canceled = "canceled",
        /// A value that the API's reference does not list.
        Unknown = "unknown",
    }
}

state_set! {
    /// The step that the upgrade has reached.
    Step {
        /// The upgrade has not started.
        NotStart = "not_start",
        /// The checks before the upgrade are running.
        Prechecking = "prechecking",
        /// The control plane is being upgraded.
        Upgrading = "upgrading",
        /// The upgrade is paused between steps.
        Pause = "pause",
        /// All steps are done.
        Success = "success",
        /// A value that the API's reference does not list, or a missing one.
        Unknown = "unknown",
    }
}

state_set! {
    /// The status of the task behind the upgrade.
    TaskStatus {
        /// There is no task.
        None = "none",
        /// The task is running or paused.
        Running = "running",
        /// The task has succeeded.
        Success = "success",
        /// The task has failed.
        Failed = "failed",
        /// A value that the API's reference does not list.
        Unknown = "unknown",
    }
}

impl Status {
    /// Converts a state of any operation of the API, in any letter case. Returns `None` for an
    /// unknown one.
    pub fn from_word(word: &str) -> Option<Self> {
        match word.trim().to_ascii_lowercase().as_str() {
            "running" | "pending" | "pausing" | "resuming" | "cancelling" | "canceling" => {
                Some(Self::Running)
            }
            "pause" | "paused" => Some(Self::Pause),
            "success" | "succeeded" => Some(Self::Success),
            "fail" | "failed" | "error" => Some(Self::Fail),
            "canceled" | "cancelled" => Some(Self::Canceled),
            _ => None,
        }
    }

    /// The status of the task behind an upgrade of this status.
    pub fn of_task(self) -> TaskStatus {
        match self {
            Self::None => TaskStatus::None,
            Self::Running | Self::Pause => TaskStatus::Running,
            Self::Success => TaskStatus::Success,
            Self::Fail => TaskStatus::Failed,
            Self::Canceled | Self::Unknown => TaskStatus::Unknown,
        }
    }

    /// Returns true if nothing changes until another upgrade is started.
    pub fn is_idle(self) -> bool {
        matches!(
            self,
            Self::None | Self::Success | Self::Fail | Self::Canceled
        )
    }
}
