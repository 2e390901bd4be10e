//! The readings of one list so far. Nothing here awaits or locks.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::collect::slot::Slot;
use crate::queries::cluster_list::Listing;
use crate::snapshot::Failure;

/// The readings of one list so far.
#[derive(Debug, Clone)]
pub(in crate::collect) struct ListState {
    pub(super) slot: Slot<Arc<Listing>>,
    /// The number of clusters in the last list that the configuration selects.
    pub(super) found: usize,
}

impl ListState {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            slot: Slot::new(now),
            found: 0,
        }
    }

    /// The readings so far, for a configuration that selects `found` clusters.
    pub(super) fn inherited(&self, found: usize) -> Self {
        Self {
            slot: self.slot.inherited(),
            found,
        }
    }

    /// The list that was read last.
    pub(super) fn listing(&self) -> Option<&Arc<Listing>> {
        self.slot.answer()
    }

    /// True if a reading has succeeded or failed.
    pub(in crate::collect) fn is_settled(&self) -> bool {
        self.slot.outcome().is_some()
    }

    /// Records the list read at `now`, of which the configuration selects `found` clusters. Returns
    /// true if that is news.
    pub(super) fn record_success(&mut self, listing: Listing, found: usize, now: Instant) -> bool {
        let is_news = !self.slot.has_succeeded() || self.found != found;
        self.slot.record(Ok(Arc::new(listing)), now);
        self.found = found;
        is_news
    }

    /// Records that reading the list ended with `failure` at `now`. Returns true if the reading
    /// before it had not failed.
    pub(super) fn record_failure(&mut self, failure: Failure, now: Instant) -> bool {
        let is_news = !matches!(self.slot.outcome(), Some(Err(_)));
        self.slot.record(Err(failure), now);
        is_news
    }

    /// True if it is time to read the list: it has not been read, could not be read, or is about as
    /// old as `interval`.
    // The age counts from the end, so that there is a pause however long a reading takes.
    pub(in crate::collect) fn is_due(&self, interval: Duration, now: Instant) -> bool {
        !self.slot.has_succeeded() || self.slot.since_last_attempt(now) >= interval / 5 * 4
    }

    /// The time left until the list is `interval` old.
    pub(in crate::collect) fn remaining(&self, interval: Duration, now: Instant) -> Duration {
        interval.saturating_sub(self.slot.since_last_attempt(now))
    }
}

#[cfg(test)]
mod tests {
    use ack_client::{ListOperation, Reason};

    use super::*;
    use crate::collect::fixture::{SECOND, listed};

    fn failure() -> Failure {
        Failure {
            reason: Reason::Network,
            message: "connection refused".to_owned(),
            lasting: false,
        }
    }

    fn listing() -> Listing {
        Listing {
            clusters: vec![listed("c1", "running", 1)],
            operation: ListOperation::ForRegion,
        }
    }

    #[test]
    fn a_list_is_due_until_it_is_read_after_a_failure_and_once_it_is_almost_as_old_as_the_interval()
    {
        let start = Instant::now();
        let mut state = ListState::new(start);
        assert!(state.is_due(Duration::MAX, start));
        state.record_success(listing(), 1, start);
        assert!(!state.is_due(10 * SECOND, start + 7 * SECOND));
        assert!(state.is_due(10 * SECOND, start + 8 * SECOND));
        assert!(!state.is_due(Duration::MAX, start + 8 * SECOND));
        state.record_failure(failure(), start);
        assert!(state.is_due(Duration::MAX, start));
    }

    #[test]
    fn the_time_until_the_next_reading_counts_from_the_end_of_the_last_one() {
        let start = Instant::now();
        let mut state = ListState::new(start);
        assert_eq!(state.remaining(10 * SECOND, start), 10 * SECOND);
        state.record_failure(failure(), start);
        let remaining = |after| state.remaining(10 * SECOND, start + after);
        assert_eq!(remaining(3 * SECOND), 7 * SECOND);
        assert_eq!(remaining(11 * SECOND), Duration::ZERO);
    }

    #[test]
    fn a_result_is_news_if_it_differs_from_the_last_one() {
        let now = Instant::now();
        let mut state = ListState::new(now);
        assert!(state.record_success(listing(), 1, now), "the first");
        assert!(!state.record_success(listing(), 1, now));
        assert!(state.record_success(listing(), 0, now), "one less");
        assert!(state.record_failure(failure(), now));
        assert!(!state.record_failure(failure(), now));
        assert!(state.listing().is_some(), "the last list stands");
        assert!(state.record_success(listing(), 0, now));
        assert!(ListState::new(now).record_failure(failure(), now));
    }
}
