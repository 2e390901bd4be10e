//! From the configuration to what collects.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;

use super::lane::Lane;
use super::record::Target;
use crate::api::{Client, Limiter, Observer, Transport};
use crate::clock::Clock;
use crate::config::{Account, Config};
use crate::credentials::{self, Credentials};
use crate::names::{AccountName, Region};
use crate::snapshot::ClusterInfo;
use crate::source::{UpgradeSource, source};

/// What the outside world looks like to a collector.
#[derive(Debug)]
pub struct Surroundings {
    /// The time of day.
    pub clock: Clock,
    /// The way to the vendor.
    pub transport: Arc<dyn Transport>,
    /// Where credentials come from.
    pub credentials: credentials::Context,
    /// Who counts.
    pub audience: Arc<dyn Audience>,
}

/// Counts what a collector does.
pub trait Audience: Debug + Send + Sync {
    /// Who counts the calls of `account`.
    fn observer(&self, account: &AccountName) -> Arc<dyn Observer>;

    /// A scrape was served from a finished collection.
    fn cached_scrape(&self);

    /// A scrape joined a collection that was under way.
    fn coalesced_scrape(&self);
}

/// One lane an account.
pub(super) fn lanes(config: &Config, surroundings: &Surroundings) -> Vec<Arc<Lane>> {
    config.accounts.iter().map(|account| lane(account, surroundings)).collect()
}

fn lane(account: &Account, surroundings: &Surroundings) -> Arc<Lane> {
    let max_concurrency = account.max_concurrency.get();
    let client = Arc::new(Client::new(
        Arc::clone(&surroundings.transport),
        Arc::new(Credentials::new(account.name.clone(), account.credentials.clone(), surroundings.credentials.clone())),
        account.signature,
        Limiter::new(account.rate_limit, 1, max_concurrency),
        surroundings.audience.observer(&account.name),
        surroundings.clock,
    ));
    let targets = targets(account, &client);
    Lane::new(account.name.clone(), client, surroundings.clock, max_concurrency as usize, targets)
}

fn targets(account: &Account, client: &Arc<Client>) -> Vec<Target> {
    let mut sources: HashMap<Option<&Region>, Arc<dyn UpgradeSource>> = HashMap::new();
    let targets = account.clusters.iter().map(|cluster| {
        let region = cluster.region.as_ref();
        let source = sources.entry(region).or_insert_with(|| source(account, region, client));
        let info = ClusterInfo {
            id: cluster.id.clone(),
            name: cluster.name.clone(),
            account: account.name.clone(),
            region: cluster.region.clone(),
            cluster_type: String::new(),
            spec: String::new(),
            version: String::new(),
            next_version: String::new(),
            state: None,
            labels: cluster.labels.clone(),
        };
        Target { info: Arc::new(info), endpoint: cluster.endpoint.clone(), source: Arc::clone(source) }
    });
    targets.collect()
}
