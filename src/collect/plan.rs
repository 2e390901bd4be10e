//! The accounts' collectors, made from the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::{AccountName, ClusterId, Region};

use super::account::{AccountCollector, ListRefresh, Parts};
use super::account_client::AccountClient;
use super::dependencies::Dependencies;
use super::region_list::{ListPurpose, RegionList};
use super::table::IdlePolicy;
use super::target_resolver::TargetResolver;
use super::{TaskGroup, watches};
use crate::config::{Account, Config, Scrape};

/// One collector for each account. They take over from those of `earlier`.
pub(super) fn accounts(
    config: &Config,
    dependencies: &Dependencies,
    earlier: &[Arc<AccountCollector>],
    tasks: &TaskGroup,
) -> Vec<Arc<AccountCollector>> {
    let owners = Arc::new(owners(config));
    let mut accounts = Vec::new();
    for account in &config.accounts {
        let earlier = earlier
            .iter()
            .find(|earlier| *earlier.name() == account.name);
        let client = AccountClient::new(
            account,
            dependencies,
            earlier.map(|earlier| earlier.account_client()),
        );
        if earlier.is_none_or(|earlier| !client.shares_client_with(earlier.account_client())) {
            let calls = account
                .access()
                .rate_limit
                .calls_within(config.scrape.timeout, dependencies.shard.total());
            tracing::info!(
                account = %account.name,
                clusters_named = account.clusters.len(),
                calls_a_scrape = calls,
                "rate limit of the account"
            );
        }
        let owners = Arc::clone(&owners);
        let parts = parts(account, &config.scrape, dependencies, client, owners);
        let collector = AccountCollector::new(parts, tasks.clone());
        if let Some(earlier) = earlier {
            collector.inherit(earlier);
        }
        accounts.push(collector);
    }
    accounts
}

/// The account of each configured cluster.
fn owners(config: &Config) -> BTreeMap<ClusterId, AccountName> {
    let mut owners = BTreeMap::new();
    for account in &config.accounts {
        for cluster in &account.clusters {
            owners.insert(cluster.id.clone(), account.name.clone());
        }
    }
    owners
}

fn parts(
    account: &Account,
    scrape: &Scrape,
    dependencies: &Dependencies,
    account_client: AccountClient,
    owners: Arc<BTreeMap<ClusterId, AccountName>>,
) -> Parts {
    let target_resolver = TargetResolver::new(
        account.name.clone(),
        dependencies.shard,
        account_client,
        owners,
    );
    let targets = account
        .clusters
        .iter()
        .filter_map(|cluster| {
            let endpoint = account.endpoint(cluster.region.as_ref());
            target_resolver.configured(cluster, &endpoint)
        })
        .collect();
    let refresh = ListRefresh {
        interval: account.list_interval().unwrap_or(Duration::MAX),
        idle_policy: (!scrape.idle_interval.is_zero()).then_some(IdlePolicy {
            interval: scrape.idle_interval,
        }),
    };
    Parts {
        account: account.name.clone(),
        clock: dependencies.clock,
        max_concurrency: account.access().max_concurrency.get() as usize,
        lists: lists(account, refresh),
        refresh,
        target_resolver,
        targets,
        watches: watches::watches(&account.name, &account.watch),
    }
}

/// The lists that have to be read: those of discovery and, if scrapes skip idle clusters or more is
/// asked about them, those of the other clusters' regions.
fn lists(account: &Account, refresh: ListRefresh) -> Vec<RegionList> {
    let list = |region: &Region, purpose| {
        let place = account.listed_region(region);
        RegionList::new(account.name.clone(), place, purpose)
    };
    let mut lists = Vec::new();
    let mut listed = BTreeSet::new();
    if let Some(discovery) = &account.discovery {
        for region in &discovery.regions {
            listed.insert(region);
            lists.push(list(
                region,
                ListPurpose::Discovery(discovery.wanted.clone()),
            ));
        }
    }
    if refresh.idle_policy.is_some() || !account.watch.is_empty() {
        for cluster in &account.clusters {
            if let Some(region) = cluster
                .region
                .as_ref()
                .filter(|region| !listed.contains(region))
            {
                listed.insert(region);
                lists.push(list(region, ListPurpose::Detail));
            }
        }
    }
    lists
}
