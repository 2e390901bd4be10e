//! The actions that the simulator serves.

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)?) => {
        /// An action of one of the simulated services.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action {
            $($(#[$doc])* $variant),+
        }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in the API; requests that have none there have a name of this crate.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }
    };
}

actions! {
    /// The state of one cluster's upgrade.
    GetUpgradeStatus = "GetUpgradeStatus",
    /// The clusters of the account.
    DescribeClustersV1 = "DescribeClustersV1",
    /// The clusters of a region.
    DescribeClustersForRegion = "DescribeClustersForRegion",
    /// One cluster.
    DescribeClusterDetail = "DescribeClusterDetail",
    /// The tasks of a cluster, newest first.
    DescribeClusterTasks = "DescribeClusterTasks",
    /// One task.
    DescribeTaskInfo = "DescribeTaskInfo",
    /// The regions.
    DescribeRegions = "DescribeRegions",
    /// The planned operations of a region.
    ListOperationPlansForRegion = "ListOperationPlansForRegion",
    /// The node pools of a cluster.
    DescribeClusterNodePools = "DescribeClusterNodePools",
    /// The add-ons in a cluster.
    ListClusterAddonInstances = "ListClusterAddonInstances",
    /// The add-ons on offer.
    ListAddons = "ListAddons",
    /// The checks of a cluster, newest first.
    ListClusterChecks = "ListClusterChecks",
    /// One check, with its items.
    GetClusterCheck = "GetClusterCheck",
    /// The Kubernetes versions on offer, with the end of their support.
    DescribeKubernetesVersionMetadata = "DescribeKubernetesVersionMetadata",
    /// STS: a role's credentials for a key.
    AssumeRole = "AssumeRole",
    /// STS: a role's credentials for an OIDC token.
    AssumeRoleWithOidc = "AssumeRoleWithOIDC",
    /// Metadata service: a session token.
    MetadataToken = "MetadataToken",
    /// Metadata service: the name of the instance's role.
    MetadataRole = "MetadataRole",
    /// Metadata service: the credentials of the instance's role.
    MetadataCredentials = "MetadataCredentials",
    /// The credentials URI.
    CredentialsUri = "CredentialsUri",
}

/// The service that an action belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// The Container Service; every call is signed.
    Containers,
    /// The Security Token Service (STS); `AssumeRole` is signed.
    Sts,
    /// The metadata service and the credentials URI; no call is signed.
    Metadata,
}

impl Action {
    /// The service that the action belongs to.
    pub(crate) fn service(self) -> Service {
        match self {
            Self::AssumeRole | Self::AssumeRoleWithOidc => Service::Sts,
            Self::MetadataToken
            | Self::MetadataRole
            | Self::MetadataCredentials
            | Self::CredentialsUri => Service::Metadata,
            _ => Service::Containers,
        }
    }

    /// The action with this name, in upper or lower case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|action| action.as_str().eq_ignore_ascii_case(name))
    }

    /// The position in [`Action::ALL`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}
