//! The operations of CS 2015-12-15 that this exporter knows.

/// One operation, named as the vendor names it: in `x-acs-action`, in RAM policies (`cs:` before
/// it) and in metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// The state of one cluster's upgrade. The vendor is switching it off.
    GetUpgradeStatus,
    /// The tasks of one cluster.
    DescribeClusterTasks,
    /// One task.
    DescribeTaskInfo,
    /// One cluster.
    DescribeClusterDetail,
    /// The clusters of a region.
    DescribeClustersForRegion,
    /// The clusters of the account. The vendor is switching it off.
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

    /// The vendor's name for it.
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
