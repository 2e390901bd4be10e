//! How long a query may keep a place that others wait for.

use std::time::Duration;

use tokio::time::Instant;

/// A query may use the whole budget, unless others wait for its place: then it has this part of it.
const FAIR_SHARE: u32 = 4;

/// Doubled this often, a share is the whole.
const MOST_DOUBLINGS: u32 = 2;

/// What is known of how long answers take. The share of a query is never so short that a vendor who
/// is merely slow could not answer: it is at least twice what a slow answer takes, and it is
/// doubled when a query was called off and nothing at all has been heard since, since then it may
/// be the vendor that is slow, and not one cluster that is silent.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// How long a slow one takes: rises at once and falls slowly.
    slow: Duration,
    doublings: u32,
    /// When the share was doubled last.
    doubled: Option<Instant>,
}

impl Patience {
    /// What a query that started then has of a round of `length` while others wait for its place.
    pub(super) fn share(&self, started: Instant, length: Duration) -> Duration {
        let is_older = self.doubled.is_some_and(|doubled| started < doubled);
        let doublings = self.doublings.saturating_sub(u32::from(is_older));
        (length / FAIR_SHARE * (1 << doublings)).max(2 * self.slow)
    }

    /// There was an answer, after so long.
    pub(super) fn answered(&mut self, elapsed: Duration) {
        self.slow = elapsed.max(self.slow * 7 / 8);
        self.heard();
    }

    /// The vendor is there, whatever it said.
    pub(super) fn heard(&mut self) {
        (self.doublings, self.doubled) = (0, None);
    }

    /// The query that started then was called off. Those that were under way beside it have had no
    /// more time than it.
    pub(super) fn called_off(&mut self, started: Instant) {
        if self.doublings < MOST_DOUBLINGS && self.doubled.is_none_or(|doubled| started >= doubled)
        {
            self.doublings += 1;
            self.doubled = Some(Instant::now());
        }
    }
}
