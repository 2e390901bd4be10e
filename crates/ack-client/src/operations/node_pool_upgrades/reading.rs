//! One reading of the upgrades of a cluster's node pools.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::{KnownTask, NodePoolUpgrade, NodePoolUpgrades};
use crate::budget::Budget;
use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{ApiError, ErrorKind};
use crate::names::ClusterId;
use crate::operations::node_pools::NodePool;
use crate::operations::task::{Target, Task};
use crate::operations::task_info::{TaskInfo, describe_task};
use crate::status::Status;

/// The tasks that one reading describes. The next reading continues.
const MAX_DESCRIBED: usize = 16;

/// The tasks whose pools are remembered. A reading sees no more.
const MAX_KNOWN: usize = 1024;

/// The time that a list of tasks may lag behind: many times what Alibaba Cloud says.
const LIST_LAG: SignedDuration = SignedDuration::from_mins(10);

/// One reading of a cluster's node pools.
pub(super) struct Reading<'a> {
    client: &'a Client,
    endpoint: &'a Endpoint,
    cluster: &'a ClusterId,
    pools: &'a [NodePool],
    budget: &'a Budget,
    /// The tasks that were described in this reading or an earlier one, by ID.
    pub(super) known: HashMap<String, KnownTask>,
    /// The newest upgrades so far, one of each pool.
    pub(super) newest: Vec<NodePoolUpgrade>,
    /// The number of tasks that were described in this reading.
    described: usize,
    is_complete: bool,
}

/// The result of adding a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Addition {
    /// The task was looked at.
    Added,
    /// The task would have to be described, which has to wait for the next reading.
    OutOfCalls,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        client: &'a Client,
        endpoint: &'a Endpoint,
        cluster: &'a ClusterId,
        pools: &'a [NodePool],
        budget: &'a Budget,
    ) -> Self {
        Self {
            client,
            endpoint,
            cluster,
            pools,
            budget,
            known: HashMap::new(),
            newest: Vec::new(),
            described: 0,
            is_complete: true,
        }
    }

    /// Adds `task`, which is older than all tasks before.
    pub(super) async fn add(&mut self, task: Task) -> Result<Addition, ApiError> {
        if !self.known.contains_key(&task.id)
            && let Some(node_pool) = pool_of_target(&task.target, self.cluster)
        {
            let known = KnownTask {
                node_pool: Some(node_pool),
                ..KnownTask::default()
            };
            self.remember(task.id.clone(), known);
        }
        if let Some(known) = self.known.get(&task.id).cloned() {
            self.push(task, known);
            return Ok(Addition::Added);
        }
        if self.described >= MAX_DESCRIBED {
            self.is_complete = false;
            return Ok(Addition::OutOfCalls);
        }
        let described = match self.describe(task).await {
            Err(error) if self.may_continue_after(&error) => {
                self.is_complete = false;
                return Ok(Addition::OutOfCalls);
            }
            described => described?,
        };
        let Some((task, known)) = described else {
            return Ok(Addition::Added);
        };
        if known.node_pool.is_some() || self.status(&task.state).is_idle() {
            self.remember(task.id.clone(), known.clone());
        } else {
            // A task that runs may name its pool later.
            self.is_complete = false;
        }
        self.push(task, known);
        Ok(Addition::Added)
    }

    /// Keeps an `earlier` upgrade of a pool that has no newer one. Asks for its present state
    /// unless it has ended.
    pub(super) async fn keep(&mut self, earlier: &NodePoolUpgrade) -> Result<(), ApiError> {
        if !self.needs_upgrade_of(&earlier.node_pool) {
            return Ok(());
        }
        if earlier.status.is_idle() {
            self.newest.push(earlier.clone());
            return Ok(());
        }
        let task = Task {
            id: earlier.task_id.clone(),
            created: earlier.started,
            ..Task::default()
        };
        let described = match self.describe(task).await {
            Err(error) if self.may_continue_after(&error) => {
                self.is_complete = false;
                self.newest.push(earlier.clone());
                return Ok(());
            }
            described => described?,
        };
        if let Some((task, known)) = described {
            let node_pool = Some(earlier.node_pool.clone());
            self.push(task, KnownTask { node_pool, ..known });
        }
        Ok(())
    }

    /// The result of the reading. `since` is the time up to which earlier readings have looked, and
    /// `newest_time` that of the newest task in the list.
    pub(super) fn into_upgrades(
        mut self,
        since: Option<Timestamp>,
        newest_time: Option<Timestamp>,
    ) -> NodePoolUpgrades {
        self.newest
            .sort_by(|one, other| one.node_pool.cmp(&other.node_pool));
        let read_until = newest_time.and_then(|time| time.checked_sub(LIST_LAG).ok());
        NodePoolUpgrades {
            newest: self.newest,
            is_complete: self.is_complete,
            known: self.known,
            since: if self.is_complete {
                read_until.max(since)
            } else {
                since
            },
        }
    }

    /// Describes `task`. Returns `None` if the API no longer has it.
    async fn describe(&mut self, task: Task) -> Result<Option<(Task, KnownTask)>, ApiError> {
        let described = describe_task(self.client, self.endpoint, &task.id, self.budget).await;
        let info = match described {
            Ok(info) => info,
            Err(error) if error.status == Some(404) => {
                self.described += 1;
                self.remember(task.id, KnownTask::default());
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        self.described += 1;
        let known = KnownTask {
            node_pool: pool_of_target(&info.target, self.cluster)
                .or_else(|| Some(info.node_pool.clone()).filter(|pool| !pool.is_empty())),
            target_version: info.target_version.clone(),
        };
        Ok(Some((updated_task(task, info), known)))
    }

    /// Returns true if `error` says that the time of the reading is over, and this reading has
    /// described a task that the next one need not describe again.
    fn may_continue_after(&self, error: &ApiError) -> bool {
        self.described > 0 && matches!(error.kind, ErrorKind::RateLimited | ErrorKind::Timeout)
    }

    /// Remembers what `known` says about the task `id`.
    fn remember(&mut self, id: String, known: KnownTask) {
        // Describing some of them again costs one call each.
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
        }
        self.known.insert(id, known);
    }

    /// Adds the upgrade of `task`, if its pool has no newer one.
    fn push(&mut self, task: Task, known: KnownTask) {
        let Some(node_pool) = known.node_pool else {
            return;
        };
        if !self.needs_upgrade_of(&node_pool) {
            return;
        }
        self.newest.push(NodePoolUpgrade {
            node_pool,
            status: self.status(&task.state),
            task_id: task.id,
            error: task.error,
            target_version: known.target_version,
            started: task.created,
            updated: task.updated,
        });
    }

    /// Returns true if `node_pool` is a pool of the cluster, and no upgrade of it was added.
    fn needs_upgrade_of(&self, node_pool: &str) -> bool {
        self.pools.iter().any(|pool| pool.id == node_pool)
            && self
                .newest
                .iter()
                .all(|upgrade| upgrade.node_pool != node_pool)
    }

    /// The status of a task in `state`. Reports a state that is not in the reference.
    fn status(&self, state: &str) -> Status {
        Status::from_word(state).unwrap_or_else(|| {
            if !state.is_empty() {
                self.client.metrics().unknown_value("task.state", state);
            }
            Status::Unknown
        })
    }
}

/// The pool that is the target of a task of `cluster`. The type of the target says little: the
/// reference has tasks of node pools whose target is of the type `cluster`.
fn pool_of_target(target: &Target, cluster: &ClusterId) -> Option<String> {
    let is_pool = !target.id.is_empty() && target.id != cluster.as_str();
    is_pool.then(|| target.id.clone())
}

/// The `task` of a list with what `info` says, which is newer than the list.
fn updated_task(task: Task, info: TaskInfo) -> Task {
    Task {
        state: if info.state.is_empty() {
            task.state
        } else {
            info.state
        },
        created: task.created.or(info.created),
        updated: info.updated.max(task.updated),
        error: info.error.or(task.error),
        ..task
    }
}
