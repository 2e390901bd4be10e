//! The queries beside the upgrade of each cluster, and how often each is made.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration::Friendly;
#[cfg(test)]
use super::schema;

const MINUTES: u64 = 60;
const HOURS: u64 = 60 * MINUTES;

/// A key that is set: the query that it stands for, and the calls of that query.
#[derive(Debug, Clone, Copy)]
pub struct WatchKey {
    pub name: &'static str,
    /// The time from one response to the next call.
    pub interval: Duration,
    /// The calls at each interval, on average, if all goes well and nothing is being upgraded.
    pub calls: &'static [(f64, Per)],
}

/// The things that calls are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// A region.
    Region,
    /// A type of clusters in a region.
    ClusterType,
    /// A cluster.
    Cluster,
    /// A region, type, spec, profile and version of clusters.
    Kind,
}

/// Declares [`Watch`]: a key for each query, the type of its settings, its usual interval in
/// seconds, and its calls.
macro_rules! watch {
    ($($(#[$doc:meta])* $key:ident: $settings:ident = $seconds:expr, $calls:expr;)+) => {
        /// The queries beside the upgrade of each cluster. A key that is absent costs no call, no
        /// series and no permission; `{}` stands for the usual interval.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(default, deny_unknown_fields)]
        pub struct Watch {
            $(
                $(#[$doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $key: Option<$settings>,
            )+
        }

        impl Watch {
            /// The keys that are set.
            pub fn keys(&self) -> Vec<WatchKey> {
                let keys = [
                    $(self.$key.map(|settings| WatchKey {
                        name: stringify!($key),
                        interval: settings.interval,
                        calls: &$calls,
                    })),+
                ];
                keys.into_iter().flatten().collect()
            }
        }

        $(
            #[doc = concat!("The settings of `watch.", stringify!($key), "`.")]
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
            #[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
            #[serde(default, deny_unknown_fields)]
            pub struct $settings {
                /// The time from one response to the next call; at least 1s.
                #[serde(with = "Friendly")]
                #[cfg_attr(test, schemars(transform = schema::above_zero))]
                pub interval: Duration,
            }

            impl Default for $settings {
                fn default() -> Self {
                    Self { interval: Duration::from_secs($seconds) }
                }
            }
        )+
    };
}

watch! {
    /// Planned operations: `ListOperationPlansForRegion`, one call for each region.
    plans: PlansSettings = 15 * MINUTES, [(1.0, Per::Region)];
    /// Support of Kubernetes versions: `DescribeKubernetesVersionMetadata`, one call for each
    /// region and cluster type.
    versions: VersionsSettings = 6 * HOURS, [(1.0, Per::ClusterType)];
    /// Node pools and their upgrades: `DescribeClusterNodePools`, one call for each cluster, and
    /// its tasks after a change and in one of 24 readings; every minute while a pool or its cluster
    /// is being upgraded.
    node_pools: NodePoolsSettings = 30 * MINUTES, [(25.0 / 24.0, Per::Cluster)];
    /// Installed add-ons: `ListClusterAddonInstances`, one call for each cluster, and `ListAddons`,
    /// one call for each region, type, spec, profile and version of clusters.
    addons: AddonsSettings = 6 * HOURS, [(1.0, Per::Cluster), (1.0, Per::Kind)];
    /// Checks before upgrades: `ListClusterChecks`, one call for each cluster, and
    /// `GetClusterCheck`, one call for each new check.
    prechecks: PrechecksSettings = 6 * HOURS, [(1.0, Per::Cluster)];
    /// Automatic upgrades and the maintenance window: `DescribeClusterDetail`, one call for each
    /// cluster.
    maintenance: MaintenanceSettings = 6 * HOURS, [(1.0, Per::Cluster)];
}

impl Watch {
    /// Returns true if no query is made.
    pub fn is_empty(&self) -> bool {
        self.keys().is_empty()
    }
}
