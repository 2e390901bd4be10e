//! The progress of a collection.

use std::iter::Sum;
use std::ops::Add;

/// The extent of a collection without a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The upgrades.
    Upgrades,
    /// The upgrades, and a response to every watched query.
    Watched,
}

/// The number of queries, of those that are known to be needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CollectionProgress {
    /// The queries that have succeeded or failed.
    pub ended: usize,
    /// All queries.
    pub needed: usize,
}

impl CollectionProgress {
    /// The progress of queries of which each has ended or not.
    pub(super) fn of(queries: impl Iterator<Item = bool>) -> Self {
        queries
            .map(|has_ended| Self {
                ended: usize::from(has_ended),
                needed: 1,
            })
            .sum()
    }
}

impl Add for CollectionProgress {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            ended: self.ended + other.ended,
            needed: self.needed + other.needed,
        }
    }
}

impl Sum for CollectionProgress {
    fn sum<I: Iterator<Item = Self>>(each: I) -> Self {
        each.fold(Self::default(), Add::add)
    }
}
