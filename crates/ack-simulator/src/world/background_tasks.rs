//! Tasks of a cluster that are listed beside its upgrades and those of its node pools.

use crate::options::TaskLists;
use crate::random::{mix, within};

/// The number of background tasks of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BackgroundTasks {
    /// About a dozen between two upgrades.
    Few,
    /// Several hundred.
    Many,
}

/// One background task. Times are in milliseconds since the start of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BackgroundTask {
    /// Number of the interval that the task belongs to; there is one task in each.
    pub(crate) slot: i64,
    pub(crate) kind: &'static str,
    pub(crate) created: i64,
    pub(crate) ended: i64,
    pub(crate) outcome: TaskOutcome,
}

/// The outcome of a background task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskOutcome {
    Success,
    Failure,
}

const KINDS: [&str; 5] = [
    "cluster_addon_upgrade",
    "nodepool_node_attach",
    "nodepool_scaleout",
    "runtime_upgrade",
    "cluster_addon_install",
];

impl BackgroundTasks {
    /// The number of tasks of the cluster at `index`.
    pub(crate) fn of(index: usize, lists: TaskLists) -> Self {
        match lists {
            TaskLists::LongForSome if index % 12 == 3 => Self::Many,
            _ => Self::Few,
        }
    }

    /// The length of a slot in milliseconds.
    fn slot_length(self) -> i64 {
        match self {
            Self::Few => 20_000,
            Self::Many => 1_000,
        }
    }

    /// The number of slots whose tasks are listed.
    fn listed_slots(self) -> i64 {
        match self {
            Self::Few => 24,
            Self::Many => 300,
        }
    }

    /// The tasks that are listed at `millis`, newest first.
    pub(crate) fn at(self, seed: u64, millis: i64) -> impl Iterator<Item = BackgroundTask> {
        let newest = millis.div_euclid(self.slot_length());
        (0..self.listed_slots())
            .map(move |age| self.task(seed, newest - age))
            .filter(move |task| task.created <= millis)
    }

    fn task(self, seed: u64, slot: i64) -> BackgroundTask {
        let length = self.slot_length();
        let draw = |salt| mix(&[seed, salt, slot.cast_unsigned()]);
        let draw_within =
            |salt, low, high| i64::try_from(within(draw(salt), low, high)).unwrap_or_default();
        let created = slot * length + draw_within(70, 0, length.unsigned_abs());
        let kind = usize::try_from(draw(71) % KINDS.len() as u64).unwrap_or_default();
        let outcome = if draw(73).is_multiple_of(10) {
            TaskOutcome::Failure
        } else {
            TaskOutcome::Success
        };
        BackgroundTask {
            slot,
            kind: KINDS[kind],
            created,
            ended: created + draw_within(72, 3_000, 15_000),
            outcome,
        }
    }
}
