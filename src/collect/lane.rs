//! One account's clusters, asked in order of need within the account's limits.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::record::{Change, Flight, Record, Target, Waiting};
use crate::api::{ApiError, Budget, Client, Deadline, ErrorKind, Operation, Ticket};
use crate::clock::Clock;
use crate::config::Endpoint;
use crate::log::QUERIES;
use crate::names::{AccountName, Region};
use crate::snapshot::{AccountReading, ClusterInfo, ClusterReading};
use crate::source::{Question, UpgradeSource};
use crate::upgrade::{StateSet as _, UpgradeState};

/// A query may use the whole budget, unless others wait for its place: then it has this part of it.
const FAIR_SHARE: u32 = 4;

/// One account and its clusters.
#[derive(Debug)]
pub struct Lane {
    account: AccountName,
    client: Arc<Client>,
    clock: Clock,
    /// Queries that may be under way at once.
    places: Arc<Semaphore>,
    state: Mutex<State>,
    progress: watch::Sender<Progress>,
}

#[derive(Debug)]
struct State {
    records: Vec<Record>,
    waiting: Waiting,
    /// How long an answer takes, smoothed; zero before the first.
    typical: Duration,
}

/// How far the newest round is.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    /// The newest round in which nobody is left to be asked.
    asked: u64,
    /// Queries under way, of whichever round.
    in_flight: usize,
}

/// What a lane needs to start a round.
#[derive(Debug)]
pub(super) struct Start<'a> {
    /// The round's number; later rounds have higher ones.
    pub(super) number: u64,
    /// When those who wait for it go.
    pub(super) deadline: &'a Deadline,
    /// Cancelled when the next round takes over.
    pub(super) superseded: &'a CancellationToken,
    /// Where tasks are run.
    pub(super) tasks: &'a TaskTracker,
    /// Cancelled when the collector ends.
    pub(super) stop: &'a CancellationToken,
}

/// A round that has been started in one lane.
#[derive(Debug)]
pub(super) struct Started {
    round: u64,
    progress: watch::Receiver<Progress>,
}

impl Started {
    /// Waits until every cluster has been asked and has answered or failed, in this round or in one that took over.
    pub(super) async fn finished(mut self) {
        let round = self.round;
        // The sender lives in the lane; without it there is nobody left to wait for.
        drop(self.progress.wait_for(|progress| progress.asked >= round && progress.in_flight == 0).await);
    }
}

/// What the queries of one round share.
#[derive(Debug, Clone)]
struct Round {
    number: u64,
    started: Instant,
    deadline: Deadline,
    length: Duration,
}

impl Lane {
    /// A lane that asks through `client`, at most `max_concurrency` queries at once.
    pub fn new(account: AccountName, client: Arc<Client>, clock: Clock, max_concurrency: usize, targets: Vec<Target>) -> Arc<Self> {
        let records = targets.into_iter().map(Record::new).collect();
        Arc::new(Self {
            account,
            client,
            clock,
            places: Arc::new(Semaphore::new(max_concurrency)),
            state: Mutex::new(State { records, waiting: Waiting::ForTicket, typical: Duration::ZERO }),
            progress: watch::Sender::default(),
        })
    }

    /// The account's name.
    pub fn name(&self) -> &AccountName {
        &self.account
    }

    /// How many clusters the limit covers within `budget`, burst aside, and how many there are.
    pub fn coverage(&self, budget: Duration) -> (f64, usize) {
        (self.client.limiter().requests_per_second() * budget.as_secs_f64(), self.lock().records.len())
    }

    /// What is known of the account.
    pub fn account(&self) -> AccountReading {
        AccountReading {
            account: self.account.clone(),
            provider: self.client.credentials().provider(),
            credentials_expiry: self.client.credentials().expires_at(),
            sources: self.sources_in_use(),
            discoveries: Vec::new(),
        }
    }

    /// The source in use by region, in the order of the regions' names.
    fn sources_in_use(&self) -> Vec<(String, &'static str)> {
        let state = self.lock();
        let regions: BTreeMap<_, _> =
            state.records.iter().map(|record| (record.info.region.as_ref().map_or("", Region::as_str), &record.source)).collect();
        regions.into_iter().filter_map(|(region, source)| Some((region.to_owned(), source.in_use()?.as_str()))).collect()
    }

    /// Starts a round: every cluster is asked, the oldest reading first. A round that still runs hands over; its queries
    /// go on, and what they answer counts for this one, unless they have been silent for long.
    pub(super) fn begin(self: &Arc<Self>, start: &Start<'_>) -> Started {
        let started = Instant::now();
        let length = start.deadline.instant().saturating_duration_since(started);
        let round = Round { number: start.number, started, deadline: start.deadline.clone(), length };
        let order = {
            let mut state = self.lock();
            state.waiting = Waiting::ForTicket;
            state.call_off_silent(&round);
            state.order()
        };
        let started = Started { round: start.number, progress: self.progress.subscribe() };
        let (lane, queries, stop, superseded) = (Arc::clone(self), start.tasks.clone(), start.stop.clone(), start.superseded.clone());
        start.tasks.spawn(async move {
            tokio::select! {
                () = lane.drive(&round, order, &queries, &stop) => {}
                () = superseded.cancelled() => {}
            }
        });
        started
    }

    /// Asks the clusters in `order`, each as soon as the limits allow.
    async fn drive(self: &Arc<Self>, round: &Round, order: Vec<usize>, queries: &TaskTracker, stop: &CancellationToken) {
        let mut oldest = VecDeque::new();
        for index in order {
            let place = self.place(round, &mut oldest).await;
            let ticket = self.client.limiter().admit().await;
            self.wait_out(round).await;
            let flight = Flight { started: Instant::now(), call_off: stop.child_token() };
            let Some(query) = self.take_off(round, index, &flight) else { continue };
            oldest.push_back((index, flight.clone()));
            let budget = round.budget(flight.call_off);
            queries.spawn(query.run(budget, ticket, place));
        }
        self.progress.send_modify(|progress| progress.asked = progress.asked.max(round.number));
    }

    /// Lets the waiters go first if a query that starts now would most likely be cut off by their deadline: a cluster
    /// that was not asked can be served from memory, one that did not answer cannot.
    async fn wait_out(&self, round: &Round) {
        let typical = self.lock().typical;
        let end = round.deadline.instant();
        if Instant::now() < end && Instant::now() + 2 * typical > end {
            round.deadline.passed().await;
        }
    }

    /// Waits for a free place. While there is none, the query that has been under way longest gives its place up as
    /// soon as it has had its share, so that a few silent clusters do not keep the others from being asked.
    async fn place(&self, round: &Round, oldest: &mut VecDeque<(usize, Flight)>) -> OwnedSemaphorePermit {
        let places = || Arc::clone(&self.places).acquire_owned();
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return place;
        }
        self.lock().waiting = Waiting::ForSlot;
        let place = loop {
            let Some((index, flight)) = oldest.front() else { break places().await };
            let end = flight.started + round.length / FAIR_SHARE;
            tokio::select! {
                biased;
                place = places() => break place,
                () = sleep_until(end), if self.is_under_way(*index, flight) => flight.call_off.cancel(),
                () = std::future::ready(()), if !self.is_under_way(*index, flight) => {}
            }
            oldest.pop_front();
        };
        self.lock().waiting = Waiting::ForTicket;
        place.expect("the semaphore is never closed")
    }

    fn is_under_way(&self, index: usize, flight: &Flight) -> bool {
        self.lock().records.get(index).and_then(|record| record.flight.as_ref()).is_some_and(|other| other.started == flight.started)
    }

    /// Marks a cluster as asked. None if a query of an earlier round is under way, or has answered in this one.
    fn take_off(self: &Arc<Self>, round: &Round, index: usize, flight: &Flight) -> Option<Query> {
        let mut state = self.lock();
        let record = state.records.get_mut(index)?;
        record.asked = round.number;
        if record.flight.is_some() || record.has_answered_since(round.started) {
            return None;
        }
        record.flight = Some(flight.clone());
        self.progress.send_modify(|progress| progress.in_flight += 1);
        Some(Query {
            info: Arc::clone(&record.info),
            endpoint: record.endpoint.clone(),
            source: Arc::clone(&record.source),
            known: record.known(),
            landing: Landing { lane: Arc::clone(self), index, started: flight.started, result: None },
        })
    }

    /// Adds what the page of `round` says of each cluster; whether every one of them has been asked in it and has ended.
    pub(super) fn readings(&self, round: u64, max_age: Duration, out: &mut Vec<ClusterReading>) -> bool {
        let state = self.lock();
        out.extend(state.records.iter().map(|record| record.reading(round, state.waiting, max_age)));
        state.records.iter().all(|record| record.asked >= round && record.flight.is_none())
    }

    /// Takes over what `earlier` knew of the same clusters.
    pub fn inherit(&self, earlier: &Self) {
        let earlier = earlier.lock();
        let known: std::collections::HashMap<_, _> = earlier.records.iter().map(|record| (&record.info.id, record)).collect();
        for record in &mut self.lock().records {
            if let Some(earlier) = known.get(&record.info.id) {
                record.inherit(earlier);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Ends the queries of earlier rounds that have had more than their share; their clusters are asked anew.
    fn call_off_silent(&self, round: &Round) {
        let flights = self.records.iter().filter_map(|record| record.flight.as_ref());
        for flight in flights.filter(|flight| flight.started.elapsed() > round.length / FAIR_SHARE) {
            flight.call_off.cancel();
        }
    }

    /// Those that were left out of the last round come first, and among those of one round the ones that answered: a
    /// cluster that is silent must not cost the others their place.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.records.len()).collect();
        order.sort_by_key(|index| (self.records[*index].asked, self.records[*index].is_failing()));
        order
    }
}

impl Round {
    /// Until the waiters' deadline; a query that starts after it has as long as the round had.
    fn budget(&self, call_off: CancellationToken) -> Budget {
        let now = Instant::now();
        let deadline = if now < self.deadline.instant() { self.deadline.clone() } else { Deadline::at(now + self.length) };
        Budget::new(deadline, call_off)
    }
}

/// One cluster's query.
#[derive(Debug)]
struct Query {
    info: Arc<ClusterInfo>,
    endpoint: Endpoint,
    source: Arc<dyn UpgradeSource>,
    known: Option<Arc<UpgradeState>>,
    landing: Landing,
}

impl Query {
    async fn run(mut self, budget: Budget, ticket: Ticket, place: OwnedSemaphorePermit) {
        let question = Question {
            cluster: &self.info.id,
            endpoint: &self.endpoint,
            budget: &budget,
            ticket: Some(ticket),
            known: self.known.as_deref(),
        };
        let answer = self.source.read(question).await;
        self.landing.result = Some(answer);
        drop(place);
    }
}

/// Ends a flight when it goes out of scope, so that a query that panics is that cluster's failure and nothing else.
#[derive(Debug)]
struct Landing {
    lane: Arc<Lane>,
    index: usize,
    started: Instant,
    result: Option<Result<UpgradeState, ApiError>>,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let result = self.result.take().unwrap_or_else(|| {
            Err(ApiError::local(Operation::GetUpgradeStatus, ErrorKind::Rejected, "the query ended without a result; please report this"))
        });
        let now = self.lane.clock.now();
        {
            let mut state = self.lane.lock();
            if let Some(record) = state.records.get_mut(self.index) {
                let (elapsed, answered) = (self.started.elapsed(), result.is_ok());
                land(record, result, elapsed, now);
                if answered {
                    state.typical = (state.typical * 7 + elapsed) / 8;
                }
            }
        }
        self.lane.progress.send_modify(|progress| progress.in_flight -= 1);
    }
}

/// Takes the answer, with one line in the log for what changed.
fn land(record: &mut Record, result: Result<UpgradeState, ApiError>, elapsed: Duration, now: jiff::Timestamp) {
    let before = record.failure().map(|failure| failure.reason);
    let words = result.as_ref().ok().map(|state| (state.status.as_str(), state.step.as_str()));
    let change = record.finish(result, elapsed, now);
    let info = &record.info;
    let after = record.failure();
    match (before, after) {
        (before, Some(failure)) if before != Some(failure.reason) => {
            tracing::warn!(cluster = %info.id, account = %info.account, reason = failure.reason.as_str(), error = %failure.message, "cluster does not answer");
        }
        (Some(_), None) => tracing::info!(cluster = %info.id, account = %info.account, "cluster answers again"),
        _ => {}
    }
    tracing::debug!(
        target: QUERIES,
        cluster = %info.id,
        account = %info.account,
        outcome = after.map_or("ok", |failure| failure.reason.as_str()),
        seconds = elapsed.as_secs_f64(),
        "query ended"
    );
    match (change, words) {
        (Change::State, Some((status, step))) => {
            tracing::info!(cluster = %info.id, name = %info.name, account = %info.account, status, step, "upgrade state changed");
        }
        (Change::First, Some((status, step))) => {
            tracing::debug!(cluster = %info.id, name = %info.name, account = %info.account, status, step, "upgrade state read");
        }
        _ => {}
    }
}
