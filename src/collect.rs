//! Collecting: every cluster asked concurrently, within the scrape's budget and the accounts'
//! limits.
//!
//! A scrape starts a collection in every account's account, or joins the one that is being waited for. Each
//! waiter takes its [`Snapshot`] when the collection is done or when its own deadline has come,
//! whichever is first; the collection itself goes on until every cluster has been asked, at the pace
//! that the account's limits allow.

mod account;
mod account_client;
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

use account::AccountCollector;
use ack_client::clock::Clock;
use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{ApiError, Budget, Deadline, Explained, Trace};
use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use dependencies::{Dependencies, ScrapeMetrics};

use crate::config::{Config, Scrape};
use crate::shard::Shard;
use crate::snapshot::{ClusterInfo, ClusterReading, Failure, Snapshot};
use crate::upgrade::SourceName;

/// How long clusters that the configuration names are kept from service discovery by lists that
/// nobody has tried to read yet.
const LISTS_TIMEOUT: Duration = Duration::from_secs(5);

/// Collects for every scrape of this instance.
#[derive(Debug)]
pub struct Collector {
    accounts: Vec<Arc<AccountCollector>>,
    shard: Shard,
    settings: Scrape,
    clock: Clock,
    metrics: Arc<dyn ScrapeMetrics>,
    tasks: TaskTracker,
    stop: CancellationToken,
    collection: Mutex<Option<Collection>>,
    latest: watch::Sender<Option<Arc<Snapshot>>>,
}

/// One collection that scrapes share.
#[derive(Debug, Clone)]
struct Collection {
    number: u64,
    started: Instant,
    /// The deadline of the one who started it. Others may join until then and no longer: scrapes
    /// that always overlap would else keep a collection with a silent cluster in it open for ever, and
    /// see the others as they were at its start.
    open_until: Instant,
    /// The latest deadline of those who wait.
    deadline: Deadline,
    /// Cancelled when the next collection takes over.
    superseded: CancellationToken,
    /// The whole result, once there is one.
    done: watch::Receiver<Option<Arc<Snapshot>>>,
}

impl Collector {
    /// A collector for the clusters of `config`, which runs its collections as tasks until it is
    /// dropped.
    pub fn new(config: &Config, dependencies: &Dependencies) -> Arc<Self> {
        Self::start(
            config,
            dependencies,
            plan::accounts(config, dependencies, &[]),
            None,
        )
    }

    /// A collector for `config` that takes over from `earlier`: what it knows of the same clusters
    /// and, of accounts that are asked as before, connections, credentials, limits and lists.
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

    /// The clusters for service discovery: all that are known once every list has been tried. Named
    /// clusters wait for the lists no longer than five seconds. Otherwise, or where there is
    /// nothing to tell, the lists that have not been read.
    ///
    /// Prometheus drops a target that an answer leaves out, and keeps its targets where there is
    /// none.
    pub async fn targets(&self) -> Result<Vec<Arc<ClusterInfo>>, Vec<(AccountName, Region)>> {
        let has_named = self.accounts.iter().any(|account| account.has_named());
        if has_named {
            // Most lists take less, and what they find then is not left out after a start.
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
        let is_answer = has_named || (have_tried && !clusters.is_empty());
        if unread.is_empty() || is_answer {
            Ok(clusters)
        } else {
            Err(unread)
        }
    }

    /// The snapshot that a scrape saw last, if there was one. Asks nobody.
    pub fn latest(&self) -> Option<Arc<Snapshot>> {
        self.latest.borrow().clone()
    }

    /// Collects and answers by `deadline` with what is there by then. Dropping the future leaves
    /// the collection to others.
    pub async fn collect(self: &Arc<Self>, deadline: Instant) -> Arc<Snapshot> {
        let mut collection = match self.join(deadline) {
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

    /// Whether a cluster of this instance has this ID or name. Asks nobody.
    pub fn knows(&self, target: &str) -> bool {
        self.find(target).is_some()
    }

    /// Asks one cluster of this instance, by ID or name, and answers by `deadline`; None if there
    /// is none. A query that is under way is waited for rather than repeated. What is sent and
    /// received is noted in `trace`.
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

    /// Reads again what there is to know of `clusters` apart from their upgrades, such as version
    /// and state, and remembers it. Asks the lists that have them and, of those in none,
    /// `DescribeClusterDetail`.
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

    /// What asking for one cluster, by ID or name, would send now under `source`; None if there is
    /// no such cluster here.
    pub async fn explain(
        &self,
        target: &str,
        source: SourceName,
    ) -> Option<Result<Explained, ApiError>> {
        let (account, id) = self.find(target)?;
        account.explain(&id, source).await
    }

    /// The cluster with this ID, or else with this name, and its account.
    fn find(&self, target: &str) -> Option<(&Arc<AccountCollector>, ClusterId)> {
        let first = |wanted: &dyn Fn(&ClusterInfo) -> bool| {
            self.accounts
                .iter()
                .find_map(|account| Some((account, account.find(wanted)?)))
        };
        first(&|info| info.id.as_str() == target).or_else(|| first(&|info| info.is_meant(target)))
    }

    /// The collection that a scrape with this deadline waits for, or the finished one that serves it.
    fn join(self: &Arc<Self>, deadline: Instant) -> Result<Collection, Arc<Snapshot>> {
        let now = Instant::now();
        let mut current = self
            .collection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(collection) = &*current {
            let done = collection.done.borrow().clone();
            match done {
                None if now < collection.open_until => {
                    collection.deadline.put_off(deadline);
                    self.metrics.coalesced_scrape();
                    return Ok(collection.clone());
                }
                Some(done)
                    if done.complete
                        && now < collection.started + done.duration + self.settings.cache_ttl =>
                {
                    self.metrics.cached_scrape();
                    return Err(done);
                }
                _ => {}
            }
        }
        if let Some(collection) = &*current {
            collection.superseded.cancel();
        }
        let number = current.as_ref().map_or(0, |collection| collection.number) + 1;
        let (finished, done) = watch::channel(None);
        let superseded = self.stop.child_token();
        let collection = Collection {
            number,
            started: now,
            open_until: deadline,
            deadline: Deadline::at(deadline),
            superseded,
            done,
        };
        *current = Some(collection.clone());
        self.begin(collection.clone(), finished);
        Ok(collection)
    }

    /// The collection that has taken over from `collection`, for one who waits until `deadline`.
    fn successor(&self, collection: &Collection, deadline: Instant) -> Option<Collection> {
        let current = self
            .collection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let successor = current
            .as_ref()
            .filter(|current| current.number > collection.number)?;
        successor.deadline.put_off(deadline);
        Some(successor.clone())
    }

    fn begin(
        self: &Arc<Self>,
        collection: Collection,
        finished: watch::Sender<Option<Arc<Snapshot>>>,
    ) {
        let start = account::CollectionRequest {
            number: collection.number,
            deadline: &collection.deadline,
            superseded: &collection.superseded,
            tasks: &self.tasks,
            stop: &self.stop,
        };
        let accounts: Vec<_> = self
            .accounts
            .iter()
            .map(|account| account.begin(&start))
            .collect();
        let collector = Arc::downgrade(self);
        self.tasks.spawn(async move {
            for account in accounts {
                tokio::select! {
                    () = account.finished() => {}
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
            complete &= account.readings(
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
                .map(|account| account.account())
                .collect(),
        }
    }

    /// Ends what is under way and waits for it.
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

/// The budget of a scrape: the client's own timeout less the offset, or the configured one where
/// the client names none or one that is none.
pub fn budget(header: Option<&str>, settings: &Scrape) -> Duration {
    const LONGEST: Duration = Duration::from_secs(120);
    let timeout = header
        .and_then(|text| text.trim().parse::<f64>().ok())
        .filter(|seconds| seconds.is_finite() && *seconds > 0.0)
        .and_then(|seconds| {
            Duration::try_from_secs_f64(seconds.min(LONGEST.as_secs_f64() * 2.0)).ok()
        })
        .filter(|timeout| !timeout.is_zero());
    let budget = match timeout {
        Some(timeout) => timeout.saturating_sub(settings.timeout_offset.min(timeout / 10)),
        None => settings.timeout,
    };
    budget.min(LONGEST)
}

#[cfg(test)]
mod tests;
