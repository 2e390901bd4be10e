//! The queries beside the upgrades: each is asked when it is due, with the calls that the limits leave.

use std::sync::Arc;
use std::time::Duration;

use ack_client::ClusterState;
use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::time::{Instant, sleep};

use super::AccountCollector;
use crate::collect::entry::{ClusterEntry, Now, Target};
use crate::collect::progress::CollectionProgress;
use crate::collect::watches::{Job, Knowledge, Watch};
use crate::queries::Activity;
use crate::snapshot::ClusterReading;

/// Time between two looks for queries that are due.
const PAUSE: Duration = Duration::from_secs(1);

/// Queries that run at once.
const CONCURRENCY: usize = 2;

/// Queries that are started before the next look, so that an urgent one does not wait long.
const BATCH: usize = 32;

impl AccountCollector {
    /// Asks every query when it is due. Returns only if there are none.
    pub(in crate::collect) async fn keep_watching(&self) {
        if self.watches.is_empty() {
            return;
        }
        let client = self.client().with_spare_calls();
        loop {
            self.update_subjects();
            let now = Instant::now();
            let mut jobs: Vec<Job<'_>> = Vec::new();
            for watch in &self.watches {
                jobs.extend(watch.due(&client, now, BATCH));
            }
            jobs.sort_by_key(|job| job.due_at);
            jobs.truncate(BATCH);
            if jobs.is_empty() {
                sleep(PAUSE).await;
            }
            stream::iter(jobs)
                .for_each_concurrent(CONCURRENCY, |job| job.run)
                .await;
        }
    }

    /// The progress of the first queries of all subjects.
    pub(in crate::collect) fn watched_progress(&self) -> CollectionProgress {
        if !self.watches.is_empty() {
            self.update_subjects();
        }
        self.watches.iter().map(|watch| watch.progress()).sum()
    }

    fn update_subjects(&self) {
        // The table is released before the slots are locked: a snapshot locks the slots while it
        // holds the table.
        let targets: Vec<(Target, Activity)> = {
            let table = self.lock();
            let entries = table.entries.values();
            entries
                .map(|entry| (entry.target.clone(), activity(entry)))
                .collect()
        };
        let knowledge = if self.has_found() {
            Knowledge::AllKnown
        } else {
            Knowledge::Partial
        };
        for watch in &self.watches {
            watch.update_subjects(&targets, knowledge);
        }
    }

    /// Adds what the queries have found out about the cluster of `reading` by `now`.
    pub(super) fn add_watched(&self, reading: &mut ClusterReading, now: Instant) {
        let now = Now {
            instant: now,
            timestamp: self.clock.now(),
        };
        for watch in &self.watches {
            watch.add(&reading.cluster, now, &mut reading.watched);
            reading
                .queries
                .extend(watch.cluster_reading(&reading.cluster));
        }
    }

    /// Each watch beside the watches of `earlier`, of which one may be of the same query.
    pub(super) fn same_watches<'a>(
        &'a self,
        earlier: &'a Self,
    ) -> impl Iterator<Item = (&'a dyn Watch, &'a dyn Watch)> {
        let pairs = |watch: &'a Arc<dyn Watch>| {
            earlier
                .watches
                .iter()
                .map(move |earlier| (&**watch, &**earlier))
        };
        self.watches.iter().flat_map(pairs)
    }
}

/// The activity of a cluster, by its own state or by the list.
fn activity(entry: &ClusterEntry) -> Activity {
    let is_upgrading = entry
        .last_state()
        .is_some_and(|state| !state.status.is_idle());
    let state = entry.target.info.state;
    if is_upgrading
        || matches!(
            state,
            Some(ClusterState::Upgrading | ClusterState::Updating)
        )
    {
        Activity::Upgrading
    } else {
        Activity::Quiet
    }
}
