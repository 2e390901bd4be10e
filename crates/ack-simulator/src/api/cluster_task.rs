//! A task of a cluster, of any kind, and its ID.

use crate::random::mix;
use crate::world::background_tasks::BackgroundTask;
use crate::world::cluster::{Cluster, Upgrade};
use crate::world::node_pools::NodePoolUpgrade;

/// A task of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClusterTask {
    Upgrade(Upgrade),
    NodePool(NodePoolUpgrade),
    Background(BackgroundTask),
}

/// Added to the slots of background tasks, half of which are negative.
const SLOT_OFFSET: i64 = 1 << 31;

/// Keeps the numbers of background tasks apart from those of upgrades.
const BACKGROUND_BIT: u64 = 1 << 40;

/// Added to the number of a cluster's upgrade for each of the node pools that follow it.
const NODE_POOL_STEP: u64 = 1 << 34;

impl ClusterTask {
    /// Milliseconds since the start of the world.
    pub(crate) fn created(&self) -> i64 {
        match self {
            Self::Upgrade(upgrade) => upgrade.state.started,
            Self::NodePool(upgrade) => upgrade.started,
            Self::Background(task) => task.created,
        }
    }

    /// `T-` and 24 hex digits.
    pub(crate) fn id(&self, cluster: &Cluster) -> String {
        let number = match self {
            Self::Upgrade(upgrade) => upgrade.sequence,
            Self::NodePool(upgrade) => {
                upgrade.sequence + NODE_POOL_STEP * (1 + upgrade.pool.position as u64)
            }
            Self::Background(task) => (task.slot + SLOT_OFFSET).unsigned_abs() | BACKGROUND_BIT,
        };
        format!("T-{}", scrambled_id(cluster, number))
    }
}

/// 24 hex digits: the cluster's tag, and the scrambled number of an object of the cluster.
pub(super) fn scrambled_id(cluster: &Cluster, number: u64) -> String {
    let scrambled = (number ^ mix(&[cluster.tag])) & 0xffff_ffff_ffff;
    format!("{:012x}{scrambled:012x}", cluster.tag)
}

/// The tag of the cluster in a task's ID.
pub(crate) fn cluster_tag(task_id: &str) -> Option<u64> {
    u64::from_str_radix(task_id.strip_prefix("T-")?.get(..12)?, 16).ok()
}
