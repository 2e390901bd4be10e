//! The names of the operations of CS 2015-12-15 in use.

/// An operation. Its name stands in `x-acs-action`, in RAM policies (after `cs:`) and in metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Reads the upgrade status of one cluster. Alibaba Cloud is switching it off.
    GetUpgradeStatus,
    /// Lists the tasks of one cluster.
    DescribeClusterTasks,
    /// Reads one task.
    DescribeTaskInfo,
    /// Reads one cluster.
    DescribeClusterDetail,
    /// Lists the clusters of a region.
    DescribeClustersForRegion,
    /// Lists the clusters of the account. Alibaba Cloud is switching it off.
    DescribeClustersV1,
}

impl Operation {
    /// Every operation.
    pub const ALL: &'static [Self] = &[
        Self::GetUpgradeStatus,
        Self::DescribeClusterTasks,
        Self::DescribeTaskInfo,
        Self::DescribeClusterDetail,
        Self::DescribeClustersForRegion,
        Self::DescribeClustersV1,
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
        }
    }
}
