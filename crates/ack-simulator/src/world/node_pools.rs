//! The node pools of a cluster. They are upgraded one after the other, after the control plane.

use crate::random::{mix, within};
use crate::world::cluster::{Cluster, Upgrade};
use crate::world::cluster_kind::ClusterKind;
use crate::world::cluster_traits::NodePoolPattern;
use crate::world::phase::Phase;
use crate::world::upgrade_state::FIRST_SET_SEQUENCE;
use crate::world::versions::KubernetesVersion;

/// Time for the upgrade of one pool in milliseconds, if no later upgrade of the cluster limits it.
const UNLIMITED_SLICE: i64 = 10_000;

/// Minor versions between the control plane and a pool that is left behind.
const MINORS_BEHIND: u64 = 2;

/// A node pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodePool {
    /// `np` and 32 hex digits.
    pub(crate) id: String,
    /// Position among the pools of the cluster; they are upgraded in this order.
    pub(crate) position: usize,
    /// The seed of all generated details of this pool.
    pub(crate) seed: u64,
    /// Number of nodes.
    pub(crate) size: u64,
    /// Its nodes keep their version when the control plane is upgraded.
    is_left_behind: bool,
}

/// The upgrade of one pool. Times are in milliseconds since the start of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodePoolUpgrade {
    pub(crate) pool: NodePool,
    pub(crate) phase: NodePoolPhase,
    /// Sequence number of the cluster's upgrade that it follows.
    pub(crate) sequence: u64,
    pub(crate) started: i64,
    /// Start of the phase.
    pub(crate) since: i64,
    pub(crate) target: KubernetesVersion,
}

/// The state of a pool's upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodePoolPhase {
    /// Its nodes are being upgraded in batches.
    Upgrading,
    /// It waits after a batch, as its rolling policy says.
    Paused,
    Succeeded,
    Failed,
}

/// The outcome of one pool's upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PoolOutcome {
    Succeeds,
    SucceedsAfterPause,
    Fails,
}

impl Cluster {
    /// One to three pools; the first one is the default pool.
    pub(crate) fn node_pools(&self) -> Vec<NodePool> {
        let seed = self.schedule.seed();
        let count = within(mix(&[seed, 120]), 1, 4);
        let nodes = ClusterKind::of(self).size;
        (0..count)
            .map(|position| {
                let seed = mix(&[seed, 121, position]);
                let is_default = position == 0;
                NodePool {
                    id: format!("np{:016x}{:016x}", mix(&[seed, 1]), mix(&[seed, 2])),
                    position: usize::try_from(position).unwrap_or_default(),
                    seed,
                    size: nodes / count + if is_default { nodes % count } else { 0 },
                    is_left_behind: is_default
                        && self.traits.node_pools == NodePoolPattern::LeftBehind,
                }
            })
            .collect()
    }

    /// The upgrades of pools that are listed as tasks.
    pub(crate) fn node_pool_upgrades(&self, millis: i64) -> Vec<NodePoolUpgrade> {
        let pools = self.node_pools();
        let mut upgrades = Vec::new();
        for upgrade in self.upgrades(millis) {
            if upgrade.state.phase == Phase::Succeeded {
                let following = pools
                    .iter()
                    .filter_map(|pool| self.node_pool_upgrade(&upgrade, pool, pools.len(), millis));
                upgrades.extend(following);
            }
        }
        upgrades
    }

    /// The newest upgrade of a pool.
    pub(crate) fn newest_node_pool_upgrade(
        &self,
        pool: &NodePool,
        millis: i64,
    ) -> Option<NodePoolUpgrade> {
        let upgrades = self.node_pool_upgrades(millis);
        upgrades
            .into_iter()
            .find(|upgrade| upgrade.pool.position == pool.position)
    }

    /// The version of the kubelets in a pool: the target of its last successful upgrade.
    pub(crate) fn kubelet_version(&self, pool: &NodePool, millis: i64) -> KubernetesVersion {
        let current = self.state(millis).version;
        if pool.is_left_behind {
            return current.behind(MINORS_BEHIND);
        }
        let last = self.node_pool_upgrades(millis).into_iter().find(|upgrade| {
            upgrade.pool.position == pool.position && upgrade.phase == NodePoolPhase::Succeeded
        });
        let before_all = || self.upgrades(millis).last().map(|upgrade| upgrade.from);
        last.map(|upgrade| upgrade.target)
            .or_else(before_all)
            .unwrap_or(current)
    }

    /// The upgrade of `pool` after that of the control plane, if it has started.
    fn node_pool_upgrade(
        &self,
        upgrade: &Upgrade,
        pool: &NodePool,
        pools: usize,
        millis: i64,
    ) -> Option<NodePoolUpgrade> {
        if pool.is_left_behind {
            return None;
        }
        let slice = self.slice(upgrade, pools);
        let position = i64::try_from(pool.position).unwrap_or_default();
        let started = upgrade.state.since + slice * position + slice / 10;
        let outcome = self.node_pool_outcome(upgrade.sequence, pool.position, pools);
        let (offset, phase) = outcome
            .phases(slice / 10 * 8)
            .into_iter()
            .take_while(|(offset, _)| started + offset <= millis)
            .last()?;
        Some(NodePoolUpgrade {
            pool: pool.clone(),
            phase,
            sequence: upgrade.sequence,
            started,
            since: started + offset,
            target: upgrade.target,
        })
    }

    /// Time for the upgrade of each pool: all of them end before the cluster's next upgrade starts.
    fn slice(&self, upgrade: &Upgrade, pools: usize) -> i64 {
        let ended = upgrade.state.since;
        match self.schedule.start_after(&upgrade.state) {
            Some(next) if next > ended => (next - ended) / i64::try_from(pools).unwrap_or(1),
            _ => UNLIMITED_SLICE,
        }
    }

    fn node_pool_outcome(&self, sequence: u64, position: usize, pools: usize) -> PoolOutcome {
        let is_last = position + 1 == pools;
        match self.traits.node_pools {
            NodePoolPattern::FirstOneFails if sequence == 0 && position == 0 => PoolOutcome::Fails,
            NodePoolPattern::FirstOnePauses if sequence == 0 && is_last => {
                PoolOutcome::SucceedsAfterPause
            }
            // A test that sets the phase of a cluster expects no surprise.
            _ if sequence >= FIRST_SET_SEQUENCE => PoolOutcome::Succeeds,
            _ => {
                let draw = |salt| mix(&[self.schedule.seed(), salt, sequence]);
                let affected = draw(122) % pools as u64;
                if affected == position as u64 {
                    PoolOutcome::draw(draw(123), sequence)
                } else {
                    PoolOutcome::Succeeds
                }
            }
        }
    }
}

impl PoolOutcome {
    /// No pool fails twice in a row.
    fn draw(number: u64, sequence: u64) -> Self {
        match number % 8 {
            0 | 1 if sequence.is_multiple_of(2) => Self::Fails,
            2 | 3 => Self::SucceedsAfterPause,
            _ => Self::Succeeds,
        }
    }

    /// The phases of an upgrade of this length, each with its start in milliseconds after the start
    /// of the upgrade.
    fn phases(self, length: i64) -> Vec<(i64, NodePoolPhase)> {
        let started = (0, NodePoolPhase::Upgrading);
        let succeeded = (length, NodePoolPhase::Succeeded);
        match self {
            Self::Succeeds => vec![started, succeeded],
            Self::SucceedsAfterPause => vec![
                started,
                (length / 5, NodePoolPhase::Paused),
                (length / 10 * 9, NodePoolPhase::Upgrading),
                succeeded,
            ],
            Self::Fails => vec![started, (length / 5 * 3, NodePoolPhase::Failed)],
        }
    }
}

impl NodePoolPhase {
    /// Returns true while the upgrade is running or paused.
    pub(crate) fn is_in_progress(self) -> bool {
        matches!(self, Self::Upgrading | Self::Paused)
    }
}
