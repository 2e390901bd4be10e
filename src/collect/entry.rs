//! What is remembered of one cluster from scrape to scrape.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ack_client::Endpoint;
use ack_client::{Budget, Deadline, Reason, Stage};
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::queries::upgrade::UpgradeSource;
use crate::snapshot::{ClusterInfo, ClusterReading, Failure, Outcome};
use crate::upgrade::{SourceName, UpgradeState};

/// A cluster and the way to it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// The cluster.
    pub(super) info: Arc<ClusterInfo>,
    /// Who named it.
    pub(super) origin: Origin,
    /// The server that knows it.
    pub(super) endpoint: Endpoint,
    /// Who reads its state.
    pub(super) source: Arc<dyn UpgradeSource>,
}

/// Who named a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The operator: it stays on the page whatever the lists say.
    Configured,
    /// A list: it leaves the page with it.
    Discovered,
}

/// One cluster of a lane.
#[derive(Debug)]
pub(super) struct ClusterEntry {
    pub(super) target: Target,
    /// The collection in which it was asked last, or needed no asking; 0 is never.
    pub(super) asked: u64,
    /// The query under way.
    pub(super) in_flight: Option<InFlight>,
    /// When the cluster changed last, as the list has it.
    pub(super) changed: Option<Timestamp>,
    cached: CachedResults,
}

/// Results that outlive a change of the configuration.
#[derive(Debug, Clone, Default)]
pub(super) struct CachedResults {
    last_query: Option<LastQuery>,
    last_success: Option<LastSuccess>,
    /// Calls that the last answer took.
    calls: Option<u32>,
}

/// A query under way.
#[derive(Debug, Clone)]
pub(super) struct InFlight {
    /// No two queries of an account have the same.
    pub(super) number: u64,
    pub(super) started: Instant,
    /// Put off by each collection that waits for it.
    pub(super) deadline: Deadline,
    pub(super) cancel: CancellationToken,
    pub(super) budget: Budget,
    /// How long the API has until its silence is a time-out.
    pub(super) share: Duration,
    /// The collection in which the cluster was asked before.
    pub(super) previously_asked: u64,
    /// Whether a collection waits for it, and not only somebody who wants this cluster.
    pub(super) awaited: Arc<AtomicBool>,
    /// When the cluster had changed last, as the list had it when the query started.
    pub(super) changed: Option<Timestamp>,
}

/// Who reads what is known of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    /// The page of a collection.
    Scrape,
    /// Somebody who wants this cluster.
    Probe,
}

#[derive(Debug, Clone)]
struct LastQuery {
    failure: Option<Failure>,
    duration: Duration,
    ended: Instant,
}

/// The last answer.
#[derive(Debug, Clone)]
struct LastSuccess {
    state: Arc<UpgradeState>,
    /// When it was read.
    read: Instant,
    /// When it was read, or a list said that nothing is going on.
    fresh: Instant,
    /// When it was read, or a list confirmed that nothing can have changed.
    fresh_at: Timestamp,
    /// When this status and step of this task were first seen.
    since: Timestamp,
    /// When the cluster had changed last, as the list had it before it was read.
    changed: Option<Timestamp>,
}

/// Why a cluster was left out of a collection so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockedBy {
    /// The bucket is empty.
    RateLimit,
    /// All queries that may be under way are, and the vendor is silent.
    Concurrency,
}

/// What changed with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StateChange {
    /// There was no answer before.
    First,
    /// Status, step or task differ from the answer before.
    Changed,
    /// Nothing that anybody would want a line in the log for.
    Unchanged,
}

impl ClusterEntry {
    pub(super) fn new(target: Target, cached: CachedResults) -> Self {
        Self {
            target,
            asked: 0,
            in_flight: None,
            changed: None,
            cached,
        }
    }

    /// All that is remembered.
    pub(super) fn cached(&self) -> &CachedResults {
        &self.cached
    }

    /// The last answer.
    pub(super) fn last_state(&self) -> Option<Arc<UpgradeState>> {
        self.cached
            .last_success
            .as_ref()
            .map(|last_success| Arc::clone(&last_success.state))
    }

    /// The query under way that a collection waits for.
    pub(super) fn awaited(&self) -> Option<&InFlight> {
        self.in_flight
            .as_ref()
            .filter(|in_flight| in_flight.awaited.load(Ordering::Relaxed))
    }

    /// True if the query under way is the one of this number.
    pub(super) fn has_in_flight(&self, number: u64) -> bool {
        self.in_flight
            .as_ref()
            .is_some_and(|in_flight| in_flight.number == number)
    }

    /// Whether there was an answer after `instant`.
    pub(super) fn has_answered_since(&self, instant: Instant) -> bool {
        !self.is_failing()
            && self
                .cached
                .last_success
                .as_ref()
                .is_some_and(|last_success| last_success.read > instant)
    }

    /// True if a query has ended at `instant` or later that was more than a wait for the rate
    /// limit.
    pub(super) fn has_ended_since(&self, instant: Instant) -> bool {
        self.cached
            .last_query
            .as_ref()
            .is_some_and(|last| last.ended >= instant)
    }

    /// The number of calls that asking it will most likely take.
    pub(super) fn cost(&self) -> u32 {
        let usual = if self.target.source.in_use() == Some(SourceName::Tasks) {
            2
        } else {
            1
        };
        self.cached.calls.unwrap_or(usual)
    }

    /// Whether the last query failed.
    pub(super) fn is_failing(&self) -> bool {
        self.cached
            .last_query
            .as_ref()
            .is_some_and(|last| last.failure.is_some())
    }

    pub(super) fn failure(&self) -> Option<&Failure> {
        self.cached
            .last_query
            .as_ref()
            .and_then(|last| last.failure.as_ref())
    }

    /// Whether the list says that something has changed since the last answer: an upgrade may have
    /// begun and ended unseen.
    pub(super) fn has_changed(&self) -> bool {
        self.cached
            .last_success
            .as_ref()
            .is_some_and(|last_success| last_success.changed != self.changed)
    }

    /// When the last answer was read, if it says that nothing is going on and nothing has failed
    /// since.
    pub(super) fn idle_since_reading(&self) -> Option<Instant> {
        self.cached
            .last_success
            .as_ref()
            .filter(|last_success| last_success.state.status.is_idle() && !self.is_failing())
            .map(|last_success| last_success.read)
    }

    /// Keeps the last answer from growing too old to be served while the cluster waits to be asked:
    /// a list says that nothing is going on, though something has.
    pub(super) fn keep_servable(&mut self) {
        if let Some(last_success) = &mut self.cached.last_success {
            last_success.fresh = Instant::now();
        }
    }

    /// Takes the last answer for a fresh one in `collection`: a list says that nothing is going on.
    pub(super) fn mark_idle_confirmed(&mut self, collection: u64, now: Timestamp) {
        self.asked = collection;
        if let Some(last_success) = &mut self.cached.last_success {
            last_success.fresh = Instant::now();
            last_success.fresh_at = now;
        }
    }

    /// Takes the result of the query that took off as `in_flight` and has ended after `duration`.
    pub(super) fn finish(
        &mut self,
        result: Result<UpgradeState, Failure>,
        in_flight: &InFlight,
        duration: Duration,
        now: Timestamp,
    ) -> StateChange {
        let ended = Instant::now();
        self.cached.last_query = Some(LastQuery {
            failure: result.as_ref().err().cloned(),
            duration,
            ended,
        });
        let Ok(state) = result else {
            return StateChange::Unchanged;
        };
        self.cached.calls = Some(in_flight.budget.calls().max(1));
        let same = self
            .cached
            .last_success
            .as_ref()
            .is_some_and(|last_success| last_success.state.is_same_state(&state));
        let since = self
            .cached
            .last_success
            .as_ref()
            .filter(|_| same)
            .map_or(now, |last_success| last_success.since);
        let change = match (&self.cached.last_success, same) {
            (None, _) => StateChange::First,
            (Some(_), false) => StateChange::Changed,
            (Some(_), true) => StateChange::Unchanged,
        };
        // An unchanged state keeps its allocation, which snapshots share.
        let state = match &self.cached.last_success {
            Some(last_success) if *last_success.state == state => Arc::clone(&last_success.state),
            _ => Arc::new(state),
        };
        self.cached.last_success = Some(LastSuccess {
            state,
            read: ended,
            fresh: ended,
            fresh_at: now,
            since,
            changed: in_flight.changed,
        });
        change
    }

    /// What `trigger` is told at `now` of this cluster, which was `asked` for it or was not. A query
    /// that started at `end`, when the trigger went, or later was not for it. Nor is it a failure
    /// yet that there is no answer to a query that has waited for the account's own rate limit, or
    /// that the API has not had for its share of the time.
    pub(super) fn reading(
        &self,
        trigger: Trigger,
        end: Instant,
        asked: bool,
        blocked_by: BlockedBy,
        max_age: Duration,
        now: Instant,
    ) -> ClusterReading {
        let in_flight = if trigger == Trigger::Probe {
            self.in_flight.as_ref()
        } else {
            self.awaited()
        };
        let asked = asked && in_flight.is_none();
        let in_flight = in_flight.filter(|in_flight| in_flight.started < end);
        let outcome =
            match in_flight.map(|in_flight| (in_flight.budget.stage(now), in_flight.share)) {
                Some(((Stage::Retrying(error), _), _)) => Outcome::Down(Failure::of(&error)),
                Some(((Stage::Asking, elapsed), share)) if elapsed >= share => {
                    down(Reason::Timeout, "no answer within the scrape's budget")
                }
                Some(((Stage::HeldUp, _), _)) => self.outcome(false, BlockedBy::RateLimit, max_age),
                Some(((Stage::Asking, _), _)) | None => self.outcome(asked, blocked_by, max_age),
            };
        let flown = in_flight.map(|in_flight| now.saturating_duration_since(in_flight.started));
        let known = self.cached.last_success.as_ref();
        ClusterReading {
            cluster: Arc::clone(&self.target.info),
            since: known
                .filter(|_| matches!(outcome, Outcome::Up(_)))
                .map(|last_success| last_success.since),
            outcome,
            duration: flown.or(self.cached.last_query.as_ref().map(|last| last.duration)),
            last_success: known.map(|last_success| last_success.fresh_at),
        }
    }

    fn outcome(&self, asked: bool, blocked_by: BlockedBy, max_age: Duration) -> Outcome {
        match (&self.cached.last_query, &self.cached.last_success) {
            (None, _) if blocked_by == BlockedBy::Concurrency => down(
                Reason::Timeout,
                "not asked: all queries that may be under way wait for the vendor",
            ),
            (None, _) => Outcome::NotAsked,
            (
                Some(LastQuery {
                    failure: Some(failure),
                    ..
                }),
                _,
            ) => Outcome::Down(failure.clone()),
            (Some(_), Some(last_success)) if asked || last_success.fresh.elapsed() <= max_age => {
                Outcome::Up(Arc::clone(&last_success.state))
            }
            _ => match blocked_by {
                BlockedBy::RateLimit => down(
                    Reason::RateLimited,
                    "not asked for longer than scrape.max_age: the account's rate_limit is too low",
                ),
                BlockedBy::Concurrency => down(
                    Reason::Timeout,
                    "not asked for longer than scrape.max_age: the vendor is too slow",
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
