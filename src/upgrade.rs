//! The state of one cluster's upgrade, in the same form for every operation that reads it.

pub use ack_client::StateSet;
use ack_client::{Status, Step, TaskStatus};
use jiff::Timestamp;

/// The operations that read the state of an upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceName {
    /// `GetUpgradeStatus`.
    UpgradeStatus,
    /// `DescribeClusterTasks` and `DescribeTaskInfo`.
    Tasks,
}

impl SourceName {
    /// The value of the label, and of `source` in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UpgradeStatus => "upgrade_status",
            Self::Tasks => "tasks",
        }
    }
}

/// The state of one cluster's upgrade. Text that the API did not give is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpgradeState {
    pub source: SourceName,
    /// The status of the whole upgrade.
    pub status: Status,
    /// The step that it has reached.
    pub step: Step,
    /// The status of the task behind it.
    pub task_status: TaskStatus,
    /// The API's error message as received; pages clean it.
    pub error_message: Option<String>,
    /// The ID of the precheck's report.
    pub precheck_report_id: String,
    /// The ID of the upgrade task (task operations only).
    pub task_id: String,
    /// The Kubernetes version that it upgrades to (task operations only).
    pub target_version: String,
    /// The time at which the task was created (task operations only).
    pub started: Option<Timestamp>,
    /// The time at which the task last changed (task operations only).
    pub updated: Option<Timestamp>,
}

impl UpgradeState {
    /// Returns true if `later` is the same upgrade in the same status and step. An unknown task is
    /// equal to any.
    pub fn is_same_state(&self, later: &Self) -> bool {
        let is_same_task =
            self.task_id == later.task_id || self.task_id.is_empty() || later.task_id.is_empty();
        is_same_task && self.status == later.status && self.step == later.step
    }

    /// The state of a cluster that was never upgraded.
    pub fn never(source: SourceName) -> Self {
        Self {
            source,
            status: Status::None,
            step: Step::NotStart,
            task_status: TaskStatus::None,
            error_message: None,
            precheck_report_id: String::new(),
            task_id: String::new(),
            target_version: String::new(),
            started: None,
            updated: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_task_is_another_state_and_an_unknown_task_is_not() {
        let state = |task: &str| UpgradeState {
            task_id: task.to_owned(),
            ..UpgradeState::never(SourceName::Tasks)
        };
        assert!(state("T-1").is_same_state(&state("T-1")));
        assert!(!state("T-1").is_same_state(&state("T-2")));
        assert!(state("").is_same_state(&state("T-1")) && state("T-1").is_same_state(&state("")));
        assert!(!state("T-1").is_same_state(&UpgradeState {
            step: Step::Upgrading,
            ..state("T-1")
        }));
        assert!(!state("T-1").is_same_state(&UpgradeState {
            status: Status::Fail,
            ..state("T-1")
        }));
    }
}
