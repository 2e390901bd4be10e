//! The traits of each cluster beside its upgrades, so that every dozen of clusters shows everything
//! that there is to see.

use crate::world::versions::VersionTrack;

/// The traits of one cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClusterTraits {
    pub(crate) versions: VersionTrack,
    pub(crate) plans: PlanPattern,
    pub(crate) node_pools: NodePoolPattern,
}

/// The planned operations of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlanPattern {
    /// Users start the upgrades.
    None,
    /// Each upgrade is planned.
    EachUpgrade,
    /// Each upgrade is planned, after an earlier plan has failed in its check.
    EachUpgradeAfterFailedCheck,
    /// An upgrade is planned for the next night. A user cancels it shortly before.
    EveryNight,
}

/// The node pools of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodePoolPattern {
    /// Every pool is upgraded after the control plane.
    Upgraded,
    /// The same, but a pool fails in the first upgrade.
    FirstOneFails,
    /// The same, but a pool pauses in the first upgrade, as its rolling policy says.
    FirstOnePauses,
    /// The default pool is two minor versions behind, and stays there.
    LeftBehind,
}

impl ClusterTraits {
    /// The traits of the cluster at a position of the account's list. The positions fit the first
    /// upgrades in `recurrence`.
    pub(crate) fn of(seed: u64, number: usize) -> Self {
        let ordinary = Self::ordinary(seed);
        match number % 12 {
            // Its control plane has just been upgraded when the world starts; so has that of 8.
            4 => Self {
                node_pools: NodePoolPattern::FirstOneFails,
                ..ordinary
            },
            8 => Self {
                node_pools: NodePoolPattern::FirstOnePauses,
                ..ordinary
            },
            // Its first upgrade starts shortly after the world, and that of 9 fails.
            5 | 9 => Self {
                plans: PlanPattern::EachUpgrade,
                ..ordinary
            },
            // Its first upgrade starts later.
            10 => Self {
                plans: PlanPattern::EachUpgradeAfterFailedCheck,
                ..ordinary
            },
            7 => Self {
                versions: VersionTrack::support_ends_soon(seed),
                node_pools: NodePoolPattern::LeftBehind,
                ..ordinary
            },
            // It is never upgraded.
            11 => Self {
                versions: VersionTrack::unsupported(),
                plans: PlanPattern::EveryNight,
                ..ordinary
            },
            _ => ordinary,
        }
    }

    /// A supported version, upgrades without plans, and node pools that follow.
    pub(crate) fn ordinary(seed: u64) -> Self {
        Self {
            versions: VersionTrack::current(seed),
            plans: PlanPattern::None,
            node_pools: NodePoolPattern::Upgraded,
        }
    }

    /// The traits of a cluster that has never been upgraded and needs no upgrade.
    pub(crate) fn up_to_date(seed: u64) -> Self {
        Self {
            versions: VersionTrack::up_to_date(),
            ..Self::ordinary(seed)
        }
    }
}
