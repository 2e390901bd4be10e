//! The node pools of a cluster and their upgrades: `DescribeClusterNodePools` and the tasks.

mod pool;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::ClusterId;
use ack_client::{
    ApiError, NodePoolState, NodePoolUpgrades, Operation, Status, list_node_pools,
    read_node_pool_upgrades,
};
use jiff::Timestamp;

pub(crate) use pool::conditions;
pub use pool::{NodePool, NodePoolUpgrade};

use super::{Activity, FetchContext, Query, Watched, WatchedQuery};
use crate::cluster::ClusterInfo;

/// The interval while a pool or its cluster is being upgraded.
const UPGRADING_INTERVAL: Duration = Duration::from_secs(60);

/// The calls of a usual answer: the pools, and now and then one page of tasks.
const USUAL_CALLS: u32 = 2;

/// The calls beside them while tasks are not known yet: most clusters have a few pools, and each
/// task is described once.
const CALLS_FOR_UNKNOWN_TASKS: u32 = 2;

/// The part of the interval after which a cluster is asked about that has changed. It is not known
/// how often the API counts a cluster as changed.
const CHANGED_SHARE: u32 = 3;

/// Readings in a row that leave out the tasks while no pool changes. A pool that is being upgraded
/// is probably `updating`, but no reference says so.
const READINGS_WITHOUT_TASKS: u8 = 23;

/// Asks for the node pools of a cluster.
#[derive(Debug)]
pub struct NodePools {
    interval: Duration,
}

/// The node pools of a cluster, and the reading of their tasks that the next one continues.
#[derive(Debug, Clone)]
pub struct PoolsAndTasks {
    pools: Vec<NodePool>,
    tasks: NodePoolUpgrades,
    /// Readings since the one that included the tasks.
    readings_without_tasks: u8,
}

impl NodePools {
    /// Node pools, asked for at `interval`, or every minute while they are being upgraded.
    pub fn new(interval: Duration) -> Self {
        Self { interval }
    }
}

/// The count of readings with which `cluster` begins, so that the tasks of clusters that were first
/// read together are not read together ever after.
fn first_count(cluster: &ClusterId) -> u8 {
    let sum = |sum: u8, byte: u8| sum.wrapping_mul(31).wrapping_add(byte);
    cluster.as_str().bytes().fold(0, sum) % (READINGS_WITHOUT_TASKS + 1)
}

impl Query for NodePools {
    type Subject = ClusterId;
    type Answer = PoolsAndTasks;
    const OPERATIONS: &'static [Operation] = &[
        Operation::DescribeClusterNodePools,
        Operation::DescribeClusterTasks,
        Operation::DescribeTaskInfo,
    ];

    fn cost(&self, last: Option<&PoolsAndTasks>) -> u32 {
        if last.is_some_and(|last| last.tasks.is_complete) {
            USUAL_CALLS
        } else {
            USUAL_CALLS + CALLS_FOR_UNKNOWN_TASKS
        }
    }

    async fn fetch(
        &self,
        cluster: &ClusterId,
        context: FetchContext<'_>,
        last: Option<&PoolsAndTasks>,
    ) -> Result<PoolsAndTasks, ApiError> {
        let FetchContext {
            client,
            endpoint,
            budget,
            activity,
            ..
        } = context;
        let mut pools = list_node_pools(client, endpoint, cluster, budget).await?;
        // Prometheus refuses a whole page for one duplicate series.
        let mut ids = HashSet::new();
        pools.retain(|pool| ids.insert(pool.id.clone()));
        let quiet = last.filter(|_| activity == Activity::Quiet);
        if let Some(last) = quiet.filter(|last| last.has_all_tasks_of(&pools)) {
            let readings_without_tasks = last.readings_without_tasks + 1;
            let tasks = last.tasks.clone();
            return Ok(PoolsAndTasks::new(pools, tasks, readings_without_tasks));
        }
        let known = last.map(|last| &last.tasks);
        let tasks =
            read_node_pool_upgrades(client, endpoint, cluster, &pools, known, budget).await?;
        let readings_without_tasks = match last {
            Some(_) => 0,
            None => first_count(cluster),
        };
        Ok(PoolsAndTasks::new(pools, tasks, readings_without_tasks))
    }
}

impl WatchedQuery for NodePools {
    const NAME: &'static str = "node_pools";

    fn subject(&self, cluster: &ClusterInfo) -> Option<ClusterId> {
        Some(cluster.id.clone())
    }

    fn interval(&self, last: Option<&PoolsAndTasks>, activity: Activity) -> Duration {
        if activity == Activity::Upgrading || last.is_some_and(PoolsAndTasks::is_upgrading) {
            self.interval.min(UPGRADING_INTERVAL)
        } else if activity == Activity::Changed {
            self.interval / CHANGED_SHARE
        } else {
            self.interval
        }
    }

    fn add(
        &self,
        answer: &Arc<PoolsAndTasks>,
        cluster: &ClusterInfo,
        _: Timestamp,
        watched: &mut Watched,
    ) {
        let pools = answer.pools.iter();
        watched.node_pools = Some(pools.map(|pool| pool.compared_with(cluster)).collect());
    }
}

impl PoolsAndTasks {
    fn new(
        pools: Vec<ack_client::NodePool>,
        tasks: NodePoolUpgrades,
        readings_without_tasks: u8,
    ) -> Self {
        let pools = pools.into_iter();
        Self {
            pools: pools.map(|pool| NodePool::new(pool, &tasks)).collect(),
            tasks,
            readings_without_tasks,
        }
    }

    /// Returns true if a new task is unlikely: `pools`, which have just been read, are as before.
    fn has_all_tasks_of(&self, pools: &[ack_client::NodePool]) -> bool {
        let is_same = |(pool, last): (&ack_client::NodePool, &NodePool)| {
            let versions = (&pool.kubelet_version, &pool.runtime_version, &pool.image);
            let last_versions = (&last.kubelet_version, &last.runtime_version, &last.image);
            let states = [pool.state, last.state];
            // Nodes that come and go are no upgrade.
            let are_usual = states
                .iter()
                .all(|state| matches!(state, NodePoolState::Active | NodePoolState::Scaling));
            let has_same_state = pool.state == last.state || are_usual;
            pool.id == last.id && has_same_state && versions == last_versions
        };
        self.readings_without_tasks < READINGS_WITHOUT_TASKS
            && self.tasks.is_complete
            && !self.is_upgrading()
            && pools.len() == self.pools.len()
            && pools.iter().zip(&self.pools).all(is_same)
    }

    /// Returns true if a pool is being upgraded, by its own state or by its task. A planned pause
    /// is part of an upgrade.
    fn is_upgrading(&self) -> bool {
        self.pools.iter().any(|pool| {
            let status = pool.upgrade.as_ref().map(|upgrade| upgrade.status);
            pool.state == NodePoolState::Updating
                || matches!(status, Some(Status::Running | Status::Pause))
        })
    }
}
