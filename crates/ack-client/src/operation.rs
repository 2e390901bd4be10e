//! The names of the operations of CS 2015-12-15 in use.

use crate::transport::MAX_RESPONSE;

/// An operation. Its name stands in `x-acs-action`, in RAM policies (after `cs:`) and in metrics.
///
/// The comments name the resource that RAM accepts for the action: that of a cluster is
/// `acs:cs:{region}:{account}:cluster/{ClusterId}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Reads the upgrade status of one cluster. Alibaba Cloud is switching it off. Resource: the
    /// cluster.
    GetUpgradeStatus,
    /// Lists the tasks of one cluster. Resource: the cluster.
    DescribeClusterTasks,
    /// Reads one task. Resource: `*` alone.
    DescribeTaskInfo,
    /// Reads one cluster. Resource: the cluster.
    DescribeClusterDetail,
    /// Lists the clusters of a region. Resource: `*` alone.
    DescribeClustersForRegion,
    /// Lists the clusters of the account. Alibaba Cloud is switching it off. Resource: `*` alone.
    DescribeClustersV1,
    /// Lists the planned operations of a region. Resource: `*` alone.
    ListOperationPlansForRegion,
    /// Lists the Kubernetes versions on offer in a region. Resource: `*` alone.
    DescribeKubernetesVersionMetadata,
    /// Lists the node pools of one cluster. Resource: the cluster.
    DescribeClusterNodePools,
    /// Lists the add-ons that are installed in one cluster. Resource: the cluster.
    ListClusterAddonInstances,
    /// Lists the add-ons on offer for a kind of cluster. Resource: `*` alone.
    ListAddons,
    /// Lists the checks of one cluster. Resource: the cluster.
    ListClusterChecks,
    /// Reads one check of one cluster. Resource: the cluster.
    GetClusterCheck,
}

/// The limit of responses with parts that the client skips, such as user data, schemas of settings
/// and images, in bytes. The API publishes none.
const LARGE_RESPONSE: usize = 8 << 20;

impl Operation {
    /// Every operation.
    pub const ALL: &'static [Self] = &[
        Self::GetUpgradeStatus,
        Self::DescribeClusterTasks,
        Self::DescribeTaskInfo,
        Self::DescribeClusterDetail,
        Self::DescribeClustersForRegion,
        Self::DescribeClustersV1,
        Self::ListOperationPlansForRegion,
        Self::DescribeKubernetesVersionMetadata,
        Self::DescribeClusterNodePools,
        Self::ListClusterAddonInstances,
        Self::ListAddons,
        Self::ListClusterChecks,
        Self::GetClusterCheck,
    ];

    /// The name, as in the API's reference.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GetUpgradeStatus => "GetUpgradeStatus",
            Self::DescribeClusterTasks => "DescribeClusterTasks",
            Self::DescribeTaskInfo => "DescribeTaskInfo",
            Self::DescribeClusterDetail => "DescribeClusterDetail",
            Self::DescribeClustersForRegion => "DescribeClustersForRegion",
            Self::DescribeClustersV1 => "DescribeClustersV1",
            Self::ListOperationPlansForRegion => "ListOperationPlansForRegion",
            Self::DescribeKubernetesVersionMetadata => "DescribeKubernetesVersionMetadata",
            Self::DescribeClusterNodePools => "DescribeClusterNodePools",
            Self::ListClusterAddonInstances => "ListClusterAddonInstances",
            Self::ListAddons => "ListAddons",
            Self::ListClusterChecks => "ListClusterChecks",
            Self::GetClusterCheck => "GetClusterCheck",
        }
    }

    /// The action that a RAM policy must allow.
    pub fn ram_action(self) -> String {
        format!("cs:{}", self.as_str())
    }

    /// The largest response that is read, in bytes.
    pub(crate) fn max_response(self) -> usize {
        match self {
            Self::DescribeKubernetesVersionMetadata
            | Self::DescribeClusterNodePools
            | Self::ListAddons
            | Self::GetClusterCheck => LARGE_RESPONSE,
            _ => MAX_RESPONSE,
        }
    }
}
