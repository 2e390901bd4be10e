//! One node pool, as it is shown.

use ack_client::{NodeCounts, NodePoolState, NodePoolUpgrades, Status};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::cluster::ClusterInfo;
use crate::queries::json;
use crate::queries::versions::minor;

/// A node pool, as it is shown. Texts that the API did not send are empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodePool {
    pub id: String,
    #[serde(serialize_with = "json::text")]
    pub name: String,
    /// `ess`, `edge` or `lingjun`.
    #[serde(rename = "type", serialize_with = "json::text")]
    pub kind: String,
    #[serde(serialize_with = "json::state")]
    pub state: NodePoolState,
    #[serde(serialize_with = "by_condition")]
    pub nodes: NodeCounts,
    /// The kubelet version of new nodes.
    #[serde(serialize_with = "json::text")]
    pub kubelet_version: String,
    #[serde(serialize_with = "json::text")]
    pub runtime: String,
    #[serde(serialize_with = "json::text")]
    pub runtime_version: String,
    #[serde(serialize_with = "json::text")]
    pub image: String,
    /// Minor versions between the kubelets and the control plane; None if one is not known.
    pub versions_behind: Option<u32>,
    /// The newest upgrade; None if its task has not been found yet.
    pub upgrade: Option<NodePoolUpgrade>,
}

/// An upgrade of a node pool. Each has a task of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodePoolUpgrade {
    /// The status; `none` if the pool was never upgraded. A pause without an error is usually a
    /// planned one.
    #[serde(serialize_with = "json::state")]
    pub status: Status,
    #[serde(serialize_with = "json::text")]
    pub task_id: String,
    /// The Kubernetes version after the upgrade.
    #[serde(serialize_with = "json::text")]
    pub target_version: String,
    pub error_message: Option<String>,
    /// The time of creation of the task.
    #[serde(serialize_with = "json::time")]
    pub started: Option<Timestamp>,
    /// The time of the last change of the task.
    #[serde(serialize_with = "json::time")]
    pub updated: Option<Timestamp>,
}

impl NodePool {
    /// The `pool` with its upgrade, if `tasks` have one. It is not compared with its cluster yet.
    pub(super) fn new(pool: ack_client::NodePool, tasks: &NodePoolUpgrades) -> Self {
        let newest = tasks.newest.iter().find(|task| task.node_pool == pool.id);
        let upgrade = newest.map(NodePoolUpgrade::from);
        Self {
            // While tasks are missing, one of them may be this pool's.
            upgrade: upgrade.or_else(|| tasks.is_complete.then(NodePoolUpgrade::never)),
            id: pool.id,
            name: pool.name,
            kind: pool.kind,
            state: pool.state,
            nodes: pool.nodes,
            kubelet_version: pool.kubelet_version,
            runtime: pool.runtime,
            runtime_version: pool.runtime_version,
            image: pool.image,
            versions_behind: None,
        }
    }

    /// The pool with its distance from the version that `cluster` has now.
    pub(super) fn compared_with(&self, cluster: &ClusterInfo) -> Self {
        Self {
            versions_behind: versions_behind(&cluster.version, &self.kubelet_version),
            ..self.clone()
        }
    }
}

impl NodePoolUpgrade {
    fn never() -> Self {
        Self {
            status: Status::None,
            task_id: String::new(),
            target_version: String::new(),
            error_message: None,
            started: None,
            updated: None,
        }
    }
}

impl From<&ack_client::NodePoolUpgrade> for NodePoolUpgrade {
    fn from(upgrade: &ack_client::NodePoolUpgrade) -> Self {
        Self {
            status: upgrade.status,
            task_id: upgrade.task_id.clone(),
            target_version: upgrade.target_version.clone(),
            error_message: upgrade.error.clone(),
            started: upgrade.started,
            updated: upgrade.updated,
        }
    }
}

/// The numbers of nodes, each with the value of the label `condition`.
pub(crate) fn conditions(nodes: &NodeCounts) -> [(&'static str, Option<u64>); 7] {
    [
        ("total", nodes.total),
        ("healthy", nodes.healthy),
        ("failed", nodes.failed),
        ("initial", nodes.initial),
        ("offline", nodes.offline),
        ("removing", nodes.removing),
        ("serving", nodes.serving),
    ]
}

fn by_condition<S: Serializer>(nodes: &NodeCounts, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(conditions(nodes))
}

/// Minor versions between the control plane and the kubelets; 0 if the kubelets are newer.
fn versions_behind(control_plane: &str, kubelet: &str) -> Option<u32> {
    let (major, newest) = minor(control_plane)?;
    let (kubelet_major, own) = minor(kubelet)?;
    (major == kubelet_major).then(|| newest.saturating_sub(own))
}
