//! From a cluster that is configured or listed to the target of its queries.

use std::collections::BTreeMap;
use std::sync::Arc;

use ack_client::Endpoint;
use ack_client::ListedCluster;
use ack_client::names::{AccountName, ClusterId};

use super::account_client::AccountClient;
use super::entry::{Origin, Target};
use crate::cluster::ClusterInfo;
use crate::config::{Account, ListedRegion};
use crate::shard::Shard;

/// Makes targets of the clusters that are configured or listed and belong to this shard.
#[derive(Debug)]
pub(super) struct TargetResolver {
    account: AccountName,
    shard: Shard,
    account_client: AccountClient,
    /// The account of each configured cluster.
    owners: Arc<BTreeMap<ClusterId, AccountName>>,
}

impl TargetResolver {
    /// A resolver for the clusters of `account`. `owners` has the account of each configured
    /// cluster.
    pub(super) fn new(
        account: AccountName,
        shard: Shard,
        account_client: AccountClient,
        owners: Arc<BTreeMap<ClusterId, AccountName>>,
    ) -> Self {
        Self {
            account,
            shard,
            account_client,
            owners,
        }
    }

    /// The client of the account.
    pub(super) fn account_client(&self) -> &AccountClient {
        &self.account_client
    }

    /// The targets for the clusters of the configuration, but for those of other shards.
    pub(super) fn configured(&self, account: &Account) -> Vec<Target> {
        let targets = account.clusters.iter().filter_map(|cluster| {
            let info = ClusterInfo {
                name: cluster.name.clone(),
                labels: cluster.labels.clone(),
                ..ClusterInfo::new(
                    cluster.id.clone(),
                    self.account.clone(),
                    cluster.region.clone(),
                )
            };
            let endpoint = account.endpoint(cluster.region.as_ref());
            self.target(info, endpoint, Origin::Configured)
        });
        targets.collect()
    }

    /// The target for a cluster in the list of `place`; None if another shard owns it, or if it is
    /// configured.
    pub(super) fn listed(&self, place: &ListedRegion, cluster: &ListedCluster) -> Option<Target> {
        // A cluster that two accounts can read is queried through the one that names it.
        if self.owners.contains_key(&cluster.id) {
            return None;
        }
        let (id, account) = (cluster.id.clone(), self.account.clone());
        let mut info = ClusterInfo::new(id, account, Some(place.region.clone()));
        info.update(cluster);
        self.target(info, place.endpoint.clone(), Origin::Discovered)
    }

    fn target(&self, info: ClusterInfo, endpoint: Endpoint, origin: Origin) -> Option<Target> {
        if !self.shard.owns(&info.id) {
            return None;
        }
        let query = self.account_client.query(info.region.as_ref())?.clone();
        Some(Target {
            info: Arc::new(info),
            origin,
            endpoint,
            query,
        })
    }
}
