//! From the configuration to what collects.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use super::contact::Contact;
use super::discovery::{Purpose, RegionList};
use super::lane::{Lane, Parts, Refresh};
use super::record::{Origin, Target};
use super::roster::Idling;
use crate::api::{ListedCluster, Observer, Ways};
use crate::clock::Clock;
use crate::config::{Account, Cluster, Config, Endpoint, ListedRegion, Scrape};
use crate::credentials;
use crate::names::{AccountName, ClusterId};
use crate::shard::Shard;
use crate::snapshot::ClusterInfo;

/// What the outside world looks like to a collector.
#[derive(Debug)]
pub struct Surroundings {
    /// The time of day.
    pub clock: Clock,
    /// The ways to the vendor.
    pub ways: Arc<dyn Ways>,
    /// The part of the clusters that is this instance's.
    pub shard: Shard,
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

/// One lane an account; those of `earlier` hand over to them.
pub(super) fn lanes(config: &Config, surroundings: &Surroundings, earlier: &[Arc<Lane>]) -> Vec<Arc<Lane>> {
    // A cluster that two accounts see is asked through the first that names it; two would be two readings of one thing.
    let configured =
        config.accounts.iter().flat_map(|account| account.clusters.iter().map(|cluster| (cluster.id.clone(), account.name.clone())));
    let owners = Arc::new(configured.collect());
    let lane = |account: &Account| {
        let earlier = earlier.iter().find(|earlier| *earlier.name() == account.name);
        let contact = Contact::new(account, surroundings, earlier.map(|earlier| earlier.contact()));
        if earlier.is_none_or(|earlier| !contact.is_kept_from(earlier.contact())) {
            let calls = account.access.rate_limit.calls_within(config.scrape.timeout, surroundings.shard.total());
            tracing::info!(account = %account.name, clusters_named = account.clusters.len(), calls_a_scrape = calls, "rate limit of the account");
        }
        let lane = lane(account, &config.scrape, surroundings, contact, Arc::clone(&owners));
        if let Some(earlier) = earlier {
            lane.inherit(earlier);
        }
        lane
    };
    config.accounts.iter().map(lane).collect()
}

fn lane(
    account: &Account,
    scrape: &Scrape,
    surroundings: &Surroundings,
    contact: Contact,
    owners: Arc<BTreeMap<ClusterId, AccountName>>,
) -> Arc<Lane> {
    let client = Arc::clone(contact.client());
    let finder = Finder { account: account.name.clone(), shard: surroundings.shard, contact, owners };
    let targets = account.clusters.iter().filter_map(|cluster| finder.configured(cluster)).collect();
    let refresh = Refresh {
        // Without discovery there is no list, or one that only scrapes need.
        interval: account.discovery.as_ref().map_or(Duration::MAX, |discovery| discovery.refresh_interval),
        idling: (!scrape.idle_interval.is_zero()).then_some(Idling { interval: scrape.idle_interval }),
    };
    Lane::new(Parts {
        account: account.name.clone(),
        client,
        clock: surroundings.clock,
        max_concurrency: account.access.max_concurrency.get() as usize,
        lists: lists(account, refresh),
        refresh,
        finder,
        targets,
    })
}

/// The lists that have to be read: those of discovery and, where scrapes go by them, those of the other clusters' regions.
fn lists(account: &Account, refresh: Refresh) -> Vec<RegionList> {
    let list = |place: &ListedRegion, purpose| RegionList::new(account.name.clone(), place.clone(), purpose);
    let mut lists = Vec::new();
    let mut listed = BTreeSet::new();
    if let Some(discovery) = &account.discovery {
        for place in &discovery.regions {
            listed.insert(&place.region);
            lists.push(list(place, Purpose::Discovery(discovery.wanted.clone())));
        }
    }
    if refresh.idling.is_some() {
        for cluster in &account.clusters {
            if let Some(region) = cluster.region.as_ref().filter(|region| !listed.contains(region)) {
                listed.insert(region);
                lists.push(list(&ListedRegion { region: region.clone(), endpoint: cluster.endpoint.clone() }, Purpose::Detail));
            }
        }
    }
    lists
}

/// Makes targets of what is configured or listed; of this instance's part only.
#[derive(Debug)]
pub(super) struct Finder {
    account: AccountName,
    shard: Shard,
    contact: Contact,
    /// The account of each configured cluster.
    owners: Arc<BTreeMap<ClusterId, AccountName>>,
}

impl Finder {
    pub(super) fn contact(&self) -> &Contact {
        &self.contact
    }

    fn configured(&self, cluster: &Cluster) -> Option<Target> {
        let info = ClusterInfo {
            id: cluster.id.clone(),
            name: cluster.name.clone(),
            account: self.account.clone(),
            region: cluster.region.clone(),
            cluster_type: String::new(),
            spec: String::new(),
            version: String::new(),
            next_version: String::new(),
            state: None,
            labels: cluster.labels.clone(),
        };
        self.make(info, &cluster.endpoint, Origin::Configured)
    }

    /// What is asked about a cluster that the list at `place` has; None if it is another instance's, or configured.
    pub(super) fn target(&self, place: &ListedRegion, cluster: &ListedCluster) -> Option<Target> {
        if self.owners.contains_key(&cluster.id) {
            return None;
        }
        let info = ClusterInfo {
            id: cluster.id.clone(),
            name: cluster.name.clone(),
            account: self.account.clone(),
            region: Some(place.region.clone()),
            cluster_type: cluster.cluster_type.clone(),
            spec: cluster.spec.clone(),
            version: cluster.version.clone(),
            next_version: cluster.next_version.clone(),
            state: Some(cluster.state.clone()).filter(|state| !state.is_empty()),
            labels: BTreeMap::new(),
        };
        self.make(info, &place.endpoint, Origin::Discovered)
    }

    fn make(&self, info: ClusterInfo, endpoint: &Endpoint, origin: Origin) -> Option<Target> {
        if !self.shard.owns(&info.id) {
            return None;
        }
        let source = Arc::clone(self.contact.source(info.region.as_ref())?);
        Some(Target { info: Arc::new(info), origin, endpoint: endpoint.clone(), source })
    }
}
