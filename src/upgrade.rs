//! The upgrade of one cluster, in the exporter's own words, whichever operation told it.

use ack_client::{Status, Step, TaskStatus};
use jiff::Timestamp;

/// A closed set of values of which one holds at a time, exposed as one series a value.
pub trait StateSet: Copy + Eq + 'static {
    /// Every value, in the order of exposition.
    const ALL: &'static [Self];

    /// The value of the label.
    fn as_str(self) -> &'static str;
}

macro_rules! state_sets {
    ($($type:ty),+) => {
        $(impl StateSet for $type {
            const ALL: &'static [Self] = <$type>::ALL;

            fn as_str(self) -> &'static str {
                <$type>::as_str(self)
            }
        })+
    };
}

state_sets!(Status, Step, TaskStatus);

/// Who told the state of an upgrade.
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

/// What is known of one cluster's upgrade. Text that the vendor did not give is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpgradeState {
    /// Who told it.
    pub source: SourceName,
    /// The whole upgrade.
    pub status: Status,
    /// The step reached.
    pub step: Step,
    /// The task behind it.
    pub task_status: TaskStatus,
    /// The vendor's message, if there is one; raw, so cleaned where it is shown.
    pub error_message: Option<String>,
    /// ID of the precheck's report.
    pub precheck_report_id: String,
    /// ID of the upgrade task (task operations only).
    pub task_id: String,
    /// Kubernetes version upgraded to (task operations only).
    pub target_version: String,
    /// When the task was created (task operations only).
    pub started: Option<Timestamp>,
    /// When the task last changed (task operations only).
    pub updated: Option<Timestamp>,
}

impl UpgradeState {
    /// Whether `later` is the same upgrade in the same status and step. A task that is not told is
    /// any.
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
    fn another_task_is_another_state_and_another_source_is_not() {
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
