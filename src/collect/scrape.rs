//! The snapshot of a scrape: of the collection in progress, of a finished one, or of a new one.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::Collector;
use super::account::CollectionRequest;
use super::collection::{Admission, Collection};
use super::progress::{CollectionProgress, Extent};
use crate::snapshot::{ClusterReading, Snapshot};

/// The interval at which a collection without a deadline reports its progress.
const REPORT_INTERVAL: Duration = Duration::from_millis(200);

impl Collector {
    /// Returns the snapshot of a collection once it is complete, and at `deadline` at the latest.
    /// Dropping the future leaves the collection to others.
    pub async fn collect(self: &Arc<Self>, deadline: Instant) -> Arc<Snapshot> {
        let collection = match self.join_or_start(deadline) {
            Ok(collection) => collection,
            Err(cached) => return cached,
        };
        let snapshot = self.wait(collection, deadline).await;
        self.latest.send_replace(Some(Arc::clone(&snapshot)));
        snapshot
    }

    /// Returns the snapshot of a collection once it is complete, however long the rate limits make
    /// it, or once no query has ended for as long as `patience`. Calls `report` several times a
    /// second.
    pub async fn collect_to_the_end(
        self: &Arc<Self>,
        extent: Extent,
        patience: Duration,
        mut report: impl FnMut(CollectionProgress),
    ) -> Arc<Snapshot> {
        let mut deadline = Instant::now() + patience;
        let mut collection = match self.join_or_start(deadline) {
            Ok(collection) => collection,
            Err(cached) => return cached,
        };
        let mut ended = 0;
        let mut is_collected = false;
        loop {
            if is_collected {
                sleep(REPORT_INTERVAL).await;
            } else {
                let completed = timeout(REPORT_INTERVAL, collection.completed()).await;
                is_collected = completed.is_ok();
            }
            let watched = self.watched_progress(extent);
            let progress = self.cluster_progress(&collection) + watched;
            if progress.ended > ended {
                ended = progress.ended;
                deadline = Instant::now() + patience;
            }
            let is_done = is_collected && watched.ended == watched.needed;
            if is_done || Instant::now() >= deadline {
                let snapshot = Arc::new(self.snapshot(&collection));
                self.latest.send_replace(Some(Arc::clone(&snapshot)));
                return snapshot;
            }
            report(progress);
        }
    }

    fn cluster_progress(&self, collection: &Collection) -> CollectionProgress {
        self.accounts
            .iter()
            .map(|account| account.cluster_progress(collection.number))
            .sum()
    }

    fn watched_progress(&self, extent: Extent) -> CollectionProgress {
        match extent {
            Extent::Upgrades => CollectionProgress::default(),
            Extent::Watched => self
                .accounts
                .iter()
                .map(|account| account.watched_progress())
                .sum(),
        }
    }

    /// The collection that a scrape with this deadline waits for. The error is the snapshot of a
    /// finished one that serves it.
    fn join_or_start(self: &Arc<Self>, deadline: Instant) -> Result<Collection, Arc<Snapshot>> {
        let now = Instant::now();
        let mut current = self.current();
        if let Some(collection) = &*current {
            match collection.admit(now, self.settings.cache_ttl) {
                Admission::Join => {
                    collection.deadline.extend_to(deadline);
                    self.metrics.coalesced_scrape();
                    return Ok(collection.clone());
                }
                Admission::Cached(snapshot) => {
                    self.metrics.cached_scrape();
                    return Err(snapshot);
                }
                Admission::Start => collection.superseded.cancel(),
            }
        }
        let number = current.as_ref().map_or(0, |collection| collection.number) + 1;
        let (collection, finished) =
            Collection::new(number, now, deadline, self.stop.child_token());
        *current = Some(collection.clone());
        self.start_collection(collection.clone(), finished);
        Ok(collection)
    }

    /// Waits until `deadline` for the snapshot of `collection`, or of one that takes over.
    async fn wait(&self, mut collection: Collection, deadline: Instant) -> Arc<Snapshot> {
        while let Ok(completed) = timeout_at(deadline, collection.completed()).await {
            if let Some(snapshot) = completed {
                return snapshot;
            }
            match self.successor(&collection, deadline) {
                Some(successor) => collection = successor,
                None => break,
            }
        }
        Arc::new(self.snapshot(&collection))
    }

    /// The collection that has taken over from `collection`, for a scrape that waits until
    /// `deadline`.
    fn successor(&self, collection: &Collection, deadline: Instant) -> Option<Collection> {
        let current = self.current();
        let successor = current
            .as_ref()
            .filter(|current| current.number > collection.number)?;
        successor.deadline.extend_to(deadline);
        Some(successor.clone())
    }

    fn start_collection(
        self: &Arc<Self>,
        collection: Collection,
        finished: watch::Sender<Option<Arc<Snapshot>>>,
    ) {
        let request = CollectionRequest {
            number: collection.number,
            deadline: &collection.deadline,
            superseded: &collection.superseded,
            tasks: &self.tasks,
            stop: &self.stop,
        };
        let mut accounts = Vec::new();
        for account in &self.accounts {
            accounts.push(account.start_collection(&request));
        }
        let collector = Arc::downgrade(self);
        self.tasks.spawn(async move {
            join_all(accounts).await;
            if collection.superseded.is_cancelled() {
                return;
            }
            if let Some(collector) = collector.upgrade() {
                finished.send_replace(Some(Arc::new(collector.snapshot(&collection))));
            }
        });
    }

    fn snapshot(&self, collection: &Collection) -> Snapshot {
        let end = collection.deadline.instant();
        let mut clusters = Vec::new();
        let mut accounts = Vec::new();
        let mut complete = true;
        for account in &self.accounts {
            complete &=
                account.add_readings(collection.number, end, self.settings.max_age, &mut clusters);
            accounts.push(account.reading());
        }
        clusters
            .sort_unstable_by(|one: &ClusterReading, other| one.cluster.id.cmp(&other.cluster.id));
        // Two accounts may discover the same cluster.
        clusters.dedup_by(|later, first| later.cluster.id == first.cluster.id);
        Snapshot {
            at: self.clock.now(),
            duration: collection.started.elapsed(),
            budget: end.saturating_duration_since(collection.started),
            complete,
            shard: self.shard,
            clusters,
            accounts,
        }
    }

    /// The number of the newest collection; 0 before the first.
    pub(super) fn newest_number(&self) -> u64 {
        self.current()
            .as_ref()
            .map_or(0, |collection| collection.number)
    }

    fn current(&self) -> MutexGuard<'_, Option<Collection>> {
        self.collection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
