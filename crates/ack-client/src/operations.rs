//! The operations in use, one file each, and the types and the paging that they share.
//!
//! Source of paths and fields: the reference and the SDKs' models of CS 2015-12-15, in which every
//! field of a response is optional.

mod addon_instances;
mod addons;
mod check_items;
mod cluster;
mod cluster_check;
mod cluster_checks;
mod cluster_detail;
mod cluster_list;
mod cluster_settings;
#[cfg(test)]
mod fake_api;
mod kubernetes_versions;
mod list_order;
mod maintenance_window;
mod node_pool_upgrades;
mod node_pools;
mod operation_plans;
mod paging;
mod recurrence;
mod task;
mod task_info;
mod task_list;
mod task_parameters;
mod upgrade_status;
mod wanted_tasks;
mod word;

pub use addon_instances::{AddonInstance, AddonState, list_addon_instances};
pub use addons::{AddonCombination, AddonOffer, list_addons};
pub use cluster::{ClusterState, ListedCluster};
pub use cluster_check::{CheckResult, CheckVerdict, get_cluster_check};
pub use cluster_checks::{ClusterCheck, list_cluster_checks};
pub use cluster_detail::describe_cluster;
pub use cluster_list::{ListOperation, list_clusters};
pub use cluster_settings::{
    AutoUpgrade, ClusterSettings, UpgradeChannel, describe_cluster_settings,
};
pub use kubernetes_versions::{KubernetesVersion, VersionFilter, list_kubernetes_versions};
pub use maintenance_window::{Exclusion, ExclusionScope, MaintenanceWindow, WindowStart};
pub use node_pool_upgrades::{NodePoolUpgrade, NodePoolUpgrades, read_node_pool_upgrades};
pub use node_pools::{NodeCounts, NodePool, NodePoolState, list_node_pools};
pub use operation_plans::{OperationPlan, PlanState, list_operation_plans};
pub use recurrence::Recurrence;
pub use task::{Target, Task};
pub use task_info::{TaskInfo, describe_task};
pub use task_list::{UpgradeTasks, explain_tasks};
pub use upgrade_status::{UpgradeStatusResponse, explain_upgrade_status, get_upgrade_status};

use crate::decode::LenientObject as _;

/// The names of all decoded fields, as in [`CallMetrics::unknown_value`](crate::CallMetrics). A name
/// that several operations have is there several times.
pub fn fields() -> impl Iterator<Item = &'static str> {
    let mut names = Vec::new();
    addon_instances::AddonInstanceList::add_field_names(&mut names);
    addons::AddonList::add_field_names(&mut names);
    cluster_checks::CheckList::add_field_names(&mut names);
    cluster_list::ClusterPage::add_field_names(&mut names);
    cluster_settings::SettingsFields::add_field_names(&mut names);
    kubernetes_versions::VersionList::add_field_names(&mut names);
    node_pools::NodePoolList::add_field_names(&mut names);
    operation_plans::PlanList::add_field_names(&mut names);
    task_list::TaskPage::add_field_names(&mut names);
    upgrade_status::UpgradeStatusFields::add_field_names(&mut names);
    names.into_iter()
}

/// The parameters of a query that have a value: the SDKs do not agree on how to sign an empty one.
fn nonempty<const N: usize>(parameters: [(&'static str, &str); N]) -> Vec<(&'static str, String)> {
    parameters
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key, value.to_owned()))
        .collect()
}
