//! The state of one upgrade of a cluster.

use crate::world::phase::Phase;

/// First sequence number of upgrades that tests create; larger than any of a schedule.
pub(crate) const FIRST_SET_SEQUENCE: u64 = 1 << 31;

/// The state of a cluster's newest upgrade at one moment. Times are in milliseconds since the start
/// of the world, and may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UpgradeState {
    pub(crate) phase: Phase,
    /// Sequence number of the upgrade, from 0; `None` before the first.
    pub(crate) sequence: Option<u64>,
    /// Start of the upgrade.
    pub(crate) started: i64,
    /// Start of the phase.
    pub(crate) since: i64,
    /// Number of earlier upgrades that have succeeded.
    pub(crate) successes: u64,
}

impl UpgradeState {
    pub(super) fn not_started(millis: i64) -> Self {
        Self {
            phase: Phase::NotStarted,
            sequence: None,
            started: millis,
            since: millis.min(0),
            successes: 0,
        }
    }
}
