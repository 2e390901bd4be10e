//! A cluster as the configuration and the account's list describe it.

use std::collections::BTreeMap;

use ack_client::ClusterState;
use ack_client::names::{AccountName, ClusterId, Region};

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
    /// Returns true if `target` is the ID or the name of this cluster.
    pub fn is_meant(&self, target: &str) -> bool {
        self.id.is_meant(&self.name, target)
    }
}
