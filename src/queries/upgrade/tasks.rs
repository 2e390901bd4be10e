//! `DescribeClusterTasks` and `DescribeTaskInfo`, which replace `GetUpgradeStatus` where it is
//! switched off.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ack_client::names::ClusterId;
use ack_client::text::clean_message;
use ack_client::{ApiError, ErrorKind, Operation, Task, TaskInfo, UpgradeTasks, describe_task};
use ack_client::{Status, Step};

use crate::queries::FetchContext;
use crate::upgrade::{SourceName, UpgradeState};

/// Limit of the tasks that one query asks for until one is the cluster's.
const MAX_ASKED: usize = 8;

/// Limit of the remembered tasks that are not of a cluster itself.
const MAX_FOREIGN: usize = 10_000;

/// Reads the newest upgrade task of a cluster.
#[derive(Debug)]
pub struct Tasks {
    types: Vec<String>,
    /// The IDs of tasks whose target is a node pool or another cluster. Only `DescribeTaskInfo`
    /// tells the target.
    foreign: Mutex<HashSet<String>>,
}

impl Tasks {
    /// A source that reads tasks of `types`.
    pub fn new(types: Vec<String>) -> Self {
        Self {
            types,
            foreign: Mutex::default(),
        }
    }

    /// Reads the newest upgrade of `cluster`. What cannot have changed since `last` is not asked
    /// for again.
    pub(super) async fn fetch(
        &self,
        cluster: &ClusterId,
        context: FetchContext<'_>,
        last: Option<&UpgradeState>,
    ) -> Result<UpgradeState, ApiError> {
        let FetchContext {
            client,
            endpoint,
            budget,
            ..
        } = context;
        let mut tasks = UpgradeTasks::new(client, endpoint, cluster, &self.types);
        let mut asked = 0;
        while asked < MAX_ASKED {
            let Some(task) = tasks.next(budget).await? else {
                return Ok(UpgradeState::never(SourceName::Tasks));
            };
            if self.lock().contains(&task.id) {
                continue;
            }
            if let Some(last) = last.filter(|last| is_unchanged(&task, last)) {
                return Ok(last.clone());
            }
            let info = describe_task(client, endpoint, &task.id, budget).await?;
            if info.target.may_be(cluster) {
                return Ok(state(task, info, &mut |value| {
                    client.metrics().unknown_value("task.state", value);
                }));
            }
            self.remember_foreign(task.id);
            asked += 1;
        }
        let message = format!(
            "the newest {MAX_ASKED} upgrade tasks are not of the cluster itself; the next reading \
             looks further"
        );
        Err(ApiError::local(
            Operation::DescribeClusterTasks,
            ErrorKind::Decode,
            message,
        ))
    }

    fn remember_foreign(&self, id: String) {
        let mut foreign = self.lock();
        // Asking for some of them again costs one call each.
        if foreign.len() >= MAX_FOREIGN {
            foreign.clear();
        }
        foreign.insert(id);
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.foreign.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// True if `last` holds all that the finished `task` will ever tell.
fn is_unchanged(task: &Task, last: &UpgradeState) -> bool {
    // While the two statuses differ, either may be behind, or the task may have had a state that is
    // not in the reference.
    let is_finished = Status::from_word(&task.state)
        .is_some_and(|status| status.is_idle() && status == last.status);
    is_finished
        && last.source == SourceName::Tasks
        && last.task_id == task.id
        && last.updated == task.updated
}

/// The state of the upgrade that a task carries out. A state that is not in the reference is
/// reported to `unknown`.
fn state(task: Task, info: TaskInfo, unknown: &mut dyn FnMut(&str)) -> UpgradeState {
    // The task knows better than the list, which may lag behind.
    let value = if info.state.is_empty() {
        task.state
    } else {
        info.state
    };
    let status = Status::from_word(&value).unwrap_or_else(|| {
        unknown(&value);
        Status::Unknown
    });
    UpgradeState {
        source: SourceName::Tasks,
        status,
        step: step(status, &info.stage),
        task_status: status.of_task(),
        error_message: info.error.or(task.error),
        precheck_report_id: clean_message(&info.precheck_report_id),
        task_id: clean_message(&task.id),
        target_version: clean_message(&info.target_version),
        started: task.created.or(info.created),
        updated: task.updated.or(info.updated),
    }
}

fn step(status: Status, stage: &str) -> Step {
    let name: String = stage.to_lowercase().split(['_', '-', ' ']).collect();
    match status {
        Status::Success => Step::Success,
        Status::Pause => Step::Pause,
        _ if PRECHECKS.iter().any(|part| name.contains(part)) => Step::Prechecking,
        // Many tasks have no stage.
        _ if name.is_empty() && status != Status::Running => Step::Unknown,
        _ => Step::Upgrading,
    }
}

/// Parts of the names of precheck stages. Alibaba Cloud publishes no list of stages.
const PRECHECKS: [&str; 4] = ["precheck", "preupgradecheck", "clustercheck", "validat"];

#[cfg(test)]
mod tests {
    use ack_client::TaskStatus;
    use jiff::Timestamp;

    use super::*;

    fn upgrade(state: &str, step: &str) -> (Status, Step, TaskStatus) {
        let task = Task {
            id: "T-1".to_owned(),
            state: "running".to_owned(),
            ..Task::default()
        };
        let info = TaskInfo {
            state: state.to_owned(),
            stage: step.to_owned(),
            ..TaskInfo::default()
        };
        let upgrade = super::state(task, info, &mut |_| {});
        (upgrade.status, upgrade.step, upgrade.task_status)
    }

    #[test]
    fn nothing_more_is_read_about_a_finished_task_that_has_not_changed() {
        let task = Task {
            id: "T-1".to_owned(),
            state: "success".to_owned(),
            updated: Timestamp::from_second(1).ok(),
            ..Task::default()
        };
        let previous = UpgradeState {
            status: Status::Success,
            task_id: task.id.clone(),
            updated: task.updated,
            ..UpgradeState::never(SourceName::Tasks)
        };
        assert!(is_unchanged(&task, &previous));
        let running = (
            Task {
                state: "running".to_owned(),
                ..task.clone()
            },
            UpgradeState {
                status: Status::Running,
                ..previous.clone()
            },
        );
        assert!(!is_unchanged(&running.0, &running.1), "it goes on");
        for changed in [
            UpgradeState {
                source: SourceName::UpgradeStatus,
                ..previous.clone()
            },
            UpgradeState {
                task_id: "T-0".to_owned(),
                ..previous.clone()
            },
            UpgradeState {
                updated: None,
                ..previous.clone()
            },
            running.1,
        ] {
            assert!(!is_unchanged(&task, &changed), "{changed:?}");
        }
    }

    #[test]
    fn foreign_tasks_are_remembered_up_to_a_limit() {
        let tasks = Tasks::new(Vec::new());
        for number in 0..MAX_FOREIGN {
            tasks.remember_foreign(number.to_string());
        }
        assert_eq!(tasks.lock().len(), MAX_FOREIGN);
        tasks.remember_foreign("one more".to_owned());
        assert!(tasks.lock().len() <= MAX_FOREIGN && tasks.lock().contains("one more"));
    }

    #[test]
    fn every_state_and_stage_has_a_status_and_a_step() {
        assert_eq!(
            upgrade("running", "precheck"),
            (Status::Running, Step::Prechecking, TaskStatus::Running)
        );
        assert_eq!(
            upgrade("running", "PreChecking nodes"),
            (Status::Running, Step::Prechecking, TaskStatus::Running)
        );
        assert_eq!(
            upgrade("running", "upgrade_master"),
            (Status::Running, Step::Upgrading, TaskStatus::Running)
        );
        assert_eq!(
            upgrade("running", ""),
            (Status::Running, Step::Upgrading, TaskStatus::Running),
            "many tasks have no stage"
        );
        assert_eq!(
            upgrade("running", " "),
            (Status::Running, Step::Upgrading, TaskStatus::Running)
        );
        assert_eq!(
            upgrade("running", "Pre-Upgrade_Check"),
            (Status::Running, Step::Prechecking, TaskStatus::Running)
        );
        assert_eq!(
            upgrade("fail", ""),
            (Status::Fail, Step::Unknown, TaskStatus::Failed)
        );
        assert_eq!(
            upgrade("paused", "upgrade_master"),
            (Status::Pause, Step::Pause, TaskStatus::Running)
        );
        assert_eq!(
            upgrade("success", "upgrade_master"),
            (Status::Success, Step::Success, TaskStatus::Success)
        );
        assert_eq!(
            upgrade("fail", "precheck"),
            (Status::Fail, Step::Prechecking, TaskStatus::Failed)
        );
        assert_eq!(
            upgrade("failed", "upgrade_master"),
            (Status::Fail, Step::Upgrading, TaskStatus::Failed)
        );
        assert_eq!(
            upgrade("canceled", "upgrade_master"),
            (Status::Canceled, Step::Upgrading, TaskStatus::Unknown)
        );
        assert_eq!(
            upgrade("cancelled", ""),
            (Status::Canceled, Step::Unknown, TaskStatus::Unknown)
        );
        assert_eq!(
            upgrade("resting", "upgrade_master"),
            (Status::Unknown, Step::Upgrading, TaskStatus::Unknown)
        );
        assert_eq!(
            upgrade("", "upgrade_master"),
            (Status::Running, Step::Upgrading, TaskStatus::Running),
            "the state in the list stands in"
        );
    }
}
