//! The answers about one cluster, of all queries.

use std::sync::Arc;

use serde::Serialize;

use super::addons::ClusterAddons;
use super::maintenance::ClusterMaintenance;
use super::node_pools::NodePool;
use super::plans::Plan;
use super::prechecks::Precheck;
use super::versions::VersionSupport;

/// Everything known of a cluster beside its upgrade. A field is None if the account does not watch
/// it, or if there is no answer yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Watched {
    /// The operations planned for the cluster, in the order of their starts.
    pub plans: Option<Arc<[Plan]>>,
    /// The support of the version that the cluster runs.
    pub version_support: Option<VersionSupport>,
    /// The node pools of the cluster, in the order of the API.
    pub node_pools: Option<Vec<NodePool>>,
    /// The installed add-ons and their newest versions.
    pub addons: ClusterAddons,
    /// The newest check of each type.
    pub prechecks: Option<Arc<[Precheck]>>,
    /// The automatic upgrades and the maintenance window of the cluster.
    pub maintenance: Option<ClusterMaintenance>,
}
