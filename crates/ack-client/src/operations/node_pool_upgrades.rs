//! The upgrades of node pools: tasks of the type `nodepool_upgrade`, by `DescribeClusterTasks` and
//! `DescribeTaskInfo`.
//!
//! Each pool is upgraded by a task of its own, and several at once. The list of tasks gives states,
//! times and errors; only `DescribeTaskInfo` gives the pool. So a task is described once, and its
//! pool is remembered.

mod reading;

use std::collections::HashMap;

use jiff::Timestamp;

use self::reading::{Addition, Reading};
use super::node_pools::NodePool;
use super::task_list::UpgradeTasks;
use crate::budget::Budget;
use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::names::ClusterId;
use crate::status::Status;

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
    /// The Kubernetes version after the upgrade; empty if the task does not give it.
    pub target_version: String,
    /// The time of creation of the task.
    pub started: Option<Timestamp>,
    /// The time of the last change of the task.
    pub updated: Option<Timestamp>,
}

/// The fields of a task that do not change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct KnownTask {
    /// The pool; none if the task does not say which, or no longer exists.
    node_pool: Option<String>,
    target_version: String,
}

/// Reads the newest upgrade of each of `pools`, which are those of `cluster`.
///
/// `previous` is the result of the last reading. A task of it that has ended is not described
/// again, and of the list of tasks only the pages since then are read, which usually is one.
/// Without it, a reading needs a call for each 50 tasks of the cluster, 20 at most, and one for
/// each upgrade, 16 at most. If the time of the budget is over in between, the result is not
/// complete, and the next reading continues. Dropping the future cancels the call.
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
    let mut reading = Reading::new(client, endpoint, cluster, pools, budget);
    if let Some(previous) = previous {
        reading.known = previous.known.clone();
    }
    while reading.newest.len() < pools.len() {
        let Some(task) = tasks.next(budget).await? else {
            break;
        };
        if reading.add(task).await? == Addition::OutOfCalls {
            break;
        }
    }
    for earlier in previous.iter().flat_map(|previous| &previous.newest) {
        reading.keep(earlier).await?;
    }
    Ok(reading.into_upgrades(since, tasks.newest_time()))
}

#[cfg(test)]
mod tests;
