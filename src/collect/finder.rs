//! From a cluster that is named or listed to what is asked about it.

use std::collections::BTreeMap;
use std::sync::Arc;

use ack_client::Endpoint;
use ack_client::ListedCluster;
use ack_client::names::{AccountName, ClusterId};

use super::contact::Contact;
use super::record::{Origin, Target};
use crate::config::{Cluster, ListedRegion};
use crate::shard::Shard;
use crate::snapshot::ClusterInfo;

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
    /// A finder for what `account` knows through `contact`; `owners` are the accounts of the
    /// configured clusters.
    pub(super) fn new(
        account: AccountName,
        shard: Shard,
        contact: Contact,
        owners: Arc<BTreeMap<ClusterId, AccountName>>,
    ) -> Self {
        Self {
            account,
            shard,
            contact,
            owners,
        }
    }

    /// How the account is asked.
    pub(super) fn contact(&self) -> &Contact {
        &self.contact
    }

    /// What is asked at `endpoint` about a cluster that the operator names; None if it is another
    /// instance's.
    pub(super) fn configured(&self, cluster: &Cluster, endpoint: &Endpoint) -> Option<Target> {
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
        self.make(info, endpoint, Origin::Configured)
    }

    /// What is asked about a cluster that the list at `place` has; None if it is another
    /// instance's, or configured.
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
        Some(Target {
            info: Arc::new(info),
            origin,
            endpoint: endpoint.clone(),
            source,
        })
    }
}
