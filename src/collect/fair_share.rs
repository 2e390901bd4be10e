//! The time that a query may keep a permit that others wait for.

use std::time::Duration;

use tokio::time::Instant;

/// A query may use the whole budget, unless others wait for its permit: then it has this part of
/// it.
const FAIR_SHARE: u32 = 4;

/// Limit of the doublings; after as many the share is the whole budget.
const MAX_DOUBLINGS: u32 = 2;

/// The fair share of a query, adapted to how fast the API responds.
///
/// A share is never so short that an API that is merely slow could not respond: it is at least
/// twice the time of a slow response. It is doubled after a cancellation with no response since,
/// because then the API may be slow as a whole.
#[derive(Debug, Default)]
pub(super) struct FairShare {
    /// The time of a slow response: rises at once and falls slowly.
    slow_response: Duration,
    doublings: u32,
    last_doubled: Option<Instant>,
}

impl FairShare {
    /// The share that a query started at `started` has of a collection of `length` while others
    /// wait for its permit.
    pub(super) fn share(&self, started: Instant, length: Duration) -> Duration {
        let is_older = self.last_doubled.is_some_and(|doubled| started < doubled);
        let doublings = self.doublings.saturating_sub(u32::from(is_older));
        (length / FAIR_SHARE * (1 << doublings)).max(2 * self.slow_response)
    }

    /// Records a response that took `elapsed`.
    pub(super) fn record_response(&mut self, elapsed: Duration) {
        self.slow_response = elapsed.max(self.slow_response * 7 / 8);
        self.record_contact();
    }

    /// Records that the API responded, be it with an error or after an unknown time.
    pub(super) fn record_contact(&mut self) {
        self.doublings = 0;
        self.last_doubled = None;
    }

    /// Records that the query started at `started` was cancelled after its share.
    pub(super) fn record_cancelled(&mut self, started: Instant) {
        // Queries that ran beside the one that doubled the share have had no more time than it.
        let counts = self.last_doubled.is_none_or(|doubled| started >= doubled);
        if counts && self.doublings < MAX_DOUBLINGS {
            self.doublings += 1;
            self.last_doubled = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests;
