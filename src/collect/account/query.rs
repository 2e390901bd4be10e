//! The query of one cluster, from its start to the result that is recorded and logged.

use std::sync::Arc;
use std::time::Duration;

use ack_client::ApiError;
use ack_client::names::ClusterId;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::AccountCollector;
use crate::collect::demand::{Demand, MIN_QUERY_TIME};
use crate::collect::entry::{ClusterEntry, InFlight, Now, Recorded, StateChange, Target, Trigger};
use crate::collect::fetching::fetch;
use crate::log::QUERY_TARGET;
use crate::queries::FetchContext;
use crate::upgrade::UpgradeState;

impl AccountCollector {
    /// Claims the cluster for `demand`. Returns the number of calls that its query will most likely
    /// take; None if the cluster is gone or need not be queried.
    pub(super) fn claim(&self, id: &ClusterId, demand: &Demand) -> Option<u32> {
        let mut table = self.lock();
        let entry = table.entries.get_mut(id)?;
        entry.claim(demand).then(|| entry.expected_calls())
    }

    /// Starts the query of a cluster; None if it is not needed any more, or if one is in flight.
    pub(super) fn start_query(
        self: &Arc<Self>,
        id: &ClusterId,
        demand: &Demand,
        trigger: Trigger,
    ) -> Option<QueryTask> {
        let mut table = self.lock();
        let now = Instant::now();
        let share = table
            .fair_share
            .share(now, demand.length)
            .min(demand.length.max(MIN_QUERY_TIME));
        let number = table.next_query_number();
        let entry = table.entries.get_mut(id)?;
        let is_needed = match trigger {
            Trigger::Scrape => entry.claim(demand),
            Trigger::Probe => entry.in_flight().is_none(),
        };
        if !is_needed {
            return None;
        }
        let cancelled = self.tasks.stop.child_token();
        let in_flight = entry.start_query(number, demand, trigger, share, now, cancelled);
        Some(QueryTask::new(Arc::clone(self), entry, in_flight))
    }
}

/// The query of one cluster.
#[derive(Debug)]
pub(super) struct QueryTask {
    account: Arc<AccountCollector>,
    target: Target,
    previous: Option<Arc<UpgradeState>>,
    in_flight: Arc<InFlight>,
}

impl QueryTask {
    /// The query `in_flight` of the cluster of `entry`.
    pub(super) fn new(
        account: Arc<AccountCollector>,
        entry: &ClusterEntry,
        in_flight: Arc<InFlight>,
    ) -> Self {
        Self {
            account,
            target: entry.target.clone(),
            previous: entry.last_state().cloned(),
            in_flight,
        }
    }

    pub(super) fn in_flight(&self) -> &Arc<InFlight> {
        &self.in_flight
    }

    /// Runs the query within its budget, holding `permit` until there is a response.
    pub(super) async fn run(self, permit: OwnedSemaphorePermit) {
        let budget = &self.in_flight.budget;
        let Target {
            info,
            endpoint,
            query,
            ..
        } = &self.target;
        let context = FetchContext::new(self.account.client(), endpoint, budget);
        let result = fetch(query, &info.id, context, self.previous.as_deref()).await;
        budget.release();
        drop(permit);
        self.record_result(result);
    }

    /// Records the result, and logs what it changes.
    fn record_result(&self, result: Result<UpgradeState, ApiError>) {
        let now = Now::of(self.account.clock);
        let duration = now
            .instant
            .saturating_duration_since(self.in_flight.started);
        let is_stopping = self.account.tasks.stop.is_cancelled();
        let mut table = self.account.lock();
        let recorded = table.record_result(
            &self.target.info.id,
            &self.in_flight,
            result,
            duration,
            now,
            is_stopping,
        );
        if let Some((entry, recorded)) = recorded {
            log(entry, recorded, duration);
        }
    }
}

fn log(entry: &ClusterEntry, recorded: Recorded, duration: Duration) {
    let info = &entry.target.info;
    let failure = entry.failure();
    match (recorded.previous_failure, failure) {
        (previous, Some(failure)) if previous != Some(failure.reason) => {
            tracing::warn!(
                cluster = %info.id,
                account = %info.account,
                reason = failure.reason.as_str(),
                error = %failure.message,
                "cluster does not answer"
            );
        }
        (Some(_), None) => {
            tracing::info!(cluster = %info.id, account = %info.account, "cluster answers again");
        }
        _ => {}
    }
    tracing::debug!(
        target: QUERY_TARGET,
        cluster = %info.id,
        account = %info.account,
        outcome = failure.map_or("ok", |failure| failure.reason.as_str()),
        seconds = duration.as_secs_f64(),
        "query ended"
    );
    let Some(state) = entry.last_state() else {
        return;
    };
    let (status, step) = (state.status.as_str(), state.step.as_str());
    match recorded.change {
        StateChange::First => {
            tracing::debug!(
                cluster = %info.id,
                name = %info.name,
                account = %info.account,
                status,
                step,
                "upgrade state read"
            );
        }
        StateChange::Changed => {
            tracing::info!(
                cluster = %info.id,
                name = %info.name,
                account = %info.account,
                status,
                step,
                "upgrade state changed"
            );
        }
        StateChange::Unchanged => {}
    }
}

#[cfg(test)]
mod tests;
