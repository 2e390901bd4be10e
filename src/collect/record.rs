//! What is remembered of one cluster from scrape to scrape.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::api::{ApiError, Reason};
use crate::config::Endpoint;
use crate::snapshot::{ClusterInfo, ClusterReading, Failure, Outcome};
use crate::source::UpgradeSource;
use crate::upgrade::UpgradeState;

/// A cluster and the way to it.
#[derive(Debug, Clone)]
pub struct Target {
    /// The cluster.
    pub info: Arc<ClusterInfo>,
    /// The server that knows it.
    pub endpoint: Endpoint,
    /// Who reads its state.
    pub source: Arc<dyn UpgradeSource>,
}

/// One cluster of a lane.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) info: Arc<ClusterInfo>,
    pub(super) endpoint: Endpoint,
    pub(super) source: Arc<dyn UpgradeSource>,
    /// The round in which it was asked last; 0 is never.
    pub(super) asked: u64,
    /// The query under way.
    pub(super) flight: Option<Flight>,
    last: Option<LastQuery>,
    good: Option<Good>,
}

/// A query under way.
#[derive(Debug, Clone)]
pub(super) struct Flight {
    pub(super) started: Instant,
    pub(super) call_off: CancellationToken,
}

#[derive(Debug, Clone)]
struct LastQuery {
    failure: Option<Failure>,
    duration: Duration,
}

/// The last answer.
#[derive(Debug, Clone)]
struct Good {
    state: Arc<UpgradeState>,
    read: Instant,
    read_at: Timestamp,
    /// When this status and step were first seen.
    since: Timestamp,
}

/// Why a cluster was left out of a round so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    /// The bucket is empty.
    ForTicket,
    /// All queries that may be under way are, and the vendor is silent.
    ForSlot,
}

/// What changed with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// There was no answer before.
    First,
    /// Status or step differ from the answer before.
    State,
    /// Nothing that anybody would want a line in the log for.
    Nothing,
}

impl Record {
    pub(super) fn new(target: Target) -> Self {
        let Target { info, endpoint, source } = target;
        Self { info, endpoint, source, asked: 0, flight: None, last: None, good: None }
    }

    /// The last answer.
    pub(super) fn known(&self) -> Option<Arc<UpgradeState>> {
        self.good.as_ref().map(|good| Arc::clone(&good.state))
    }

    /// Whether there was an answer after `instant`.
    pub(super) fn has_answered_since(&self, instant: Instant) -> bool {
        !self.is_failing() && self.good.as_ref().is_some_and(|good| good.read > instant)
    }

    /// Whether the last query failed.
    pub(super) fn is_failing(&self) -> bool {
        self.last.as_ref().is_some_and(|last| last.failure.is_some())
    }

    pub(super) fn failure(&self) -> Option<&Failure> {
        self.last.as_ref().and_then(|last| last.failure.as_ref())
    }

    /// Takes the answer of the query that `flight` was.
    pub(super) fn finish(&mut self, result: Result<UpgradeState, ApiError>, duration: Duration, now: Timestamp) -> Change {
        self.flight = None;
        let failure = result.as_ref().err().map(|error| Failure { reason: error.reason(), message: error.to_string() });
        self.last = Some(LastQuery { failure, duration });
        let Ok(state) = result else { return Change::Nothing };
        let same = self.good.as_ref().is_some_and(|good| good.state.status == state.status && good.state.step == state.step);
        let since = self.good.as_ref().filter(|_| same).map_or(now, |good| good.since);
        let change = match (&self.good, same) {
            (None, _) => Change::First,
            (Some(_), false) => Change::State,
            (Some(_), true) => Change::Nothing,
        };
        // An unchanged state keeps its allocation, which snapshots share.
        let state = match &self.good {
            Some(good) if *good.state == state => Arc::clone(&good.state),
            _ => Arc::new(state),
        };
        self.good = Some(Good { state, read: Instant::now(), read_at: now, since });
        change
    }

    /// What the page of `round` says of this cluster.
    pub(super) fn reading(&self, round: u64, waiting: Waiting, max_age: Duration) -> ClusterReading {
        let outcome = self.outcome(round, waiting, max_age);
        let flown = self.flight.as_ref().map(|flight| flight.started.elapsed());
        let known = self.good.as_ref();
        ClusterReading {
            cluster: Arc::clone(&self.info),
            since: known.filter(|_| matches!(outcome, Outcome::Up(_))).map(|good| good.since),
            outcome,
            duration: flown.or(self.last.as_ref().map(|last| last.duration)),
            last_success: known.map(|good| good.read_at),
        }
    }

    fn outcome(&self, round: u64, waiting: Waiting, max_age: Duration) -> Outcome {
        if self.flight.is_some() {
            return down(Reason::Timeout, "no answer within the scrape's budget");
        }
        let asked = self.asked >= round;
        match (&self.last, &self.good) {
            (None, _) if waiting == Waiting::ForSlot => {
                down(Reason::Timeout, "not asked: all queries that may be under way wait for the vendor")
            }
            (None, _) => Outcome::NotAsked,
            (Some(LastQuery { failure: Some(failure), .. }), _) => Outcome::Down(failure.clone()),
            (Some(_), Some(good)) if asked || good.read.elapsed() <= max_age => Outcome::Up(Arc::clone(&good.state)),
            _ => match waiting {
                Waiting::ForTicket => {
                    down(Reason::RateLimited, "not asked for longer than scrape.max_age: the account's rate_limit is too low")
                }
                Waiting::ForSlot => down(Reason::Timeout, "not asked for longer than scrape.max_age: the vendor is too slow"),
            },
        }
    }

    /// Takes over what an earlier record knew of the same cluster.
    pub(super) fn inherit(&mut self, earlier: &Self) {
        self.last.clone_from(&earlier.last);
        self.good.clone_from(&earlier.good);
    }
}

fn down(reason: Reason, message: &str) -> Outcome {
    Outcome::Down(Failure { reason, message: message.to_owned() })
}
