//! The query of one cluster for a client that wants no other.

use std::sync::Arc;
use std::time::Duration;

use ack_client::names::ClusterId;
use ack_client::{self, ApiError, ExplainedRequest, Trace};
use tokio::time::{Instant, timeout_at};

use super::AccountCollector;
use crate::collect::demand::Demand;
use crate::collect::entry::{BlockedBy, ClusterEntry, Trigger, Viewpoint};
use crate::snapshot::ClusterReading;
use crate::upgrade::SourceName;

/// A request to probe one cluster.
#[derive(Debug)]
pub(in crate::collect) struct Probe<'a> {
    /// The time at which the client goes.
    pub(in crate::collect) deadline: Instant,
    /// The age up to which a reading is served if the limits leave no room for the query.
    pub(in crate::collect) max_age: Duration,
    /// The trace in which exchanges are noted.
    pub(in crate::collect) trace: Option<&'a Trace>,
}

impl AccountCollector {
    /// The request that a query of `id` would send to `source`.
    pub(in crate::collect) async fn explain(
        &self,
        id: &ClusterId,
        source: SourceName,
    ) -> Option<Result<ExplainedRequest, ApiError>> {
        let endpoint = self.lock().entries.get(id)?.target.endpoint.clone();
        Some(match source {
            SourceName::UpgradeStatus => {
                ack_client::explain_upgrade_status(self.client(), &endpoint, id).await
            }
            SourceName::Tasks => ack_client::explain_tasks(self.client(), &endpoint, id).await,
        })
    }

    /// Queries one cluster, or waits for its query in flight, until the deadline. Returns the
    /// reading that the metrics page would have; None if the cluster is gone.
    pub(in crate::collect) async fn probe(
        self: &Arc<Self>,
        id: &ClusterId,
        probe: &Probe<'_>,
    ) -> Option<ClusterReading> {
        let started = Instant::now();
        let blocked_by = self.start_probe(id, probe, started).await;
        let in_flight = self.lock().entries.get(id)?.in_flight().cloned();
        if let Some(query) = in_flight {
            // At the deadline the state of that moment counts.
            drop(timeout_at(probe.deadline, query.ended()).await);
        }
        let table = self.lock();
        let entry = table.entries.get(id)?;
        let viewpoint = Viewpoint {
            trigger: Trigger::Probe,
            since: started,
            end: probe.deadline,
            share: Duration::MAX,
            blocked_by,
            max_age: probe.max_age,
            now: Instant::now(),
        };
        let mut reading = entry.reading(&viewpoint);
        self.add_watched(&mut reading, viewpoint.now);
        Some(reading)
    }

    /// Starts the query, unless one is in flight or the deadline comes first. Returns the limit
    /// that would keep it from starting.
    async fn start_probe(
        self: &Arc<Self>,
        id: &ClusterId,
        probe: &Probe<'_>,
        started: Instant,
    ) -> BlockedBy {
        let permit = timeout_at(probe.deadline, Arc::clone(&self.permits).acquire_owned()).await;
        let Ok(Ok(permit)) = permit else {
            return BlockedBy::Concurrency;
        };
        let acquire = self.client().limiter().acquire(self.expected_calls(id));
        let Ok(tokens) = timeout_at(probe.deadline, acquire).await else {
            return BlockedBy::RateLimit;
        };
        let demand = Demand::of_probe(started, probe.deadline);
        if let Some(query) = self.start_query(id, &demand, Trigger::Probe) {
            let budget = &query.in_flight().budget;
            budget.grant(tokens);
            if let Some(trace) = probe.trace {
                budget.record_in(trace.clone());
            }
            self.tasks.tracker.spawn(query.run(permit));
        }
        BlockedBy::RateLimit
    }

    fn expected_calls(&self, id: &ClusterId) -> u32 {
        self.lock()
            .entries
            .get(id)
            .map_or(1, ClusterEntry::expected_calls)
    }
}
