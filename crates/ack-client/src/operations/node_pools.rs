//! `DescribeClusterNodePools`: `GET /clusters/{ClusterId}/nodepools`.

use super::{paging, word};
use crate::budget::Budget;
use crate::client::{Call, Client};
use crate::decode::{Field, Keyword, LenientObject as _, List, Report, lenient_object};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::names::ClusterId;
use crate::operation::Operation;
use crate::response::{KnownKeys, ResponseObject};
use crate::state_set::state_set;

/// A node pool. Texts are cleaned and at most 256 characters long; a text that the API did not send
/// is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePool {
    /// The ID: `np` and 32 characters.
    pub id: String,
    /// The name.
    pub name: String,
    /// `type` in lower case: `ess`, `edge` or `lingjun`.
    pub kind: String,
    /// The state.
    pub state: NodePoolState,
    /// The numbers of nodes.
    pub nodes: NodeCounts,
    /// The kubelet version of new nodes, such as `1.33.3-aliyun.1`. Nodes that were not upgraded
    /// yet may have an older one.
    pub kubelet_version: String,
    /// The container runtime, such as `containerd`.
    pub runtime: String,
    /// The version of the container runtime, such as `1.6.20`.
    pub runtime_version: String,
    /// The ID of the image of new nodes.
    pub image: String,
}

state_set! {
    /// The state of a node pool.
    NodePoolState {
        /// Nothing is changing.
        Active = "active",
        /// Nodes are being added.
        Scaling = "scaling",
        /// Nodes are being removed.
        Removing = "removing",
        /// The pool is being deleted.
        Deleting = "deleting",
        /// The pool is being changed. An upgrade has no state of its own.
        Updating = "updating",
        /// The pool is being created.
        Initial = "initial",
        /// The last change has failed.
        Failed = "failed",
        /// A value that the API's reference does not list, or a missing one.
        Unknown = "unknown",
    }
}

/// The numbers of nodes of a pool, as far as the API gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeCounts {
    /// All nodes.
    pub total: Option<u64>,
    /// The healthy nodes.
    pub healthy: Option<u64>,
    /// The nodes that failed to join.
    pub failed: Option<u64>,
    /// The nodes that are being set up.
    pub initial: Option<u64>,
    /// The nodes without a connection.
    pub offline: Option<u64>,
    /// The nodes that are being removed.
    pub removing: Option<u64>,
    /// The nodes in use.
    pub serving: Option<u64>,
}

lenient_object! {
    pub(super) struct NodePoolList at "" {
        nodepools: List<NodePoolFields> = "nodepools",
    }
}

lenient_object! {
    pub(super) struct NodePoolFields at "nodepool." {
        info: InfoFields = "nodepool_info",
        status: StatusFields = "status",
        components: List<ComponentFields> = "node_components",
        kubernetes: KubernetesFields = "kubernetes_config",
        scaling_group: ScalingGroupFields = "scaling_group",
    }

    fn is_usable(&self) -> bool {
        self.info.value().is_some_and(|info| info.nodepool_id.value().is_some())
    }
}

lenient_object! {
    pub(super) struct InfoFields at "nodepool.nodepool_info." {
        nodepool_id: String = "nodepool_id",
        name: String = "name",
        kind: Keyword = "type",
        is_default: bool = "is_default", // counted only
    }
}

lenient_object! {
    pub(super) struct StatusFields at "nodepool.status." {
        state: Keyword = "state",
        total: u64 = "total_nodes",
        healthy: u64 = "healthy_nodes",
        failed: u64 = "failed_nodes",
        initial: u64 = "initial_nodes",
        offline: u64 = "offline_nodes",
        removing: u64 = "removing_nodes",
        serving: u64 = "serving_nodes",
    }
}

lenient_object! {
    pub(super) struct ComponentFields at "nodepool.node_components." {
        name: String = "name",
        version: String = "version",
    }

    fn is_usable(&self) -> bool {
        self.name.value().is_some()
    }
}

lenient_object! {
    pub(super) struct KubernetesFields at "nodepool.kubernetes_config." {
        runtime: String = "runtime",
        runtime_version: String = "runtime_version",
    }
}

lenient_object! {
    pub(super) struct ScalingGroupFields at "nodepool.scaling_group." {
        image_id: String = "image_id",
    }
}

impl ResponseObject for NodePoolList {
    fn is_recognized(&self, keys: KnownKeys) -> bool {
        paging::is_list(&self.nodepools, keys)
    }
}

/// Lists all node pools of `cluster`. The API has no pages. User data, labels and the settings of
/// components are skipped while the response is read. Dropping the future cancels the call.
pub async fn list_node_pools(
    client: &Client,
    endpoint: &Endpoint,
    cluster: &ClusterId,
    budget: &Budget,
) -> Result<Vec<NodePool>, ApiError> {
    let path = format!("/clusters/{cluster}/nodepools");
    let call = Call::new(Operation::DescribeClusterNodePools, endpoint, &path);
    let list: NodePoolList = client.call(&call, budget).await?;
    let mut report = client.unknown_values();
    let pools = list.nodepools.into_items().into_iter();
    Ok(pools.map(|pool| pool.into_pool(&mut report)).collect())
}

impl NodePoolFields {
    /// Converts the fields and reports the unexpected ones.
    fn into_pool(self, report: &mut Report<'_>) -> NodePool {
        self.report_unexpected_fields(report);
        let info = self.info.into_value().unwrap_or_default();
        let status = self.status.into_value().unwrap_or_default();
        let kubernetes = self.kubernetes.into_value().unwrap_or_default();
        let scaling_group = self.scaling_group.into_value().unwrap_or_default();
        NodePool {
            id: info.nodepool_id.into_text(),
            name: info.name.into_text(),
            kind: info.kind.into_lower_case(),
            nodes: status.counts(),
            state: status.state.into_listed(
                "nodepool.status.state",
                [NodePoolState::Unknown; 2],
                NodePoolState::from_word,
                report,
            ),
            kubelet_version: kubelet_version(self.components, report),
            runtime: kubernetes.runtime.into_text(),
            runtime_version: kubernetes.runtime_version.into_text(),
            image: scaling_group.image_id.into_text(),
        }
    }
}

impl StatusFields {
    fn counts(&self) -> NodeCounts {
        let count = |field: &Field<u64>| field.value().copied();
        NodeCounts {
            total: count(&self.total),
            healthy: count(&self.healthy),
            failed: count(&self.failed),
            initial: count(&self.initial),
            offline: count(&self.offline),
            removing: count(&self.removing),
            serving: count(&self.serving),
        }
    }
}

impl NodePoolState {
    fn from_word(word: &str) -> Option<Self> {
        match word {
            "removing_nodes" => Some(Self::Removing),
            word => word::find(word),
        }
    }
}

/// The version of the component `kubelet`, in any letter case.
fn kubelet_version(components: Field<List<ComponentFields>>, report: &mut Report<'_>) -> String {
    let is_kubelet = |component: &ComponentFields| {
        let name = component.name.value();
        name.is_some_and(|name| name.trim().eq_ignore_ascii_case("kubelet"))
    };
    let components = components.into_items();
    let Some(kubelet) = components.into_iter().find(is_kubelet) else {
        return String::new();
    };
    // Unexpected fields of other components do not matter to anyone.
    kubelet.report_unexpected_fields(report);
    kubelet.version.into_text()
}

#[cfg(test)]
mod tests;
