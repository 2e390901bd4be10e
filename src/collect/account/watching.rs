//! The queries beside the upgrades: each is asked when it is due, with the calls that the limits
//! leave.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ack_client::{Client, ClusterState};
use futures_util::FutureExt as _;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::AccountCollector;
use crate::cluster::ClusterInfo;
use crate::collect::entry::{ClusterEntry, Now};
use crate::collect::progress::CollectionProgress;
use crate::collect::watches::{AnyWatch, Job, Knowledge, KnownCluster, QueryClass};
use crate::snapshot::ClusterReading;

/// Time between two checks of the clusters and of the queries that are due.
const PAUSE: Duration = Duration::from_secs(1);

/// Queries that run at once.
const CONCURRENCY: usize = 2;

/// Queries of failing subjects that run at once, so that silent ones do not hold up the others.
const FAILING_CONCURRENCY: usize = 1;

/// Queries that are started before the next look, so that an urgent one does not wait long.
const BATCH: usize = 32;

/// The watched queries in flight.
#[derive(Debug, Default)]
struct Running<'a> {
    queries: FuturesUnordered<BoxFuture<'a, QueryClass>>,
    failing: usize,
}

impl<'a> Running<'a> {
    /// Starts the queries of `due` that there is room for.
    fn start(&mut self, due: &mut VecDeque<Job<'a>>) {
        while let Some(job) = self.next(due).and_then(|next| due.remove(next)) {
            let class = job.class;
            self.failing += usize::from(class == QueryClass::Failing);
            let query = (job.start)().map(move |()| class);
            self.queries.push(query.boxed());
        }
    }

    fn next(&self, due: &VecDeque<Job<'_>>) -> Option<usize> {
        let classes = due.iter().map(|job| job.class);
        next(classes, self.queries.len(), self.failing)
    }

    /// Waits until a query has ended; forever if there is none.
    async fn ended(&mut self) {
        match self.queries.next().await {
            Some(class) => self.failing -= usize::from(class == QueryClass::Failing),
            None => std::future::pending().await,
        }
    }
}

/// The position in `due` of the query that starts next: the first one, unless it is failing and as
/// many of those as may run are among the `running` ones.
fn next(
    mut due: impl Iterator<Item = QueryClass>,
    running: usize,
    failing: usize,
) -> Option<usize> {
    if running >= CONCURRENCY {
        return None;
    }
    due.position(|class| match class {
        QueryClass::Responding => true,
        QueryClass::Failing => failing < FAILING_CONCURRENCY,
    })
}

impl AccountCollector {
    /// Asks every query when it is due. Returns if there are none, or once a later collector does
    /// it.
    pub(in crate::collect) async fn keep_watching(&self) {
        if !self.watches.is_empty() {
            self.watching.run_until_cancelled(self.watch()).await;
        }
    }

    async fn watch(&self) {
        let client = self.client().with_spare_calls();
        let mut running = Running::default();
        let mut known = None;
        loop {
            let clusters = self.known_clusters();
            if known.as_ref() != Some(&clusters) {
                self.update_subjects();
                known = Some(clusters);
            }
            let now = Instant::now();
            let mut due = self.due_jobs(&client, now);
            let is_idle = due.is_empty();
            loop {
                running.start(&mut due);
                if due.is_empty() && !is_idle && running.queries.len() < CONCURRENCY {
                    break;
                }
                tokio::select! {
                    () = running.ended() => {}
                    () = sleep_until(now + PAUSE) => break,
                }
            }
        }
    }

    /// The queries that are due at `now`, those that are overdue longest first.
    fn due_jobs<'a>(&'a self, client: &'a Client, now: Instant) -> VecDeque<Job<'a>> {
        let mut due: Vec<_> = self
            .watches
            .iter()
            .flat_map(|watch| watch.due(client, now, BATCH))
            .collect();
        due.sort_by_key(|job| job.due_at);
        due.into()
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
        self.update_subjects();
        self.watches.iter().map(|watch| watch.progress()).sum()
    }

    fn update_subjects(&self) {
        if self.watches.is_empty() {
            return;
        }
        // Read before the table: with all lists read, a cluster that it lacks is gone.
        let knowledge = self.knowledge();
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
        let now = Instant::now();
        for watch in &self.watches {
            watch.update_subjects(&clusters, knowledge, now);
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
    ) -> impl Iterator<Item = (&'a dyn AnyWatch, &'a dyn AnyWatch)> {
        let pairs = |watch: &'a Arc<dyn AnyWatch>| {
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

#[cfg(test)]
mod tests;
