//! What is remembered of one cluster from scrape to scrape.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ack_client::Endpoint;
use ack_client::{Budget, Deadline, Reason, Stage};
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::snapshot::{ClusterInfo, ClusterReading, Failure, Outcome};
use crate::source::UpgradeSource;
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
pub(super) struct Record {
    pub(super) target: Target,
    /// The round in which it was asked last, or needed no asking; 0 is never.
    pub(super) asked: u64,
    /// The query under way.
    pub(super) flight: Option<Flight>,
    /// When the cluster changed last, as the list has it.
    pub(super) changed: Option<Timestamp>,
    memory: Memory,
}

/// What outlives a change of the configuration.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    last: Option<LastQuery>,
    good: Option<Good>,
    /// Calls that the last answer took.
    calls: Option<u32>,
}

/// A query under way.
#[derive(Debug, Clone)]
pub(super) struct Flight {
    /// No two queries of an account have the same.
    pub(super) number: u64,
    pub(super) started: Instant,
    /// Put off by each round that waits for it.
    pub(super) deadline: Deadline,
    pub(super) call_off: CancellationToken,
    pub(super) budget: Budget,
    /// How long the API has until its silence is a time-out.
    pub(super) share: Duration,
    /// The round in which the cluster was asked before.
    pub(super) asked_before: u64,
    /// Whether a round waits for it, and not only somebody who wants this cluster.
    pub(super) awaited: Arc<AtomicBool>,
    /// When the cluster had changed last, as the list had it when the query started.
    pub(super) changed: Option<Timestamp>,
}

/// Who reads what is known of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// The page of a round.
    Page,
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
struct Good {
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

/// Why a cluster was left out of a round so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    /// The bucket is empty.
    ForToken,
    /// All queries that may be under way are, and the vendor is silent.
    ForPlace,
}

/// What changed with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// There was no answer before.
    First,
    /// Status, step or task differ from the answer before.
    State,
    /// Nothing that anybody would want a line in the log for.
    Nothing,
}

impl Record {
    pub(super) fn new(target: Target, memory: Memory) -> Self {
        Self {
            target,
            asked: 0,
            flight: None,
            changed: None,
            memory,
        }
    }

    /// All that is remembered.
    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The last answer.
    pub(super) fn known(&self) -> Option<Arc<UpgradeState>> {
        self.memory
            .good
            .as_ref()
            .map(|good| Arc::clone(&good.state))
    }

    /// The query under way that a round waits for.
    pub(super) fn awaited(&self) -> Option<&Flight> {
        self.flight
            .as_ref()
            .filter(|flight| flight.awaited.load(Ordering::Relaxed))
    }

    /// True if the query under way is the one of this number.
    pub(super) fn has_flight(&self, number: u64) -> bool {
        self.flight
            .as_ref()
            .is_some_and(|flight| flight.number == number)
    }

    /// Whether there was an answer after `instant`.
    pub(super) fn has_answered_since(&self, instant: Instant) -> bool {
        !self.is_failing()
            && self
                .memory
                .good
                .as_ref()
                .is_some_and(|good| good.read > instant)
    }

    /// True if a query has ended at `instant` or later that was more than a wait for the rate
    /// limit.
    pub(super) fn has_ended_since(&self, instant: Instant) -> bool {
        self.memory
            .last
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
        self.memory.calls.unwrap_or(usual)
    }

    /// Whether the last query failed.
    pub(super) fn is_failing(&self) -> bool {
        self.memory
            .last
            .as_ref()
            .is_some_and(|last| last.failure.is_some())
    }

    pub(super) fn failure(&self) -> Option<&Failure> {
        self.memory
            .last
            .as_ref()
            .and_then(|last| last.failure.as_ref())
    }

    /// Whether the list says that something has changed since the last answer: an upgrade may have
    /// begun and ended unseen.
    pub(super) fn has_changed(&self) -> bool {
        self.memory
            .good
            .as_ref()
            .is_some_and(|good| good.changed != self.changed)
    }

    /// When the last answer was read, if it says that nothing is going on and nothing has failed
    /// since.
    pub(super) fn idle_since_reading(&self) -> Option<Instant> {
        self.memory
            .good
            .as_ref()
            .filter(|good| good.state.status.is_idle() && !self.is_failing())
            .map(|good| good.read)
    }

    /// Keeps the last answer from growing too old to be served while the cluster waits to be asked:
    /// a list says that nothing is going on, though something has.
    pub(super) fn keep(&mut self) {
        if let Some(good) = &mut self.memory.good {
            good.fresh = Instant::now();
        }
    }

    /// Takes the last answer for a fresh one in `round`: a list says that nothing is going on.
    pub(super) fn confirm(&mut self, round: u64, now: Timestamp) {
        self.asked = round;
        if let Some(good) = &mut self.memory.good {
            good.fresh = Instant::now();
            good.fresh_at = now;
        }
    }

    /// Takes the result of the query that took off as `flight` and has ended after `duration`.
    pub(super) fn finish(
        &mut self,
        result: Result<UpgradeState, Failure>,
        flight: &Flight,
        duration: Duration,
        now: Timestamp,
    ) -> Change {
        let ended = Instant::now();
        self.memory.last = Some(LastQuery {
            failure: result.as_ref().err().cloned(),
            duration,
            ended,
        });
        let Ok(state) = result else {
            return Change::Nothing;
        };
        self.memory.calls = Some(flight.budget.calls().max(1));
        let same = self
            .memory
            .good
            .as_ref()
            .is_some_and(|good| good.state.is_same_state(&state));
        let since = self
            .memory
            .good
            .as_ref()
            .filter(|_| same)
            .map_or(now, |good| good.since);
        let change = match (&self.memory.good, same) {
            (None, _) => Change::First,
            (Some(_), false) => Change::State,
            (Some(_), true) => Change::Nothing,
        };
        // An unchanged state keeps its allocation, which snapshots share.
        let state = match &self.memory.good {
            Some(good) if *good.state == state => Arc::clone(&good.state),
            _ => Arc::new(state),
        };
        self.memory.good = Some(Good {
            state,
            read: ended,
            fresh: ended,
            fresh_at: now,
            since,
            changed: flight.changed,
        });
        change
    }

    /// What `reader` is told at `now` of this cluster, which was `asked` for it or was not. A query
    /// that started at `end`, when the reader went, or later was not for it. Nor is it a failure
    /// yet that there is no answer to a query that has waited for the account's own rate limit, or
    /// that the API has not had for its share of the time.
    pub(super) fn reading(
        &self,
        reader: Reader,
        end: Instant,
        asked: bool,
        waiting: Waiting,
        max_age: Duration,
        now: Instant,
    ) -> ClusterReading {
        let flight = if reader == Reader::Probe {
            self.flight.as_ref()
        } else {
            self.awaited()
        };
        let asked = asked && flight.is_none();
        let flight = flight.filter(|flight| flight.started < end);
        let outcome = match flight.map(|flight| (flight.budget.stage(now), flight.share)) {
            Some(((Stage::BackingOff(error), _), _)) => Outcome::Down(Failure::of(&error)),
            Some(((Stage::AwaitingResponse, elapsed), share)) if elapsed >= share => {
                down(Reason::Timeout, "no answer within the scrape's budget")
            }
            Some(((Stage::AwaitingRateLimit, _), _)) => {
                self.outcome(false, Waiting::ForToken, max_age)
            }
            Some(((Stage::AwaitingResponse, _), _)) | None => self.outcome(asked, waiting, max_age),
        };
        let flown = flight.map(|flight| now.saturating_duration_since(flight.started));
        let known = self.memory.good.as_ref();
        ClusterReading {
            cluster: Arc::clone(&self.target.info),
            since: known
                .filter(|_| matches!(outcome, Outcome::Up(_)))
                .map(|good| good.since),
            outcome,
            duration: flown.or(self.memory.last.as_ref().map(|last| last.duration)),
            last_success: known.map(|good| good.fresh_at),
        }
    }

    fn outcome(&self, asked: bool, waiting: Waiting, max_age: Duration) -> Outcome {
        match (&self.memory.last, &self.memory.good) {
            (None, _) if waiting == Waiting::ForPlace => down(
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
            (Some(_), Some(good)) if asked || good.fresh.elapsed() <= max_age => {
                Outcome::Up(Arc::clone(&good.state))
            }
            _ => match waiting {
                Waiting::ForToken => down(
                    Reason::RateLimited,
                    "not asked for longer than scrape.max_age: the account's rate_limit is too low",
                ),
                Waiting::ForPlace => down(
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
