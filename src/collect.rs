//! Collecting: every cluster is queried concurrently, within the scrape's budget and the accounts'
//! limits.
//!
//! A scrape is a demand on every account: each cluster queried since now, by a deadline. Scrapes at
//! the same time share a demand. A scrape takes its [`Snapshot`] when every account has served the
//! demand, or when its own deadline has come. An account goes on until every cluster has been
//! queried, at the pace that its limits allow, or until there is a newer demand.

mod account;
mod account_client;
mod budget;
mod collectors;
mod demand;
mod dependencies;
mod entry;
mod fair_share;
mod fetching;
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
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use budget::budget;
pub use dependencies::{Dependencies, ScrapeMetrics};
pub use progress::{CollectionProgress, Extent};
use scrape::Demands;

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
    demands: Mutex<Demands>,
    tasks: TaskGroup,
    latest: watch::Sender<Option<Arc<Snapshot>>>,
}

/// The tasks of a collector, which end together.
#[derive(Debug, Clone, Default)]
struct TaskGroup {
    tracker: TaskTracker,
    /// Cancelled when all of them are to end.
    stop: CancellationToken,
}

impl Collector {
    /// A collector for the clusters of `config`. Its tasks run until it is dropped.
    pub fn new(config: &Config, dependencies: &Dependencies) -> Arc<Self> {
        Self::start(config, dependencies, &[], None)
    }

    /// A collector for `config` that takes over from `earlier`: the results of the same clusters and,
    /// of accounts with the same access settings, connections, credentials, limits and lists.
    /// `earlier` goes on for the scrapes that still wait there.
    pub fn after(earlier: &Self, config: &Config, dependencies: &Dependencies) -> Arc<Self> {
        Self::start(config, dependencies, &earlier.accounts, earlier.latest())
    }

    fn start(
        config: &Config,
        dependencies: &Dependencies,
        earlier: &[Arc<AccountCollector>],
        latest: Option<Arc<Snapshot>>,
    ) -> Arc<Self> {
        let tasks = TaskGroup::default();
        let collector = Arc::new(Self {
            accounts: collectors::accounts(config, dependencies, earlier, &tasks),
            shard: dependencies.shard,
            settings: config.scrape.clone(),
            clock: dependencies.clock,
            metrics: Arc::clone(&dependencies.metrics),
            demands: Mutex::default(),
            tasks,
            latest: watch::Sender::new(latest),
        });
        for account in &collector.accounts {
            let (account, stop) = (Arc::clone(account), collector.tasks.stop.clone());
            collector.tasks.tracker.spawn(async move {
                let work = async {
                    tokio::join!(
                        account.serve_demands(),
                        account.keep_refreshing(),
                        account.keep_watching()
                    )
                };
                stop.run_until_cancelled(work).await
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
        self.tasks.stop.cancel();
        self.tasks.tracker.close();
        self.tasks.tracker.wait().await;
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.tasks.stop.cancel();
    }
}

#[cfg(test)]
mod fixture;
