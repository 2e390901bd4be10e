//! The queries beside the upgrade of each cluster, and how often each is made.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration::Friendly;
#[cfg(test)]
use super::schema;

const MINUTES: u64 = 60;
const HOURS: u64 = 60 * MINUTES;

/// The calls that a query makes at its interval, if all goes well and nothing is being upgraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calls {
    /// For each region.
    pub region: u32,
    /// For each type of cluster in a region.
    pub cluster_type: u32,
    /// For each cluster.
    pub cluster: u32,
    /// For each region, type, spec, profile and version of clusters.
    pub kind: u32,
}

impl Calls {
    const NONE: Self = Self {
        region: 0,
        cluster_type: 0,
        cluster: 0,
        kind: 0,
    };
}

/// A query that is made at an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchedQuery {
    /// The key in the configuration.
    pub key: &'static str,
    /// The time from one response to the next call.
    pub interval: Duration,
    /// Its calls.
    pub calls: Calls,
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
            /// Every key.
            pub const KEYS: &[&str] = &[$(stringify!($key)),+];

            /// The queries that are made.
            pub fn queries(&self) -> Vec<WatchedQuery> {
                let queries = [
                    $(self.$key.map(|settings| WatchedQuery {
                        key: stringify!($key),
                        interval: settings.interval,
                        calls: $calls,
                    })),+
                ];
                queries.into_iter().flatten().collect()
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
    plans: PlansSettings = 15 * MINUTES, Calls { region: 1, ..Calls::NONE };
    /// Support of Kubernetes versions: `DescribeKubernetesVersionMetadata`, one call for each
    /// region and cluster type.
    versions: VersionsSettings = 6 * HOURS, Calls { cluster_type: 1, ..Calls::NONE };
    /// Node pools and their upgrades: `DescribeClusterNodePools` and the tasks, two calls for each
    /// cluster; every minute while a pool or its cluster is being upgraded.
    node_pools: NodePoolsSettings = 30 * MINUTES, Calls { cluster: 2, ..Calls::NONE };
    /// Installed add-ons: `ListClusterAddonInstances`, one call for each cluster, and `ListAddons`,
    /// one call for each region, type, spec, profile and version of clusters.
    addons: AddonsSettings = 6 * HOURS, Calls { cluster: 1, kind: 1, ..Calls::NONE };
    /// Checks before upgrades: `ListClusterChecks`, one call for each cluster, and
    /// `GetClusterCheck`, one call for each new check.
    prechecks: PrechecksSettings = 6 * HOURS, Calls { cluster: 1, ..Calls::NONE };
    /// Automatic upgrades and the maintenance window: `DescribeClusterDetail`, one call for each
    /// cluster.
    maintenance: MaintenanceSettings = 6 * HOURS, Calls { cluster: 1, ..Calls::NONE };
}

impl Watch {
    /// Returns true if no query is made.
    pub fn is_empty(&self) -> bool {
        self.queries().is_empty()
    }
}
