//! The queries beside the upgrade of each cluster, and how often each is made.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration::Friendly;
#[cfg(test)]
use super::schema;

const MINUTES: u64 = 60;
const HOURS: u64 = 60 * MINUTES;

/// Declares [`Watch`]: a key for each query, the type of its settings, and its usual interval in
/// seconds.
macro_rules! watch {
    ($($(#[$doc:meta])* $key:ident: $settings:ident = $seconds:expr;)+) => {
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
            /// The key and the interval of each query that is made.
            pub fn intervals(&self) -> Vec<(&'static str, Duration)> {
                let intervals = [
                    $((stringify!($key), self.$key.map(|settings| settings.interval)),)+
                ];
                intervals
                    .into_iter()
                    .filter_map(|(key, interval)| Some((key, interval?)))
                    .collect()
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
    plans: PlansSettings = 15 * MINUTES;
    /// Support of Kubernetes versions: `DescribeKubernetesVersionMetadata`, one call for each
    /// region and cluster type.
    versions: VersionsSettings = 6 * HOURS;
    /// Node pools and their upgrades: `DescribeClusterNodePools` and the tasks, two calls for each
    /// cluster; every minute while a pool or its cluster is being upgraded.
    node_pools: NodePoolsSettings = 30 * MINUTES;
    /// Installed add-ons: `ListClusterAddonInstances`, one call for each cluster, and `ListAddons`,
    /// one call for each region, type, spec, profile and version of clusters.
    addons: AddonsSettings = 6 * HOURS;
    /// Checks before upgrades: `ListClusterChecks`, one call for each cluster, and
    /// `GetClusterCheck`, one call for each new check.
    prechecks: PrechecksSettings = 6 * HOURS;
    /// Automatic upgrades and the maintenance window: `DescribeClusterDetail`, one call for each
    /// cluster.
    maintenance: MaintenanceSettings = 6 * HOURS;
}

impl Watch {
    /// Returns true if no query is made.
    pub fn is_empty(&self) -> bool {
        self.intervals().is_empty()
    }
}
