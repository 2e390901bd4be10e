//! The automatic upgrades and the maintenance window of a cluster: `DescribeClusterDetail`.

mod next_start;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use ack_client::names::ClusterId;
use ack_client::{
    ApiError, ClusterSettings, ErrorKind, MaintenanceWindow, Operation, UpgradeChannel,
    describe_cluster_settings,
};
use jiff::Timestamp;
use serde::Serialize;

use self::next_start::next_start;
use super::{Activity, FetchContext, Query, Watched, WatchedQuery, json};
use crate::cluster::ClusterInfo;

/// Asks for the settings of a cluster.
#[derive(Debug)]
pub struct Maintenance {
    interval: Duration,
}

/// The settings of a cluster about maintenance, as they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClusterMaintenance {
    /// The automatic upgrades; None if the API does not say whether there are any.
    pub auto_upgrade: Option<AutoUpgrade>,
    /// The maintenance window; None if none is in use.
    pub window: Option<Window>,
}

/// The automatic upgrades of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AutoUpgrade {
    /// True if Alibaba Cloud upgrades the cluster.
    pub enabled: bool,
    /// The versions that it upgrades to: `patch`, `stable`, `rapid` or `unknown`; empty without a
    /// setting.
    #[serde(serialize_with = "json::text")]
    pub channel: &'static str,
}

/// The maintenance window of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Window {
    /// The next start after the snapshot; None if it cannot be told.
    #[serde(serialize_with = "json::time")]
    pub next_start: Option<Timestamp>,
    /// The length; None if the API does not send one.
    #[serde(rename = "duration_seconds", serialize_with = "json::seconds")]
    pub duration: Option<Duration>,
}

impl Maintenance {
    /// Settings, asked for at `interval`.
    pub fn new(interval: Duration) -> Self {
        Self { interval }
    }
}

impl Query for Maintenance {
    type Subject = ClusterId;
    type Answer = ClusterSettings;
    const OPERATIONS: &'static [Operation] = &[Operation::DescribeClusterDetail];

    async fn fetch(
        &self,
        cluster: &ClusterId,
        context: FetchContext<'_>,
        _: Option<&ClusterSettings>,
    ) -> Result<ClusterSettings, ApiError> {
        let settings =
            describe_cluster_settings(context.client, context.endpoint, cluster, context.budget)
                .await?;
        settings.ok_or_else(|| {
            let operation = Operation::DescribeClusterDetail;
            let message = "the response is about another cluster";
            ApiError::local(operation, ErrorKind::Decode, message)
        })
    }
}

impl WatchedQuery for Maintenance {
    const NAME: &'static str = "maintenance";

    fn subject(&self, cluster: &ClusterInfo) -> Option<ClusterId> {
        Some(cluster.id.clone())
    }

    fn interval(&self, _: Option<&ClusterSettings>, _: Activity) -> Duration {
        self.interval
    }

    fn add(
        &self,
        settings: &Arc<ClusterSettings>,
        _: &ClusterInfo,
        now: Timestamp,
        watched: &mut Watched,
    ) {
        watched.maintenance = Some(ClusterMaintenance::at(now, settings));
    }
}

impl ClusterMaintenance {
    fn at(now: Timestamp, settings: &ClusterSettings) -> Self {
        Self {
            auto_upgrade: settings.auto_upgrade.map(AutoUpgrade::from),
            window: settings
                .window
                .as_ref()
                .filter(|window| window.enabled)
                .map(|window| Window::at(now, window)),
        }
    }
}

impl Window {
    fn at(now: Timestamp, window: &MaintenanceWindow) -> Self {
        Self {
            next_start: next_start(window, now),
            duration: window.duration,
        }
    }
}

impl From<ack_client::AutoUpgrade> for AutoUpgrade {
    fn from(upgrade: ack_client::AutoUpgrade) -> Self {
        Self {
            enabled: upgrade.enabled,
            channel: upgrade.channel.map_or("", UpgradeChannel::as_str),
        }
    }
}
