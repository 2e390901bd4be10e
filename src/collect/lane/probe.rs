//! One cluster, asked by somebody who wants no other.

use std::sync::Arc;
use std::time::Duration;

use ack_client::names::ClusterId;
use ack_client::{self, ApiError, Deadline, ExplainedRequest, Trace};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Lane;
use super::round::Round;
use crate::collect::record::{Reader, Waiting};
use crate::snapshot::{ClusterInfo, ClusterReading};
use crate::upgrade::SourceName;

/// What a lane needs to ask one cluster.
#[derive(Debug)]
pub(in crate::collect) struct Probe<'a> {
    /// The number of the newest round.
    pub(in crate::collect) round: u64,
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

impl Lane {
    /// The first cluster of this lane that is as `wanted`.
    pub(in crate::collect) fn find(
        &self,
        wanted: impl Fn(&ClusterInfo) -> bool,
    ) -> Option<ClusterId> {
        let roster = self.lock();
        let found = roster
            .records
            .values()
            .map(|record| &record.target.info)
            .find(|info| wanted(info));
        found.map(|info| info.id.clone())
    }

    /// What asking for `id` would send, under either source.
    pub(in crate::collect) async fn explain(
        &self,
        id: &ClusterId,
        source: SourceName,
    ) -> Option<Result<ExplainedRequest, ApiError>> {
        let endpoint = self.lock().records.get(id)?.target.endpoint.clone();
        Some(match source {
            SourceName::UpgradeStatus => {
                ack_client::explain_upgrade_status(self.client(), &endpoint, id).await
            }
            SourceName::Tasks => ack_client::explain_tasks(self.client(), &endpoint, id).await,
        })
    }

    /// Asks one cluster, or waits for the query that is under way, until `deadline`; says what the
    /// page of its round would.
    pub(in crate::collect) async fn ask_one(
        self: &Arc<Self>,
        id: &ClusterId,
        probe: &Probe<'_>,
    ) -> Option<ClusterReading> {
        let mut landings = self.progress.landings();
        let began = Instant::now();
        let place = timeout_at(probe.deadline, Arc::clone(&self.places).acquire_owned()).await;
        let waiting = if place.is_ok() {
            Waiting::ForToken
        } else {
            Waiting::ForPlace
        };
        let cost = self.cost(id);
        if let Ok(Ok(place)) = place
            && let Ok(tokens) =
                timeout_at(probe.deadline, self.client().limiter().acquire(cost)).await
        {
            let round = Round {
                number: probe.round,
                started: began,
                deadline: Deadline::at(probe.deadline),
                length: Duration::ZERO,
                stop: probe.stop.clone(),
            };
            if let Some((query, flight)) = self.take_off(&round, id, Reader::Probe) {
                flight.budget.grant(tokens);
                let budget = match probe.trace {
                    Some(trace) => flight.budget.traced(trace.clone()),
                    None => flight.budget,
                };
                probe.tasks.spawn(query.run(budget, place));
            }
        }
        let landed = async {
            while self
                .lock()
                .records
                .get(id)
                .is_some_and(|record| record.flight.is_some())
            {
                landings.next().await;
            }
        };
        // At the deadline what is there counts.
        drop(timeout_at(probe.deadline, landed).await);
        let roster = self.lock();
        let record = roster.records.get(id)?;
        let asked = record.has_ended_since(began);
        Some(record.reading(
            Reader::Probe,
            probe.deadline,
            asked,
            waiting,
            probe.max_age,
            Instant::now(),
        ))
    }
}
