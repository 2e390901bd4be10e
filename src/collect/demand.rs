//! The demand of scrapes: every cluster queried since an instant, by a deadline.

use std::time::Duration;

use ack_client::Deadline;
use tokio::time::Instant;

/// Least time of a query, however soon its waiters go: a client that hardly waits must not make
/// clusters fail for all others.
pub(super) const MIN_QUERY_TIME: Duration = Duration::from_secs(1);

/// The demand that the scrapes of one time share.
#[derive(Debug, Clone)]
pub(super) struct Demand {
    /// The time of the first scrape. A query that has ended since then serves all of them.
    pub(super) since: Instant,
    /// The deadline of the first scrape, until which others may join.
    open_until: Instant,
    /// The latest deadline of those who wait.
    pub(super) deadline: Deadline,
    /// The time that the first scrape has, but no less than [`MIN_QUERY_TIME`].
    pub(super) length: Duration,
}

/// The way in which a scrape is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It shares the demand that is being served.
    Join,
    /// The readings that served the last demand are young enough.
    Cached,
    /// It has a demand of its own.
    Start,
}

impl Demand {
    /// The demand of a scrape that begins at `now` and waits until `deadline`.
    pub(super) fn new(now: Instant, deadline: Instant) -> Self {
        Self {
            since: now,
            open_until: deadline,
            deadline: Deadline::at(deadline),
            length: deadline.saturating_duration_since(now).max(MIN_QUERY_TIME),
        }
    }

    /// The demand after this one, of a scrape that begins at `now` and waits until `deadline`.
    // Demands are told apart by their starts, and two may begin at the same instant of the clock.
    pub(super) fn next(&self, now: Instant, deadline: Instant) -> Self {
        Self {
            since: now.max(self.since + Duration::from_nanos(1)),
            ..Self::new(now, deadline)
        }
    }

    /// The demand of a probe at `now`, which waits for one cluster until `deadline`. Its query has
    /// no more than the least share of the time, if others wait for its place.
    pub(super) fn of_probe(now: Instant, deadline: Instant) -> Self {
        Self {
            length: Duration::ZERO,
            ..Self::new(now, deadline)
        }
    }

    /// The deadline of a query that starts at `now`: that of the waiters or, once it is over, as
    /// long as the demand had.
    pub(super) fn deadline_at(&self, now: Instant) -> Deadline {
        if now < self.deadline.instant() {
            self.deadline.clone()
        } else {
            Deadline::at(now + self.length)
        }
    }

    /// Decides how a scrape that begins at `now` is served, if this is the newest demand and was
    /// `served` at that time, if it was.
    pub(super) fn admit(
        &self,
        served: Option<Instant>,
        now: Instant,
        cache_ttl: Duration,
    ) -> Admission {
        match served {
            // Nobody joins later: scrapes that always overlap would keep a demand with a silent
            // cluster open for ever, and see the others as they were at its start.
            None if now < self.open_until => Admission::Join,
            Some(served) if now.saturating_duration_since(served) < cache_ttl => Admission::Cached,
            None | Some(_) => Admission::Start,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_demand_is_joined_until_the_deadline_of_its_first_scrape() {
        let now = Instant::now();
        let demand = Demand::new(now, now + 10 * SECOND);
        demand.deadline.extend_to(now + 60 * SECOND);
        let admission = |after| demand.admit(None, now + after, 5 * SECOND);
        assert_eq!(admission(Duration::ZERO), Admission::Join);
        assert_eq!(admission(Duration::from_millis(9_999)), Admission::Join);
        assert_eq!(admission(10 * SECOND), Admission::Start);
    }

    #[test]
    fn a_demand_of_the_same_instant_is_a_later_one() {
        let now = Instant::now();
        let first = Demand::new(now, now + SECOND);
        let second = first.next(now, now + SECOND);
        assert!(second.since > first.since);
        assert_eq!(second.next(now + SECOND, now).since, now + SECOND);
    }

    #[test]
    fn readings_serve_further_scrapes_until_they_are_as_old_as_the_cache_allows() {
        let now = Instant::now();
        let demand = Demand::new(now, now + 10 * SECOND);
        let served = Some(now + 2 * SECOND);
        let admission = |after| demand.admit(served, now + after, 5 * SECOND);
        assert_eq!(admission(Duration::from_millis(6_999)), Admission::Cached);
        assert_eq!(admission(7 * SECOND), Admission::Start);
        assert_eq!(
            demand.admit(served, now + 2 * SECOND, Duration::ZERO),
            Admission::Start,
            "there is no cache"
        );
    }

    #[test]
    fn a_query_has_the_time_of_the_waiters_and_afterwards_as_long_as_they_had() {
        let now = Instant::now();
        let demand = Demand::new(now, now + 10 * SECOND);
        let end = |after| demand.deadline_at(now + after).instant() - now;
        assert_eq!(end(9 * SECOND), 10 * SECOND);
        assert_eq!(end(12 * SECOND), 22 * SECOND);
        let hasty = Demand::new(now, now);
        assert_eq!(hasty.deadline_at(now).instant() - now, MIN_QUERY_TIME);
    }
}
