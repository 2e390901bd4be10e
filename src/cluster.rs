//! A cluster as the configuration and the account's list describe it.

use std::collections::BTreeMap;

use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{ClusterState, ListedCluster};

/// A cluster and its properties apart from the upgrade. Unknown text is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterInfo {
    pub id: ClusterId,
    pub name: String,
    /// The account whose credentials query it.
    pub account: AccountName,
    /// None where the endpoint needs no region.
    pub region: Option<Region>,
    /// The API's `cluster_type`.
    pub cluster_type: String,
    /// The API's `cluster_spec`.
    pub spec: String,
    /// The API's `profile`, which no metric shows.
    pub profile: String,
    /// The Kubernetes version that it runs.
    pub version: String,
    /// The Kubernetes version that it can be upgraded to.
    pub next_version: String,
    /// The API's `state`; None where the cluster list is not read.
    pub state: Option<ClusterState>,
    /// The labels of the configuration.
    pub labels: BTreeMap<String, String>,
}

impl ClusterInfo {
    /// A cluster of which nothing else is known.
    pub fn new(id: ClusterId, account: AccountName, region: Option<Region>) -> Self {
        Self {
            id,
            name: String::new(),
            account,
            region,
            cluster_type: String::new(),
            spec: String::new(),
            profile: String::new(),
            version: String::new(),
            next_version: String::new(),
            state: None,
            labels: BTreeMap::new(),
        }
    }

    /// Takes over the properties of the cluster in a list. A name that is known stays.
    pub fn update(&mut self, listed: &ListedCluster) {
        if self.name.is_empty() {
            self.name.clone_from(&listed.name);
        }
        self.cluster_type.clone_from(&listed.cluster_type);
        self.spec.clone_from(&listed.spec);
        self.profile.clone_from(&listed.profile);
        self.version.clone_from(&listed.version);
        self.next_version.clone_from(&listed.next_version);
        self.state = listed.state;
    }

    /// Returns true if `target` is the ID or the name of this cluster.
    pub fn is_meant(&self, target: &str) -> bool {
        self.id.is_meant(&self.name, target)
    }
}
