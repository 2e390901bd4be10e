//! The settings in `DescribeClusterDetail`, which lists of clusters leave out:
//! `GET /clusters/{ClusterId}`.

use super::maintenance_window::{MaintenanceWindow, WindowFields};
use super::word;
use crate::budget::Budget;
use crate::client::{Call, Client};
use crate::decode::{Keyword, Report, lenient_object};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::names::ClusterId;
use crate::operation::Operation;
use crate::response::{KnownKeys, ResponseObject};
use crate::state_set::state_set;

/// The settings of a cluster about automatic operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSettings {
    /// The automatic upgrades, if the API says whether there are any.
    pub auto_upgrade: Option<AutoUpgrade>,
    /// The maintenance window.
    pub window: Option<MaintenanceWindow>,
}

/// The automatic upgrades of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AutoUpgrade {
    /// True if Alibaba Cloud upgrades the cluster.
    pub enabled: bool,
    /// The versions that it upgrades to, if there is a setting.
    pub channel: Option<UpgradeChannel>,
}

state_set! {
    /// The versions of automatic upgrades.
    UpgradeChannel {
        /// The newest patch version of the cluster's minor version.
        Patch = "patch",
        /// The second newest minor version.
        Stable = "stable",
        /// The newest minor version.
        Rapid = "rapid",
        /// A value that the API's reference does not list.
        Unknown = "unknown",
    }
}

lenient_object! {
    pub(super) struct SettingsFields at "cluster." {
        cluster_id: String = "cluster_id",
        profile: String = "profile", // counted only
        operation_policy: OperationPolicyFields = "operation_policy",
        maintenance_window: WindowFields = "maintenance_window",
    }
}

lenient_object! {
    pub(super) struct OperationPolicyFields at "cluster.operation_policy." {
        cluster_auto_upgrade: AutoUpgradeFields = "cluster_auto_upgrade",
    }
}

lenient_object! {
    pub(super) struct AutoUpgradeFields at "cluster.operation_policy.cluster_auto_upgrade." {
        enabled: bool = "enabled",
        channel: Keyword = "channel",
    }
}

impl ResponseObject for SettingsFields {
    fn is_recognized(&self, _: KnownKeys) -> bool {
        self.cluster_id.value().is_some()
    }
}

/// Reads the settings of the cluster `id`. Returns `None` if the response does not name that
/// cluster. Dropping the future cancels the call.
pub async fn describe_cluster_settings(
    client: &Client,
    endpoint: &Endpoint,
    id: &ClusterId,
    budget: &Budget,
) -> Result<Option<ClusterSettings>, ApiError> {
    let path = format!("/clusters/{id}");
    let call = Call::new(Operation::DescribeClusterDetail, endpoint, &path);
    let fields: SettingsFields = client.call(&call, budget).await?;
    let mut report = client.unknown_values();
    let is_meant = fields
        .cluster_id
        .value()
        .is_some_and(|read| read == id.as_str());
    Ok(is_meant.then(|| fields.into_settings(&mut report)))
}

impl SettingsFields {
    fn into_settings(self, report: &mut Report<'_>) -> ClusterSettings {
        let policy = self.operation_policy.into_value().unwrap_or_default();
        let auto_upgrade = policy.cluster_auto_upgrade.into_value().unwrap_or_default();
        ClusterSettings {
            auto_upgrade: auto_upgrade.into_auto_upgrade(report),
            window: self
                .maintenance_window
                .into_value()
                .map(|window| window.into_window(report)),
        }
    }
}

impl AutoUpgradeFields {
    fn into_auto_upgrade(self, report: &mut Report<'_>) -> Option<AutoUpgrade> {
        let channel = self.channel.into_listed(
            "cluster.operation_policy.cluster_auto_upgrade.channel",
            [None, Some(UpgradeChannel::Unknown)],
            |word| word::find(word).map(Some),
            report,
        );
        Some(AutoUpgrade {
            enabled: self.enabled.into_value()?,
            channel,
        })
    }
}

#[cfg(test)]
mod tests;
