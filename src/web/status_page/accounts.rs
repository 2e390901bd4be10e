//! The accounts and regions: their clusters, and how well they can be read.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::display_status::DisplayStatus;
use super::selection;
use crate::snapshot::{
    AccountReading, ClusterReading, DiscoveryReading, Failure, QueryReading, Snapshot,
};

/// One region of an account.
#[derive(Debug, Default)]
pub(super) struct Place<'a> {
    pub(super) account: &'a str,
    /// Empty where the endpoint needs none.
    pub(super) region: &'a str,
    clusters: Vec<&'a ClusterReading>,
    /// The source of upgrade states in use.
    pub(super) source: &'static str,
    /// The cluster list, if discovery is configured.
    pub(super) list: Option<&'a DiscoveryReading>,
    /// The provider of the account's credentials, at its first region.
    pub(super) provider: Option<&'a str>,
    pub(super) credentials_expiry: Option<Timestamp>,
    pub(super) failed_queries: BTreeMap<&'static str, FailedQuery<'a>>,
}

/// A query that failed for a region, or for clusters of it.
#[derive(Debug)]
pub(super) struct FailedQuery<'a> {
    /// The number of clusters that it failed for; 0 if it is about the region.
    pub(super) clusters: usize,
    /// One of the failures.
    pub(super) failure: &'a Failure,
}

impl<'a> Place<'a> {
    /// The number of clusters.
    pub(super) fn size(&self) -> usize {
        self.clusters.len()
    }

    /// The number of clusters in each status that some are in.
    pub(super) fn statuses(&self) -> BTreeMap<DisplayStatus, usize> {
        let clusters = self.clusters.iter();
        selection::count(clusters.map(|cluster| DisplayStatus::of(cluster)))
    }

    /// The failure of the cluster list.
    pub(super) fn list_failure(&self) -> Option<&'a Failure> {
        self.list?.failure.as_ref()
    }

    fn add_cluster(&mut self, cluster: &'a ClusterReading) {
        self.clusters.push(cluster);
        for query in &cluster.queries {
            self.add_query(query, 1);
        }
    }

    fn add_query(&mut self, query: &'a QueryReading, clusters: usize) {
        let Some(failure) = &query.failure else {
            return;
        };
        let failed = self.failed_queries.entry(query.query);
        failed
            .or_insert(FailedQuery {
                clusters: 0,
                failure,
            })
            .clusters += clusters;
    }
}

/// The regions of every account, in the order of their names.
pub(super) fn places(snapshot: &Snapshot) -> Vec<Place<'_>> {
    let mut places = Places::default();
    for cluster in &snapshot.clusters {
        let region = cluster.cluster.region.as_ref();
        let region = region.map_or("", |region| region.as_str());
        let account = cluster.cluster.account.as_str();
        places.place(account, region).add_cluster(cluster);
    }
    for account in &snapshot.accounts {
        places.add_account(account);
    }
    places.0.into_values().collect()
}

#[derive(Default)]
struct Places<'a>(BTreeMap<(&'a str, &'a str), Place<'a>>);

impl<'a> Places<'a> {
    fn place(&mut self, account: &'a str, region: &'a str) -> &mut Place<'a> {
        let place = self.0.entry((account, region)).or_default();
        place.account = account;
        place.region = region;
        place
    }

    fn add_account(&mut self, reading: &'a AccountReading) {
        let account = reading.account.as_str();
        for (region, source) in &reading.sources {
            self.place(account, region).source = source;
        }
        for list in &reading.discoveries {
            self.place(account, list.region.as_str()).list = Some(list);
        }
        for (region, query) in &reading.queries {
            self.place(account, region.as_str()).add_query(query, 0);
        }
        let mut places = self.0.values_mut();
        if let Some(first) = places.find(|place| place.account == account) {
            first.provider = reading.provider.as_deref();
            first.credentials_expiry = reading.credentials_expiry;
        }
    }
}
