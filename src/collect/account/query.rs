//! One cluster's query, from take-off to what is remembered and logged of it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ack_client::{ApiError, Budget, ErrorKind, Operation};
use futures_util::FutureExt as _;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::AccountCollector;
use crate::collect::entry::{ClusterEntry, InFlight, StateChange, Target};
use crate::log::QUERIES;
use crate::queries::upgrade::UpgradeQuery;
use crate::snapshot::Failure;
use crate::upgrade::{SourceName, UpgradeState};

/// One cluster's query.
#[derive(Debug)]
pub(in crate::collect) struct Query {
    account: Arc<AccountCollector>,
    target: Target,
    known: Option<Arc<UpgradeState>>,
    in_flight: InFlight,
    stop: CancellationToken,
}

impl Query {
    /// The query of `entry`'s cluster that takes off as `in_flight`, unless all ends with `stop`.
    pub(in crate::collect) fn new(
        account: Arc<AccountCollector>,
        entry: &ClusterEntry,
        in_flight: InFlight,
        stop: CancellationToken,
    ) -> Self {
        Self {
            account,
            target: entry.target.clone(),
            known: entry.last_state(),
            in_flight,
            stop,
        }
    }

    /// Asks within `budget`, and holds `place` until the answer is there. A query that panics is
    /// that cluster's failure and nothing else.
    pub(in crate::collect) async fn run(self, budget: Budget, place: OwnedSemaphorePermit) {
        let query = UpgradeQuery {
            cluster: &self.target.info.id,
            endpoint: &self.target.endpoint,
            budget: &budget,
            previous: self.known.as_deref(),
        };
        let answer = AssertUnwindSafe(async { self.target.source.fetch(query).await })
            .catch_unwind()
            .await;
        budget.release();
        drop(place);
        self.record_result(answer.unwrap_or_else(|_| Err(self.panicked())));
    }

    fn panicked(&self) -> ApiError {
        let operation = match self.target.source.in_use() {
            Some(SourceName::Tasks) => Operation::DescribeClusterTasks,
            Some(SourceName::UpgradeStatus) | None => Operation::GetUpgradeStatus,
        };
        ApiError::local(
            operation,
            ErrorKind::Rejected,
            "the query panicked; please report this",
        )
    }

    /// Remembers the result, with one line in the log for what changed.
    fn record_result(&self, result: Result<UpgradeState, ApiError>) {
        let now = self.account.clock.now();
        let duration = self.in_flight.started.elapsed();
        let words = result
            .as_ref()
            .ok()
            .map(|state| (state.status.as_str(), state.step.as_str()));
        let mut table = self.account.lock();
        let id = &self.target.info.id;
        let before = table
            .entries
            .get(id)
            .and_then(ClusterEntry::failure)
            .cloned();
        let change = table.record_result(
            id,
            &self.in_flight,
            result,
            duration,
            now,
            self.stop.is_cancelled(),
        );
        if let (Some(change), Some(entry)) = (change, table.entries.get(id)) {
            log(entry, before.as_ref(), change, words, duration);
        }
        drop(table);
        self.account
            .progress
            .query_ended(self.in_flight.awaited.load(Ordering::Relaxed));
    }
}

fn log(
    entry: &ClusterEntry,
    before: Option<&Failure>,
    change: StateChange,
    words: Option<(&'static str, &'static str)>,
    duration: Duration,
) {
    let info = &entry.target.info;
    let after = entry.failure();
    match (before, after) {
        (before, Some(failure)) if before.is_none_or(|before| before.reason != failure.reason) => {
            tracing::warn!(cluster = %info.id, account = %info.account, reason = failure.reason.as_str(), error = %failure.message, "cluster does not answer");
        }
        (Some(_), None) => {
            tracing::info!(cluster = %info.id, account = %info.account, "cluster answers again");
        }
        _ => {}
    }
    tracing::debug!(
        target: QUERIES,
        cluster = %info.id,
        account = %info.account,
        outcome = after.map_or("ok", |failure| failure.reason.as_str()),
        seconds = duration.as_secs_f64(),
        "query ended"
    );
    match (change, words) {
        (StateChange::Changed, Some((status, step))) => {
            tracing::info!(cluster = %info.id, name = %info.name, account = %info.account, status, step, "upgrade state changed");
        }
        (StateChange::First, Some((status, step))) => {
            tracing::debug!(cluster = %info.id, name = %info.name, account = %info.account, status, step, "upgrade state read");
        }
        _ => {}
    }
}
