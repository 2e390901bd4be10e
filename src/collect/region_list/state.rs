//! The readings of one list so far. Nothing here awaits or locks.

use std::sync::Arc;
use std::time::Duration;

use ack_client::{ClusterList, ListedCluster};
use tokio::time::Instant;

use crate::snapshot::Failure;

/// The readings of one list so far.
#[derive(Debug, Clone)]
pub(super) struct ListState {
    /// The operation that served the list last.
    pub(super) operation: ClusterList,
    pub(super) last_reading: Option<LastReading>,
    /// The list that was read last.
    pub(super) listing: Option<Arc<[ListedCluster]>>,
    /// The number of clusters in it that the configuration selects.
    pub(super) found: usize,
}

/// The last reading, whether it succeeded or failed.
#[derive(Debug, Clone)]
pub(super) struct LastReading {
    pub(super) failure: Option<Failure>,
    ended: Instant,
}

impl ListState {
    pub(super) fn new() -> Self {
        Self {
            operation: ClusterList::ForRegion,
            last_reading: None,
            listing: None,
            found: 0,
        }
    }

    /// True if a reading has succeeded or failed.
    pub(super) fn is_settled(&self) -> bool {
        self.last_reading.is_some()
    }

    /// Records the list read at `now`, of which the configuration selects `found` clusters. Returns
    /// true if that is news.
    pub(super) fn record_success(
        &mut self,
        listing: Arc<[ListedCluster]>,
        found: usize,
        now: Instant,
    ) -> bool {
        let is_news = !self.has_succeeded() || self.found != found;
        self.last_reading = Some(LastReading {
            failure: None,
            ended: now,
        });
        self.listing = Some(listing);
        self.found = found;
        is_news
    }

    /// Records that reading the list ended with `failure` at `now`. Returns true if the reading
    /// before it had not failed.
    pub(super) fn record_failure(&mut self, failure: Failure, now: Instant) -> bool {
        let is_news = self.last_reading.is_none() || self.has_succeeded();
        self.last_reading = Some(LastReading {
            failure: Some(failure),
            ended: now,
        });
        is_news
    }

    /// True if it is time to read the list: it has not been read, could not be read, or is about as
    /// old as `interval`.
    pub(super) fn is_due(&self, interval: Duration, now: Instant) -> bool {
        !self.has_succeeded() || self.age(now) >= interval / 5 * 4
    }

    /// The time left until the list is `interval` old.
    pub(super) fn remaining(&self, interval: Duration, now: Instant) -> Duration {
        interval.saturating_sub(self.age(now))
    }

    /// The time since the last reading.
    // It counts from the end, so that there is a pause however long a reading takes.
    fn age(&self, now: Instant) -> Duration {
        let last = self.last_reading.as_ref();
        last.map_or(Duration::ZERO, |reading| {
            now.saturating_duration_since(reading.ended)
        })
    }

    fn has_succeeded(&self) -> bool {
        let last = self.last_reading.as_ref();
        last.is_some_and(|reading| reading.failure.is_none())
    }
}

#[cfg(test)]
mod tests {
    use ack_client::Reason;

    use super::*;
    use crate::collect::fixture::{SECOND, listed};

    fn failure() -> Failure {
        Failure {
            reason: Reason::Network,
            message: "connection refused".to_owned(),
            lasting: false,
        }
    }

    fn listing() -> Arc<[ListedCluster]> {
        Arc::new([listed("c1", "running", 1)])
    }

    #[test]
    fn a_list_is_due_until_it_is_read_after_a_failure_and_once_it_is_almost_as_old_as_the_interval()
    {
        let start = Instant::now();
        let mut state = ListState::new();
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
        let mut state = ListState::new();
        assert_eq!(state.remaining(10 * SECOND, start), 10 * SECOND);
        state.record_failure(failure(), start);
        let remaining = |after| state.remaining(10 * SECOND, start + after);
        assert_eq!(remaining(3 * SECOND), 7 * SECOND);
        assert_eq!(remaining(11 * SECOND), Duration::ZERO);
    }

    #[test]
    fn a_result_is_news_if_it_differs_from_the_last_one() {
        let now = Instant::now();
        let mut state = ListState::new();
        assert!(state.record_success(listing(), 1, now), "the first");
        assert!(!state.record_success(listing(), 1, now));
        assert!(state.record_success(listing(), 0, now), "one less");
        assert!(state.record_failure(failure(), now));
        assert!(!state.record_failure(failure(), now));
        assert!(state.listing.is_some(), "the last list stands");
        assert!(state.record_success(listing(), 0, now));
        assert!(ListState::new().record_failure(failure(), now));
    }
}
