//! The collector of one account: its clusters are queried in the order of need, within the
//! account's limits.

mod details;
mod lists;
mod probe;
mod query;
mod schedule;
mod serving;
mod watching;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ack_client::Client;
use ack_client::clock::Clock;
use ack_client::names::{AccountName, ClusterId};
use lists::ListRefresh;
use serving::Served;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(super) use probe::Probe;

use super::TaskGroup;
use super::account_client::AccountClient;
use super::demand::Demand;
use super::entry::{Origin, Trigger, Viewpoint};
use super::progress::CollectionProgress;
use super::region_list::RegionList;
use super::table::ClusterTable;
use super::target_resolver::TargetResolver;
use super::watches::{self, AnyWatch, ReloadedClient};
use crate::cluster::ClusterInfo;
use crate::config::{Account, Scrape};
use crate::snapshot::{AccountReading, ClusterReading};

/// One account and its clusters.
#[derive(Debug)]
pub(super) struct AccountCollector {
    account: AccountName,
    clock: Clock,
    /// Permits for the queries that may be in flight at once.
    permits: Arc<Semaphore>,
    lists: Vec<RegionList>,
    refresh: ListRefresh,
    target_resolver: TargetResolver,
    watches: Vec<Arc<dyn AnyWatch>>,
    /// Cancelled when a later collector makes the queries of the watches.
    watching: CancellationToken,
    table: Mutex<ClusterTable>,
    /// The newest demand of scrapes.
    demand: watch::Sender<Option<Demand>>,
    /// The newest demand that is served.
    served: watch::Sender<Option<Served>>,
    tasks: TaskGroup,
}

impl AccountCollector {
    /// The collector of `account`. `target_resolver` makes the targets of its clusters.
    pub(super) fn new(
        account: &Account,
        scrape: &Scrape,
        clock: Clock,
        target_resolver: TargetResolver,
        tasks: TaskGroup,
    ) -> Arc<Self> {
        let refresh = ListRefresh::new(account, scrape);
        let max_concurrency = account.access().max_concurrency.get() as usize;
        Arc::new(Self {
            account: account.name.clone(),
            clock,
            permits: Arc::new(Semaphore::new(max_concurrency)),
            lists: lists::lists(account, refresh),
            refresh,
            watches: watches::watches(&account.name, &account.watch),
            watching: CancellationToken::new(),
            table: Mutex::new(ClusterTable::new(target_resolver.configured(account))),
            target_resolver,
            demand: watch::Sender::default(),
            served: watch::Sender::default(),
            tasks,
        })
    }

    /// The account's name.
    pub(super) fn name(&self) -> &AccountName {
        &self.account
    }

    /// The client of the account.
    pub(super) fn account_client(&self) -> &AccountClient {
        self.target_resolver.account_client()
    }

    fn client(&self) -> &Client {
        self.account_client().client()
    }

    /// The reading of the account itself.
    pub(super) fn reading(&self) -> AccountReading {
        AccountReading {
            account: self.account.clone(),
            provider: self.client().credentials().provider(),
            credentials_expiry: self.client().credentials().expires_at(),
            sources: self.account_client().sources_in_use(),
            discoveries: self.lists.iter().filter_map(RegionList::reading).collect(),
            queries: self
                .watches
                .iter()
                .flat_map(|watch| watch.region_readings())
                .collect(),
        }
    }

    /// True if the configuration names clusters of this instance.
    pub(super) fn has_configured(&self) -> bool {
        self.lock()
            .entries
            .values()
            .any(|entry| entry.target.origin == Origin::Configured)
    }

    /// All clusters known.
    pub(super) fn clusters(&self) -> Vec<Arc<ClusterInfo>> {
        self.lock()
            .entries
            .values()
            .map(|entry| Arc::clone(&entry.target.info))
            .collect()
    }

    /// The cluster as it is known, if the account has it.
    pub(super) fn cluster(&self, id: &ClusterId) -> Option<Arc<ClusterInfo>> {
        let table = self.lock();
        let entry = table.entries.get(id)?;
        Some(Arc::clone(&entry.target.info))
    }

    /// The cluster with this ID, if the account has it.
    pub(super) fn find_by_id(&self, target: &str) -> Option<ClusterId> {
        let id = ClusterId::parse(target).ok()?;
        self.lock().entries.contains_key(&id).then_some(id)
    }

    /// The first cluster that `target` means, by ID or name.
    pub(super) fn find_by_name(&self, target: &str) -> Option<ClusterId> {
        let table = self.lock();
        let mut clusters = table.entries.values().map(|entry| &entry.target.info);
        clusters
            .find(|info| info.is_meant(target))
            .map(|info| info.id.clone())
    }

    /// The progress of the queries of the clusters for the demand of `since`.
    pub(super) fn cluster_progress(&self, since: Instant) -> CollectionProgress {
        self.lock().progress(since)
    }

    /// Adds the reading of each cluster to `readings`, for a scrape whose page is due. It has
    /// waited for `demand` or, if others share that, for the `shorter` time. A reading of a cluster
    /// that was not queried is served up to `max_age`. Returns true if every cluster has served the
    /// demand and no query is awaited.
    pub(super) fn add_readings(
        &self,
        demand: &Demand,
        shorter: Option<Duration>,
        max_age: Duration,
        readings: &mut Vec<ClusterReading>,
    ) -> bool {
        let table = self.lock();
        let now = Instant::now();
        let viewpoint = Viewpoint {
            trigger: Trigger::Scrape,
            since: demand.since,
            end: demand.deadline.instant(),
            share: shorter.map_or(Duration::MAX, |length| table.fair_share.share(now, length)),
            blocked_by: table.blocked_by,
            max_age,
            now,
        };
        for entry in table.entries.values() {
            let mut reading = entry.reading(&viewpoint);
            self.add_watched(&mut reading, now);
            readings.push(reading);
        }
        table.is_complete(demand.since)
    }

    /// Takes over the results of `earlier` for the same clusters and, if both have one client, its
    /// lists. `earlier` keeps them too, for the scrapes that still wait there, but watches no more.
    pub(super) fn inherit(&self, earlier: &Self) {
        earlier.watching.cancel();
        let account_client = self.account_client();
        let client = if account_client.shares_client_with(earlier.account_client()) {
            ReloadedClient::Kept
        } else {
            ReloadedClient::Replaced
        };
        for (watch, earlier) in self.same_watches(earlier) {
            watch.inherit(earlier, client);
        }
        let results = earlier.lock().cached_results();
        self.lock().inherit(results);
        if client == ReloadedClient::Kept {
            self.inherit_lists(&earlier.lists);
        }
        self.drop_inherited_once_listed();
    }

    /// Drops inherited results of clusters that are gone, once all lists have been read.
    fn drop_inherited_once_listed(&self) {
        if self.has_found() {
            self.lock().drop_inherited();
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ClusterTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
