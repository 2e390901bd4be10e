//! The task operations, which replace the one that is being switched off.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ack_client::text::clean_message;
use ack_client::{
    ApiError, Client, ErrorKind, Operation, Task, TaskInfo, UpgradeTasks, describe_task,
};
use ack_client::{Status, Step};

use super::{Question, Reading, UpgradeSource};
use crate::upgrade::{SourceName, UpgradeState};

/// How many tasks are asked for in one reading before one is the cluster's.
const MOST_ASKED: usize = 8;

/// How many tasks are remembered that are not the cluster's.
const MOST_REMEMBERED: usize = 10_000;

/// Reads the newest upgrade task of a cluster.
#[derive(Debug)]
pub struct Tasks {
    client: Arc<Client>,
    types: Vec<String>,
    /// The IDs of tasks that have a node pool or another cluster for a target, which only the task
    /// itself tells.
    others: Mutex<HashSet<String>>,
}

impl Tasks {
    /// A source that asks through `client` for tasks of `types`.
    pub fn new(client: Arc<Client>, types: Vec<String>) -> Self {
        Self {
            client,
            types,
            others: Mutex::default(),
        }
    }

    async fn answer(&self, question: Question<'_>) -> Result<UpgradeState, ApiError> {
        let Question {
            cluster,
            endpoint,
            budget,
            known,
        } = question;
        let mut tasks = UpgradeTasks::new(&self.client, endpoint, cluster, &self.types);
        let mut asked = 0;
        while asked < MOST_ASKED {
            let Some(task) = tasks.next(budget).await? else {
                return Ok(UpgradeState::never(SourceName::Tasks));
            };
            if self.lock().contains(&task.id) {
                continue;
            }
            if let Some(known) = known.filter(|known| is_told(&task, known)) {
                return Ok(known.clone());
            }
            let info = describe_task(&self.client, endpoint, &task.id, budget).await?;
            if info.target.may_be(cluster) {
                return Ok(state(task, info, &mut |word| {
                    self.client.metrics().unknown_value("task.state", word);
                }));
            }
            self.remember(task.id);
            asked += 1;
        }
        let message = format!(
            "the newest {MOST_ASKED} upgrade tasks are not of the cluster itself; the next reading looks further"
        );
        Err(ApiError::local(
            Operation::DescribeClusterTasks,
            ErrorKind::Decode,
            message,
        ))
    }

    fn remember(&self, id: String) {
        let mut others = self.lock();
        // To ask some of them again costs a call each, once.
        if others.len() >= MOST_REMEMBERED {
            others.clear();
        }
        others.insert(id);
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UpgradeSource for Tasks {
    fn read<'a>(&'a self, question: Question<'a>) -> Reading<'a> {
        Box::pin(self.answer(question))
    }

    fn in_use(&self) -> Option<SourceName> {
        Some(SourceName::Tasks)
    }
}

/// Whether `known` holds all that the finished `task` will ever tell. Not while the two differ:
/// either may be behind, or a word of the task may have been one that nobody knows.
fn is_told(task: &Task, known: &UpgradeState) -> bool {
    let is_finished = Status::from_word(&task.state)
        .is_some_and(|status| status.is_idle() && status == known.status);
    is_finished
        && known.source == SourceName::Tasks
        && known.task_id == task.id
        && known.updated == task.updated
}

/// A task's words in those of an upgrade. An unlisted state is told to `unknown`.
fn state(task: Task, info: TaskInfo, unknown: &mut dyn FnMut(&str)) -> UpgradeState {
    // The task knows better than the list, which may lag behind.
    let word = if info.state.is_empty() {
        task.state
    } else {
        info.state
    };
    let status = Status::from_word(&word).unwrap_or_else(|| {
        unknown(&word);
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
        _ if PRECHECKS.iter().any(|word| name.contains(word)) => Step::Prechecking,
        // Many tasks have no stage.
        _ if name.is_empty() && status != Status::Running => Step::Unknown,
        _ => Step::Upgrading,
    }
}

/// What the name of a stage that is a precheck has in it. None is published.
const PRECHECKS: [&str; 4] = ["precheck", "preupgradecheck", "clustercheck", "validat"];

#[cfg(test)]
mod tests {
    use ack_client::TaskStatus;

    use super::*;

    fn told(word: &str, stage: &str) -> (Status, Step, TaskStatus) {
        let task = Task {
            id: "T-1".to_owned(),
            state: "running".to_owned(),
            ..Task::default()
        };
        let info = TaskInfo {
            state: word.to_owned(),
            stage: stage.to_owned(),
            ..TaskInfo::default()
        };
        let upgrade = super::state(task, info, &mut |_| {});
        (upgrade.status, upgrade.step, upgrade.task_status)
    }

    #[test]
    fn every_state_and_stage_has_its_words() {
        assert_eq!(
            told("running", "precheck"),
            (Status::Running, Step::Prechecking, TaskStatus::Running)
        );
        assert_eq!(
            told("running", "PreChecking nodes"),
            (Status::Running, Step::Prechecking, TaskStatus::Running)
        );
        assert_eq!(
            told("running", "upgrade_master"),
            (Status::Running, Step::Upgrading, TaskStatus::Running)
        );
        assert_eq!(
            told("running", ""),
            (Status::Running, Step::Upgrading, TaskStatus::Running),
            "many tasks have no stage"
        );
        assert_eq!(
            told("running", " "),
            (Status::Running, Step::Upgrading, TaskStatus::Running)
        );
        assert_eq!(
            told("running", "Pre-Upgrade_Check"),
            (Status::Running, Step::Prechecking, TaskStatus::Running)
        );
        assert_eq!(
            told("fail", ""),
            (Status::Fail, Step::Unknown, TaskStatus::Failed)
        );
        assert_eq!(
            told("paused", "upgrade_master"),
            (Status::Pause, Step::Pause, TaskStatus::Running)
        );
        assert_eq!(
            told("success", "upgrade_master"),
            (Status::Success, Step::Success, TaskStatus::Success)
        );
        assert_eq!(
            told("fail", "precheck"),
            (Status::Fail, Step::Prechecking, TaskStatus::Failed)
        );
        assert_eq!(
            told("failed", "upgrade_master"),
            (Status::Fail, Step::Upgrading, TaskStatus::Failed)
        );
        assert_eq!(
            told("canceled", "upgrade_master"),
            (Status::Canceled, Step::Upgrading, TaskStatus::Unknown)
        );
        assert_eq!(
            told("cancelled", ""),
            (Status::Canceled, Step::Unknown, TaskStatus::Unknown)
        );
        assert_eq!(
            told("resting", "upgrade_master"),
            (Status::Unknown, Step::Upgrading, TaskStatus::Unknown)
        );
        assert_eq!(
            told("", "upgrade_master"),
            (Status::Running, Step::Upgrading, TaskStatus::Running),
            "the list's word stands in"
        );
    }
}
