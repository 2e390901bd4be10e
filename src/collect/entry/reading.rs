//! The reading that a metrics page or a probe gets of one cluster.

use std::sync::Arc;
use std::time::Duration;

use ack_client::{Reason, Stage};
use tokio::time::Instant;

use super::{ClusterEntry, InFlight, Trigger};
use crate::queries::Watched;
use crate::snapshot::{ClusterReading, Failure, Outcome};

/// The limit that keeps clusters from being queried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::collect) enum BlockedBy {
    /// The account's rate limit has no tokens.
    RateLimit,
    /// All queries that may be in flight are, and the API does not respond.
    Concurrency,
}

/// The circumstances in which readings are taken.
#[derive(Debug, Clone, Copy)]
pub(in crate::collect) struct Viewpoint {
    pub(in crate::collect) trigger: Trigger,
    /// The time at which the reader began to wait.
    pub(in crate::collect) since: Instant,
    /// The time at which the reader stops waiting. Queries that start then or later are not for it.
    pub(in crate::collect) end: Instant,
    /// The share that a query has of the reader's time. The demand may be one of a longer time.
    pub(in crate::collect) share: Duration,
    pub(in crate::collect) blocked_by: BlockedBy,
    /// The age up to which a reading is served of a cluster that was not queried.
    pub(in crate::collect) max_age: Duration,
    pub(in crate::collect) now: Instant,
}

impl ClusterEntry {
    /// The reading of this cluster.
    pub(in crate::collect) fn reading(&self, viewpoint: &Viewpoint) -> ClusterReading {
        let (in_flight, was_queried) = match viewpoint.trigger {
            Trigger::Scrape => (self.awaited(), self.has_served(viewpoint.since)),
            Trigger::Probe => (self.in_flight(), self.has_ended_since(viewpoint.since)),
        };
        let is_collected = was_queried && in_flight.is_none();
        let in_flight = in_flight.filter(|in_flight| in_flight.started < viewpoint.end);
        let outcome = match in_flight {
            Some(in_flight) => self.outcome_in_flight(in_flight, viewpoint),
            None => self.outcome(is_collected, viewpoint.blocked_by, viewpoint),
        };
        let elapsed =
            in_flight.map(|in_flight| viewpoint.now.saturating_duration_since(in_flight.started));
        let last_success = self.cached.last_success();
        ClusterReading {
            cluster: Arc::clone(&self.target.info),
            since: last_success
                .filter(|_| matches!(outcome, Outcome::Up(_)))
                .map(|success| success.since),
            outcome,
            duration: elapsed.or(self.cached.duration),
            last_success: last_success.map(|success| success.fresh_at),
            watched: Watched::default(),
            queries: Vec::new(),
        }
    }

    fn outcome_in_flight(&self, in_flight: &InFlight, viewpoint: &Viewpoint) -> Outcome {
        match in_flight.budget.stage(viewpoint.now) {
            (Stage::BackingOff(error), _) => Outcome::Down(Failure::of(&error)),
            (Stage::AwaitingResponse, elapsed)
                if elapsed >= in_flight.share.min(viewpoint.share) =>
            {
                down(Reason::Timeout, "no answer within the scrape's budget")
            }
            // The query goes on. That it waits for the account's own rate limit, or that the API
            // has not had its share of the time, is no failure.
            (Stage::AwaitingResponse, _) => self.outcome(false, viewpoint.blocked_by, viewpoint),
            (Stage::AwaitingRateLimit, _) => self.outcome(false, BlockedBy::RateLimit, viewpoint),
        }
    }

    fn outcome(&self, is_collected: bool, blocked_by: BlockedBy, viewpoint: &Viewpoint) -> Outcome {
        let is_young =
            |fresh: Instant| viewpoint.now.saturating_duration_since(fresh) <= viewpoint.max_age;
        match (self.cached.slot.outcome(), self.cached.last_success()) {
            (None, _) => match blocked_by {
                BlockedBy::RateLimit => Outcome::NotAsked,
                BlockedBy::Concurrency => down(
                    Reason::Timeout,
                    "not asked: all queries that may be under way wait for the API",
                ),
            },
            (Some(Err(failure)), _) => Outcome::Down(failure.clone()),
            (Some(Ok(())), Some(success)) if is_collected || is_young(success.fresh) => {
                Outcome::Up(Arc::clone(&success.state))
            }
            (Some(Ok(())), _) => match blocked_by {
                BlockedBy::RateLimit => down(
                    Reason::RateLimited,
                    "not asked for longer than scrape.max_age: the account's rate_limit is too low",
                ),
                BlockedBy::Concurrency => down(
                    Reason::Timeout,
                    "not asked for longer than scrape.max_age: the API is too slow",
                ),
            },
        }
    }
}

fn down(reason: Reason, message: &str) -> Outcome {
    Outcome::Down(Failure {
        reason,
        message: message.to_owned(),
        lasting: false,
    })
}
