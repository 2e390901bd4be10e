//! What else goes on in a cluster: tasks that are no upgrade of it, but are listed beside the
//! upgrades.

use crate::random::{mix, within};

/// How many of them there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chores {
    /// A dozen between two upgrades at most.
    Few,
    /// Several hundred.
    Many,
}

/// One of them. Times are in milliseconds since the world began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chore {
    /// Its place in time; one a slot.
    pub(crate) slot: i64,
    pub(crate) kind: &'static str,
    pub(crate) created: i64,
    pub(crate) ends: i64,
    pub(crate) end: End,
}

/// How a chore ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Success,
    Failure,
}

const KINDS: [&str; 5] = [
    "cluster_addon_upgrade",
    "nodepool_upgrade",
    "nodepool_scaleout",
    "runtime_upgrade",
    "cluster_addon_install",
];

impl Chores {
    /// How many the cluster at `number` has.
    pub(crate) fn of(number: usize, lists: crate::world::TaskLists) -> Self {
        match lists {
            crate::world::TaskLists::LongForSome if number % 12 == 3 => Self::Many,
            _ => Self::Few,
        }
    }

    /// The length of a slot in milliseconds, and how many are listed.
    fn measure(self) -> (i64, i64) {
        match self {
            Self::Few => (20_000, 24),
            Self::Many => (1_000, 300),
        }
    }

    /// The chores that are listed at `millis`, newest first.
    pub(crate) fn at(self, seed: u64, millis: i64) -> impl Iterator<Item = Chore> {
        let (length, kept) = self.measure();
        let newest = millis.div_euclid(length);
        (0..kept)
            .map(move |back| self.chore(seed, newest - back))
            .filter(move |chore| chore.created <= millis)
    }

    /// The chore of a slot.
    pub(crate) fn chore(self, seed: u64, slot: i64) -> Chore {
        let (length, _) = self.measure();
        let draw = |salt| mix(&[seed, salt, slot.cast_unsigned()]);
        let some =
            |salt, low, high| i64::try_from(within(draw(salt), low, high)).unwrap_or_default();
        let created = slot * length + some(70, 0, length.unsigned_abs());
        let kind = usize::try_from(draw(71) % KINDS.len() as u64).unwrap_or_default();
        let end = if draw(73).is_multiple_of(10) {
            End::Failure
        } else {
            End::Success
        };
        Chore {
            slot,
            kind: KINDS[kind],
            created,
            ends: created + some(72, 3_000, 15_000),
            end,
        }
    }
}
