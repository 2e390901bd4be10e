//! The queries beside the upgrades: each is asked when it is due, with the calls that the limits leave.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ack_client::ClusterState;
use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::AccountCollector;
use crate::cluster::ClusterInfo;
use crate::collect::entry::{ClusterEntry, Now};
use crate::collect::progress::CollectionProgress;
use crate::collect::watches::{Job, Knowledge, KnownCluster, Watch};
use crate::snapshot::ClusterReading;

/// Time between two looks at the clusters and the time.
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
        let mut known = None;
        loop {
            let clusters = self.known_clusters();
            if known.as_ref() != Some(&clusters) {
                self.update_subjects();
                known = Some(clusters);
            }
            let now = Instant::now();
            let mut jobs: Vec<Job<'_>> = Vec::new();
            for watch in &self.watches {
                jobs.extend(watch.due(&client, now, BATCH));
            }
            jobs.sort_by_key(|job| job.due_at);
            jobs.truncate(BATCH);
            if let Some(known) = known.as_ref().filter(|_| jobs.is_empty()) {
                self.wait(known).await;
            }
            stream::iter(jobs)
                .for_each_concurrent(CONCURRENCY, |job| job.run)
                .await;
        }
    }

    /// Waits until a query is due, or until the clusters are no longer those that are `known`.
    async fn wait(&self, known: &KnownClusters) {
        let now = Instant::now();
        let due = self.watches.iter().filter_map(|watch| watch.due_at(now));
        let due_at = due.min();
        loop {
            sleep(PAUSE).await;
            let is_due = due_at.is_some_and(|due_at| due_at <= Instant::now());
            if is_due || self.known_clusters() != *known {
                return;
            }
        }
    }

    fn known_clusters(&self) -> KnownClusters {
        let now = Instant::now();
        let planned = self.watches.iter().flat_map(|watch| watch.upgrading(now));
        let planned: BTreeSet<_> = planned.collect();
        let mut table = self.lock();
        for (id, entry) in &mut table.entries {
            entry.is_upgraded_by_plan = planned.contains(id);
        }
        let clusters = table.entries.values().map(KnownState::of).collect();
        KnownClusters {
            knowledge: self.knowledge(),
            clusters,
        }
    }

    fn knowledge(&self) -> Knowledge {
        if self.has_found() {
            Knowledge::AllKnown
        } else {
            Knowledge::Partial
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
        let clusters: Vec<KnownCluster> = {
            let table = self.lock();
            let entries = table.entries.values();
            entries
                .map(|entry| KnownCluster {
                    target: entry.target.clone(),
                    is_upgrading: is_upgrading(entry),
                    changed: entry.changed,
                })
                .collect()
        };
        let knowledge = self.knowledge();
        for watch in &self.watches {
            watch.update_subjects(&clusters, knowledge);
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

/// Everything that the subjects of queries depend on. Comparing it costs far less than a new look
/// at each subject, and in most seconds nothing has changed.
#[derive(Debug, PartialEq)]
struct KnownClusters {
    knowledge: Knowledge,
    clusters: Vec<KnownState>,
}

/// A cluster as the table has it.
#[derive(Debug, PartialEq)]
struct KnownState {
    info: Arc<ClusterInfo>,
    is_upgrading: bool,
    changed: Option<Timestamp>,
}

impl KnownState {
    fn of(entry: &ClusterEntry) -> Self {
        Self {
            info: Arc::clone(&entry.target.info),
            is_upgrading: is_upgrading(entry),
            changed: entry.changed,
        }
    }
}

/// True if the cluster is being upgraded, by its own state, by the list, or by a plan.
fn is_upgrading(entry: &ClusterEntry) -> bool {
    let is_under_way = entry
        .last_state()
        .is_some_and(|state| !state.status.is_idle());
    let is_listed_so = matches!(
        entry.target.info.state,
        Some(ClusterState::Upgrading | ClusterState::Updating)
    );
    is_under_way || is_listed_so || entry.is_upgraded_by_plan
}
