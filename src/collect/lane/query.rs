//! One cluster's query, from take-off to what is remembered and logged of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::Lane;
use crate::api::{ApiError, Budget, ErrorKind, Operation, Ticket};
use crate::collect::record::{Change, Flight, Record, Target};
use crate::log::QUERIES;
use crate::names::ClusterId;
use crate::source::Question;
use crate::upgrade::{StateSet as _, UpgradeState};

/// One cluster's query.
#[derive(Debug)]
pub(super) struct Query {
    target: Target,
    known: Option<Arc<UpgradeState>>,
    landing: Landing,
}

impl Query {
    /// The query of `record`'s cluster.
    pub(super) fn new(record: &Record, landing: Landing) -> Self {
        Self { target: record.target.clone(), known: record.known(), landing }
    }

    /// Asks, and holds `place` until the answer is there.
    pub(super) async fn run(mut self, budget: Budget, ticket: Ticket, place: OwnedSemaphorePermit) {
        let question = Question {
            cluster: &self.target.info.id,
            endpoint: &self.target.endpoint,
            budget: &budget,
            ticket: Some(ticket),
            known: self.known.as_deref(),
        };
        let answer = self.target.source.read(question).await;
        self.landing.result = Some(answer);
        drop(place);
    }
}

/// Ends a flight when it goes out of scope, so that a query that panics is that cluster's failure and nothing else.
#[derive(Debug)]
pub(super) struct Landing {
    lane: Arc<Lane>,
    id: ClusterId,
    flight: Flight,
    stop: CancellationToken,
    result: Option<Result<UpgradeState, ApiError>>,
}

impl Landing {
    /// The end of this flight of `id`, unless all ends with `stop`.
    pub(super) fn new(lane: Arc<Lane>, id: ClusterId, flight: Flight, stop: CancellationToken) -> Self {
        Self { lane, id, flight, stop, result: None }
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let result = self.result.take().unwrap_or_else(|| {
            Err(ApiError::local(Operation::GetUpgradeStatus, ErrorKind::Rejected, "the query ended without a result; please report this"))
        });
        let now = self.lane.clock.now();
        let (elapsed, answered) = (self.flight.started.elapsed(), result.is_ok());
        let heard = result.as_ref().is_err_and(|error| error.status.is_some());
        let mut roster = self.lane.lock();
        // Gone from the list in the meantime, or gone and back: nobody waits for this answer.
        let record = roster.records.get_mut(&self.id);
        if let Some(record) = record.filter(|record| record.flight.as_ref().is_some_and(|flight| flight.started == self.flight.started)) {
            record.flight = None;
            // What ends with all others has not failed.
            if answered || !self.stop.is_cancelled() {
                land(record, result, elapsed, now, self.flight.changed);
            }
            if answered {
                roster.patience.answered(elapsed);
            } else if heard {
                roster.patience.heard();
            }
        }
        drop(roster);
        self.lane.progress.land(self.flight.awaited.load(Ordering::Relaxed));
    }
}

/// Takes the answer, with one line in the log for what changed.
fn land(record: &mut Record, result: Result<UpgradeState, ApiError>, elapsed: Duration, now: Timestamp, changed: Option<Timestamp>) {
    let before = record.failure().map(|failure| failure.reason);
    let words = result.as_ref().ok().map(|state| (state.status.as_str(), state.step.as_str()));
    let change = record.finish(result, elapsed, now, changed);
    let info = &record.target.info;
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
