//! Collecting: every cluster is queried concurrently, within the scrape's budget and the accounts'
//! limits.
//!
//! A scrape starts a collection in every account, or joins the one in progress. It takes its
//! [`Snapshot`] when the collection is done or when its own deadline has come, whichever is first. The
//! collection goes on until every cluster has been queried, at the pace that the account's limits
//! allow.

mod account;
mod account_client;
mod budget;
mod collection;
mod dependencies;
mod discovery;
mod entry;
mod fair_share;
mod plan;
mod table;
mod target_resolver;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use account::{AccountCollector, CollectionRequest};
use ack_client::clock::Clock;
use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{ApiError, Budget, Deadline, ExplainedRequest, Trace};
use collection::{Admission, Collection};
use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use budget::budget;
pub use dependencies::{Dependencies, ScrapeMetrics};

use crate::config::{Config, Scrape};
use crate::shard::Shard;
use crate::snapshot::{ClusterInfo, ClusterReading, Failure, Snapshot};
use crate::upgrade::SourceName;

/// Longest wait of service discovery for first lists, if the configuration names clusters.
const LISTS_TIMEOUT: Duration = Duration::from_secs(5);

/// Collects the readings for every scrape of this instance.
#[derive(Debug)]
pub struct Collector {
    accounts: Vec<Arc<AccountCollector>>,
    shard: Shard,
    settings: Scrape,
    clock: Clock,
    metrics: Arc<dyn ScrapeMetrics>,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// The newest collection.
    collection: Mutex<Option<Collection>>,
    latest: watch::Sender<Option<Arc<Snapshot>>>,
}

impl Collector {
    /// A collector for the clusters of `config`. It runs collections as tasks until it is dropped.
    pub fn new(config: &Config, dependencies: &Dependencies) -> Arc<Self> {
        Self::start(
            config,
            dependencies,
            plan::accounts(config, dependencies, &[]),
            None,
        )
    }

    /// A collector for `config` that takes over from `earlier`: the results of the same clusters and,
    /// of accounts with the same access settings, connections, credentials, limits and lists.
    /// `earlier` goes on for the scrapes that still wait there.
    pub fn after(earlier: &Self, config: &Config, dependencies: &Dependencies) -> Arc<Self> {
        Self::start(
            config,
            dependencies,
            plan::accounts(config, dependencies, &earlier.accounts),
            earlier.latest(),
        )
    }

    fn start(
        config: &Config,
        dependencies: &Dependencies,
        accounts: Vec<Arc<AccountCollector>>,
        latest: Option<Arc<Snapshot>>,
    ) -> Arc<Self> {
        let collector = Arc::new(Self {
            accounts,
            shard: dependencies.shard,
            settings: config.scrape.clone(),
            clock: dependencies.clock,
            metrics: Arc::clone(&dependencies.metrics),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            collection: Mutex::new(None),
            latest: watch::Sender::new(latest),
        });
        for account in &collector.accounts {
            let (account, stop) = (Arc::clone(account), collector.stop.clone());
            collector
                .tasks
                .spawn(async move { stop.run_until_cancelled(account.keep_refreshing()).await });
        }
        collector
    }

    /// Every cluster of this instance; None before every list was read at least once.
    pub fn clusters(&self) -> Option<Vec<Arc<ClusterInfo>>> {
        let is_known = self.accounts.iter().all(|account| account.has_found());
        is_known.then(|| {
            self.accounts
                .iter()
                .flat_map(|account| account.clusters())
                .collect()
        })
    }

    /// The account and region of each list that finds clusters and has not been read yet.
    pub fn unread_lists(&self) -> Vec<(AccountName, Region)> {
        self.accounts
            .iter()
            .flat_map(|account| {
                account
                    .unread()
                    .map(|region| (account.name().clone(), region.clone()))
            })
            .collect()
    }

    /// The clusters for service discovery, once every list has been tried. Configured clusters wait
    /// for the lists no longer than five seconds. If there are no clusters yet, the error is the lists
    /// that have not been read.
    pub async fn targets(&self) -> Result<Vec<Arc<ClusterInfo>>, Vec<(AccountName, Region)>> {
        let has_configured = self.accounts.iter().any(|account| account.has_configured());
        if has_configured {
            // Most lists take less, so a start does not leave their clusters out.
            let tried = join_all(self.accounts.iter().map(|account| account.tried()));
            drop(
                self.stop
                    .run_until_cancelled(timeout(LISTS_TIMEOUT, tried))
                    .await,
            );
        }
        let clusters: Vec<_> = self
            .accounts
            .iter()
            .flat_map(|account| account.clusters())
            .collect();
        let have_tried = self.accounts.iter().all(|account| account.has_tried());
        let unread = self.unread_lists();
        // Prometheus drops a target that a response leaves out, and keeps its targets after an error.
        let is_usable = has_configured || (have_tried && !clusters.is_empty());
        if unread.is_empty() || is_usable {
            Ok(clusters)
        } else {
            Err(unread)
        }
    }

    /// The snapshot of the last scrape, if there was one. Makes no query.
    pub fn latest(&self) -> Option<Arc<Snapshot>> {
        self.latest.borrow().clone()
    }

    /// Returns the snapshot of a collection once it is complete, and at `deadline` at the latest.
    /// Dropping the future leaves the collection to others.
    pub async fn collect(self: &Arc<Self>, deadline: Instant) -> Arc<Snapshot> {
        let mut collection = match self.join_or_start(deadline) {
            Ok(collection) => collection,
            Err(cached) => return cached,
        };
        let snapshot = loop {
            let done = tokio::select! {
                biased;
                done = collection.done.wait_for(Option::is_some) => done.ok().map(|done| done.clone()),
                () = sleep_until(deadline) => break None,
            };
            match done {
                Some(done) => break done,
                None => match self.successor(&collection, deadline) {
                    Some(successor) => collection = successor,
                    None => break None,
                },
            }
        };
        let snapshot = snapshot.unwrap_or_else(|| Arc::new(self.snapshot(&collection)));
        self.latest.send_replace(Some(Arc::clone(&snapshot)));
        snapshot
    }

    /// True if a cluster of this instance has this ID or name. Makes no query.
    pub fn knows(&self, target: &str) -> bool {
        self.find(target).is_some()
    }

    /// Queries one cluster of this instance, by ID or name, and returns its reading by `deadline`;
    /// None if there is no such cluster. A query in flight is waited for rather than repeated.
    /// Exchanges are noted in `trace`.
    pub async fn probe(
        &self,
        target: &str,
        deadline: Instant,
        trace: Option<&Trace>,
    ) -> Option<ClusterReading> {
        let (account, id) = self.find(target)?;
        let collection = self
            .collection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map_or(0, |collection| collection.number);
        let max_age = self.settings.max_age;
        account
            .probe(
                &id,
                &account::Probe {
                    collection,
                    deadline,
                    max_age,
                    trace,
                    tasks: &self.tasks,
                    stop: &self.stop,
                },
            )
            .await
    }

    /// Refreshes the version and the state of `clusters`, from the lists that have them and from
    /// `DescribeClusterDetail` for the others.
    pub async fn refresh_details(
        &self,
        clusters: &[ClusterId],
        deadline: Instant,
    ) -> HashMap<ClusterId, Result<Arc<ClusterInfo>, Failure>> {
        let budget = Budget::new(Deadline::at(deadline), self.stop.child_token());
        let each = join_all(
            self.accounts
                .iter()
                .map(|account| account.refresh_details(clusters, &budget)),
        )
        .await;
        each.into_iter()
            .flatten()
            .map(|(id, read)| (id, read.map_err(|error| Failure::of(&error))))
            .collect()
    }

    /// The request that a query of one cluster, by ID or name, would send now to `source`; None if
    /// there is no such cluster.
    pub async fn explain(
        &self,
        target: &str,
        source: SourceName,
    ) -> Option<Result<ExplainedRequest, ApiError>> {
        let (account, id) = self.find(target)?;
        account.explain(&id, source).await
    }

    /// The cluster with this ID or, if there is none, with this name, and its account.
    fn find(&self, target: &str) -> Option<(&Arc<AccountCollector>, ClusterId)> {
        let by_id = self
            .accounts
            .iter()
            .find_map(|account| Some((account, account.find_by_id(target)?)));
        by_id.or_else(|| {
            self.accounts
                .iter()
                .find_map(|account| Some((account, account.find_by_name(target)?)))
        })
    }

    /// The collection that a scrape with this deadline waits for. The error is the snapshot of a
    /// finished one that serves it.
    fn join_or_start(self: &Arc<Self>, deadline: Instant) -> Result<Collection, Arc<Snapshot>> {
        let now = Instant::now();
        let mut current = self
            .collection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
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

    /// The collection that has taken over from `collection`, for a scrape that waits until
    /// `deadline`.
    fn successor(&self, collection: &Collection, deadline: Instant) -> Option<Collection> {
        let current = self
            .collection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
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
        let handles: Vec<_> = self
            .accounts
            .iter()
            .map(|account| account.start_collection(&request))
            .collect();
        let collector = Arc::downgrade(self);
        self.tasks.spawn(async move {
            for handle in handles {
                tokio::select! {
                    () = handle.finished() => {}
                    () = collection.superseded.cancelled() => return,
                }
            }
            if let Some(collector) = collector.upgrade() {
                finished.send_replace(Some(Arc::new(collector.snapshot(&collection))));
            }
        });
    }

    fn snapshot(&self, collection: &Collection) -> Snapshot {
        let mut clusters = Vec::new();
        let mut complete = true;
        for account in &self.accounts {
            complete &= account.add_readings(
                collection.number,
                collection.deadline.instant(),
                self.settings.max_age,
                &mut clusters,
            );
        }
        clusters
            .sort_unstable_by(|one: &ClusterReading, other| one.cluster.id.cmp(&other.cluster.id));
        // Two accounts may discover the same cluster.
        clusters.dedup_by(|later, first| later.cluster.id == first.cluster.id);
        Snapshot {
            at: self.clock.now(),
            duration: collection.started.elapsed(),
            budget: collection
                .deadline
                .instant()
                .saturating_duration_since(collection.started),
            complete,
            shard: self.shard,
            clusters,
            accounts: self
                .accounts
                .iter()
                .map(|account| account.reading())
                .collect(),
        }
    }

    /// Cancels all tasks and waits until they have ended.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[cfg(test)]
mod fixture;
