//! The upgrades of node pools: tasks of the type `nodepool_upgrade`, by `DescribeClusterTasks` and
//! `DescribeTaskInfo`.
//!
//! Each pool is upgraded by a task of its own, and several at once. The list of tasks gives states,
//! times and errors; only `DescribeTaskInfo` gives the pool. So a task is described once, and its
//! pool is remembered.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::node_pools::NodePool;
use super::task::{Target, Task};
use super::task_info::{PausePolicy, TaskInfo, describe_task};
use super::task_list::UpgradeTasks;
use crate::budget::Budget;
use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{ApiError, ErrorKind};
use crate::names::ClusterId;
use crate::status::Status;

/// The tasks that one reading describes. The next reading continues.
const MAX_DESCRIBED: usize = 16;

/// The tasks whose pools are remembered. A reading sees no more.
const MAX_KNOWN: usize = 1024;

/// The time that a list of tasks may lag behind: many times what Alibaba Cloud says.
const LIST_LAG: SignedDuration = SignedDuration::from_mins(10);

/// The upgrades of the node pools of one cluster. An earlier reading makes the next one cheap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodePoolUpgrades {
    /// The newest upgrade of each pool that has had one, in the order of the pools' IDs.
    pub newest: Vec<NodePoolUpgrade>,
    /// False if some tasks have not been looked at. The next reading continues there; until then a
    /// pool may have an upgrade that is not in `newest`.
    pub is_complete: bool,
    /// The tasks that were described before, by ID.
    known: HashMap<String, KnownTask>,
    /// The time from which on there may be tasks that were not looked at.
    since: Option<Timestamp>,
}

/// An upgrade of a node pool. Texts are cleaned and at most 256 characters long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePoolUpgrade {
    /// The ID of the pool.
    pub node_pool: String,
    /// The ID of the task.
    pub task_id: String,
    /// The status. A pause without an error may be a planned one.
    pub status: Status,
    /// The error message.
    pub error: Option<String>,
    /// The planned pauses.
    pub pause_policy: PausePolicy,
    /// The Kubernetes version after the upgrade; empty if the task does not give it.
    pub target_version: String,
    /// The time of creation of the task.
    pub started: Option<Timestamp>,
    /// The time of the last change of the task.
    pub updated: Option<Timestamp>,
}

/// What does not change in a task.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct KnownTask {
    /// The pool; none if the task does not say which, or no longer exists.
    node_pool: Option<String>,
    pause_policy: PausePolicy,
    target_version: String,
}

/// Reads the newest upgrade of each of `pools`, which are those of `cluster`.
///
/// `previous` is the result of the last reading. A task of it that has ended is not described again,
/// and of the list of tasks only the pages since then are read, which usually is one. Without it, a
/// reading needs a call for each 50 tasks of the cluster, 20 at most, and one for each upgrade, 16
/// at most. If the time of the budget is over in between, the result is not complete, and the next
/// reading continues. Dropping the future cancels the call.
pub async fn read_node_pool_upgrades(
    client: &Client,
    endpoint: &Endpoint,
    cluster: &ClusterId,
    pools: &[NodePool],
    previous: Option<&NodePoolUpgrades>,
    budget: &Budget,
) -> Result<NodePoolUpgrades, ApiError> {
    let since = previous.and_then(|previous| previous.since);
    let mut tasks = UpgradeTasks::of_node_pools(client, endpoint, cluster, since);
    let mut reading = Reading {
        client,
        endpoint,
        cluster,
        pools,
        budget,
        known: previous
            .map(|previous| previous.known.clone())
            .unwrap_or_default(),
        newest: Vec::new(),
        described: 0,
        is_complete: true,
    };
    while reading.newest.len() < pools.len() {
        let Some(task) = tasks.next(budget).await? else {
            break;
        };
        if !reading.add(task).await? {
            break;
        }
    }
    for earlier in previous.iter().flat_map(|previous| &previous.newest) {
        reading.keep(earlier).await?;
    }
    reading
        .newest
        .sort_by(|one, other| one.node_pool.cmp(&other.node_pool));
    let looked_until = tasks
        .newest_time()
        .and_then(|time| time.checked_sub(LIST_LAG).ok());
    Ok(NodePoolUpgrades {
        since: if reading.is_complete {
            looked_until.max(since)
        } else {
            since
        },
        newest: reading.newest,
        is_complete: reading.is_complete,
        known: reading.known,
    })
}

/// One reading of a cluster's node pools.
struct Reading<'a> {
    client: &'a Client,
    endpoint: &'a Endpoint,
    cluster: &'a ClusterId,
    pools: &'a [NodePool],
    budget: &'a Budget,
    known: HashMap<String, KnownTask>,
    newest: Vec<NodePoolUpgrade>,
    described: usize,
    is_complete: bool,
}

impl Reading<'_> {
    /// Adds `task`, which is older than all tasks before. Returns false if it would have to be
    /// described, and no more tasks may be.
    async fn add(&mut self, task: Task) -> Result<bool, ApiError> {
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
            return Ok(true);
        }
        if self.described >= MAX_DESCRIBED {
            self.is_complete = false;
            return Ok(false);
        }
        let described = match self.describe(task).await {
            Err(error) if self.may_continue_after(&error) => {
                self.is_complete = false;
                return Ok(false);
            }
            described => described?,
        };
        let Some((task, known)) = described else {
            return Ok(true);
        };
        if known.node_pool.is_some() || self.status(&task.state).is_idle() {
            self.remember(task.id.clone(), known.clone());
        } else {
            // A task that runs may name its pool later.
            self.is_complete = false;
        }
        self.push(task, known);
        Ok(true)
    }

    /// Keeps an `earlier` upgrade of a pool that has no newer one. Asks for its present state unless
    /// it has ended.
    async fn keep(&mut self, earlier: &NodePoolUpgrade) -> Result<(), ApiError> {
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
            pause_policy: info.pause_policy,
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
            pause_policy: known.pause_policy,
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

#[cfg(test)]
mod tests;
