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
mod entry;
mod fair_share;
mod plan;
mod progress;
mod region_list;
mod scrape;
mod service_discovery;
mod single_cluster;
mod slot;
mod table;
mod target_resolver;
mod watches;

use std::sync::{Arc, Mutex};

use account::AccountCollector;
use ack_client::clock::Clock;
use collection::Collection;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use budget::budget;
pub use dependencies::{Dependencies, ScrapeMetrics};
pub use progress::{CollectionProgress, Extent};

use crate::config::{Config, Scrape};
use crate::shard::Shard;
use crate::snapshot::Snapshot;

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
            collector.tasks.spawn(async move {
                let background =
                    async { tokio::join!(account.keep_refreshing(), account.keep_watching()) };
                stop.run_until_cancelled(background).await
            });
        }
        collector
    }

    /// The snapshot of the last scrape, if there was one. Makes no query.
    pub fn latest(&self) -> Option<Arc<Snapshot>> {
        self.latest.borrow().clone()
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
