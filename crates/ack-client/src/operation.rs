//! The names of the operations of CS 2015-12-15 in use.

use crate::transport::MAX_RESPONSE;

/// Declares the enum with its list and its names, so that no operation can be missing in either.
macro_rules! operations {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $type {
            $($(#[$variant_doc])* $variant),+
        }

        impl $type {
            /// Every operation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name, as in the API's reference.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant)),+
                }
            }
        }
    };
}

operations! {
    /// An operation. Its name stands in `x-acs-action`, in RAM policies (after `cs:`) and in
    /// metrics.
    ///
    /// The comments name the resource that RAM accepts for the action: that of a cluster is
    /// `acs:cs:{region}:{account}:cluster/{ClusterId}`.
    Operation {
        /// Reads the upgrade status of one cluster. Alibaba Cloud is switching it off. Resource:
        /// the cluster.
        GetUpgradeStatus,
        /// Lists the tasks of one cluster. Resource: the cluster.
        DescribeClusterTasks,
        /// Reads one task. Resource: `*` alone.
        DescribeTaskInfo,
        /// Reads one cluster. Resource: the cluster.
        DescribeClusterDetail,
        /// Lists the clusters of a region. Resource: `*` alone.
        DescribeClustersForRegion,
        /// Lists the clusters of the account. Alibaba Cloud is switching it off. Resource: `*`
        /// alone.
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
}

/// The limit of responses with parts that the client skips, such as user data, schemas of settings
/// and images, in bytes. The API publishes none.
const LARGE_RESPONSE: usize = 8 << 20;

impl Operation {
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
