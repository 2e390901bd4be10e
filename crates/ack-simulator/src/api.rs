//! Operations of the Container Service, one file for each family, and the table of all of them.

mod add_ons;
mod checks;
mod cluster_body;
pub(crate) mod cluster_task;
mod clusters;
mod maintenance;
mod node_pool_task;
mod node_pools;
mod pages;
mod plans;
mod regions;
mod task_body;
mod task_parts;
mod tasks;
pub(crate) mod upgrade_status;
mod upgrade_task;
mod variation;
mod versions;

use http::StatusCode;

use crate::Simulator;
use crate::action::Action;
use crate::error_response::ErrorResponse;
use crate::path_ids::PathIds;
use crate::request::ReceivedRequest;
use crate::world::World;
use crate::world::cluster::Cluster;

/// An operation. All of them are GET, because an exporter only reads.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) action: Action,
    /// The path, with placeholders: `{cluster}`, `{region}`, `{task}`, `{check}`.
    pub(crate) path: &'static str,
    /// The body of the response.
    pub(crate) body: fn(&OperationCall<'_>) -> Result<String, ErrorResponse>,
}

/// Every operation. Faults, permissions, signatures and the call log need no other entry.
pub(crate) static OPERATIONS: [Operation; 14] = [
    Operation {
        action: Action::GetUpgradeStatus,
        path: "/api/v2/clusters/{cluster}/upgrade/status",
        body: upgrade_status::status_body,
    },
    Operation {
        action: Action::DescribeClustersV1,
        path: "/api/v1/clusters",
        body: clusters::account_list,
    },
    Operation {
        action: Action::DescribeClustersForRegion,
        path: "/regions/{region}/clusters",
        body: clusters::region_list,
    },
    Operation {
        action: Action::DescribeClusterDetail,
        path: "/clusters/{cluster}",
        body: clusters::detail,
    },
    Operation {
        action: Action::DescribeClusterTasks,
        path: "/clusters/{cluster}/tasks",
        body: tasks::list,
    },
    Operation {
        action: Action::DescribeTaskInfo,
        path: "/tasks/{task}",
        body: tasks::info,
    },
    Operation {
        action: Action::DescribeRegions,
        path: "/regions",
        body: regions::list,
    },
    Operation {
        action: Action::ListOperationPlansForRegion,
        path: "/regions/{region}/operation/plans",
        body: plans::list,
    },
    Operation {
        action: Action::DescribeClusterNodePools,
        path: "/clusters/{cluster}/nodepools",
        body: node_pools::list,
    },
    Operation {
        action: Action::ListClusterAddonInstances,
        path: "/clusters/{cluster}/addon_instances",
        body: add_ons::installed,
    },
    Operation {
        action: Action::ListAddons,
        path: "/addons",
        body: add_ons::offered,
    },
    Operation {
        action: Action::ListClusterChecks,
        path: "/clusters/{cluster}/checks",
        body: checks::list,
    },
    Operation {
        action: Action::GetClusterCheck,
        path: "/clusters/{cluster}/checks/{check}",
        body: checks::info,
    },
    Operation {
        action: Action::DescribeKubernetesVersionMetadata,
        path: "/api/v1/metadata/versions",
        body: versions::list,
    },
];

/// One call of an operation, with everything that its body depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OperationCall<'a> {
    pub(crate) simulator: &'a Simulator,
    pub(crate) request: &'a ReceivedRequest,
    /// The IDs in the path.
    pub(crate) ids: &'a PathIds,
    pub(crate) request_id: &'a str,
    /// The cluster that the call is about, if it exists.
    pub(crate) cluster: Option<&'a Cluster>,
    /// Milliseconds since the start of the world.
    pub(crate) millis: i64,
}

impl<'a> OperationCall<'a> {
    pub(crate) fn world(&self) -> &'a World {
        &self.simulator.world
    }

    /// The cluster in the path or in the query.
    pub(crate) fn cluster(&self) -> Result<&'a Cluster, ErrorResponse> {
        self.cluster.ok_or_else(|| {
            let id = self.parameter("cluster_id").unwrap_or_default();
            ErrorResponse::cluster_not_found(match self.ids.at("cluster") {
                "" => id,
                in_path => in_path,
            })
        })
    }

    /// A parameter of the query that is present and not empty.
    pub(crate) fn parameter(&self, name: &str) -> Option<&'a str> {
        self.request
            .parameter(name)
            .filter(|value| !value.is_empty())
    }

    /// A parameter without which the operation refuses the call.
    pub(crate) fn require(&self, name: &str) -> Result<&'a str, ErrorResponse> {
        self.parameter(name).ok_or_else(|| {
            ErrorResponse::service(
                StatusCode::BAD_REQUEST,
                "MissingParameter",
                format!("{name} is required"),
            )
        })
    }
}

/// The error for a parameter whose value is not accepted.
pub(crate) fn invalid_parameter(name: &str, text: &str) -> ErrorResponse {
    ErrorResponse::service(
        StatusCode::BAD_REQUEST,
        "InvalidParameter",
        format!("{name} {text:?} is invalid"),
    )
}
