//! One cluster, asked by somebody who wants no other.

use std::sync::Arc;
use std::time::Duration;

use ack_client::names::ClusterId;
use ack_client::{self, ApiError, Deadline, Explained, Trace};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::AccountCollector;
use super::collection::AccountCollection;
use crate::collect::entry::{BlockedBy, Trigger};
use crate::snapshot::{ClusterInfo, ClusterReading};
use crate::upgrade::SourceName;

/// What an account needs to ask one cluster.
#[derive(Debug)]
pub(in crate::collect) struct Probe<'a> {
    /// The number of the newest collection.
    pub(in crate::collect) collection: u64,
    /// When the one who asks goes.
    pub(in crate::collect) deadline: Instant,
    /// How old a reading may be that stands in where the limits leave no room.
    pub(in crate::collect) max_age: Duration,
    /// Where exchanges are noted.
    pub(in crate::collect) trace: Option<&'a Trace>,
    /// Where tasks are run.
    pub(in crate::collect) tasks: &'a TaskTracker,
    /// Cancelled when the collector ends.
    pub(in crate::collect) stop: &'a CancellationToken,
}

impl AccountCollector {
    /// The first cluster of this account that is as `wanted`.
    pub(in crate::collect) fn find(
        &self,
        wanted: impl Fn(&ClusterInfo) -> bool,
    ) -> Option<ClusterId> {
        let table = self.lock();
        let found = table
            .entries
            .values()
            .map(|entry| &entry.target.info)
            .find(|info| wanted(info));
        found.map(|info| info.id.clone())
    }

    /// What asking for `id` would send, under either source.
    pub(in crate::collect) async fn explain(
        &self,
        id: &ClusterId,
        source: SourceName,
    ) -> Option<Result<Explained, ApiError>> {
        let endpoint = self.lock().entries.get(id)?.target.endpoint.clone();
        Some(match source {
            SourceName::UpgradeStatus => {
                ack_client::explain_upgrade_status(self.client(), &endpoint, id).await
            }
            SourceName::Tasks => ack_client::explain_tasks(self.client(), &endpoint, id).await,
        })
    }

    /// Asks one cluster, or waits for the query that is under way, until `deadline`; says what the
    /// page of its collection would.
    pub(in crate::collect) async fn probe(
        self: &Arc<Self>,
        id: &ClusterId,
        probe: &Probe<'_>,
    ) -> Option<ClusterReading> {
        let mut query_ends = self.progress.query_ends();
        let began = Instant::now();
        let place = timeout_at(probe.deadline, Arc::clone(&self.permits).acquire_owned()).await;
        let blocked_by = if place.is_ok() {
            BlockedBy::RateLimit
        } else {
            BlockedBy::Concurrency
        };
        let cost = self.cost(id);
        if let Ok(Ok(place)) = place
            && let Ok(tokens) =
                timeout_at(probe.deadline, self.client().limiter().acquire(cost)).await
        {
            let collection = AccountCollection {
                number: probe.collection,
                started: began,
                deadline: Deadline::at(probe.deadline),
                length: Duration::ZERO,
                stop: probe.stop.clone(),
            };
            if let Some((query, in_flight)) = self.start_query(&collection, id, Trigger::Probe) {
                in_flight.budget.grant(tokens);
                let budget = match probe.trace {
                    Some(trace) => in_flight.budget.traced(trace.clone()),
                    None => in_flight.budget,
                };
                probe.tasks.spawn(query.run(budget, place));
            }
        }
        let landed = async {
            while self
                .lock()
                .entries
                .get(id)
                .is_some_and(|entry| entry.in_flight.is_some())
            {
                query_ends.next().await;
            }
        };
        // At the deadline what is there counts.
        drop(timeout_at(probe.deadline, landed).await);
        let table = self.lock();
        let entry = table.entries.get(id)?;
        let asked = entry.has_ended_since(began);
        Some(entry.reading(
            Trigger::Probe,
            probe.deadline,
            asked,
            blocked_by,
            probe.max_age,
            Instant::now(),
        ))
    }
}
