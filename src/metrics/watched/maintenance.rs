//! The families of automatic upgrades and maintenance windows.

use exporter_toolkit::exposition::{Page, Value};

use crate::metrics::clusters::{ClusterRow, Clusters};
use crate::metrics::declaration::catalogue;
use crate::queries::maintenance::{ClusterMaintenance, Window};

catalogue! {
    METRICS {
        AUTO_UPGRADE = Gauge "cs_cluster_auto_upgrade" ["cluster", "channel"]
            "Whether Alibaba Cloud upgrades the cluster automatically (1) or not (0); absent if it \
                does not say so. The channel is patch, stable or rapid, and empty without a \
                setting.";
        NEXT_START = Gauge "cs_maintenance_window_next_start_timestamp_seconds" ["cluster"]
            "Unix time at which the cluster's maintenance window opens next; windows that open in \
                an exclusion of upgrades are left out. Absent if no window is in use, or if the \
                next start cannot be told.";
        DURATION = Gauge "cs_maintenance_window_duration_seconds" ["cluster"]
            "Length of the cluster's maintenance window in seconds; absent if no window is in use.";
    }
}

/// Adds every family of automatic upgrades and maintenance windows.
pub(super) fn write(page: &mut Page, clusters: &Clusters<'_>) {
    let mut family = page.family(&AUTO_UPGRADE);
    for row in &clusters.rows {
        let upgrade = maintenance(row).and_then(|one| one.auto_upgrade.as_ref());
        if let Some(upgrade) = upgrade {
            clusters
                .identified(family.sample(), row)
                .label("channel", upgrade.channel)
                .value(Value::from(upgrade.enabled));
        }
    }
    clusters.gauge(page, &NEXT_START, |row| {
        window(row)?.next_start.map(Value::from)
    });
    clusters.gauge(page, &DURATION, |row| {
        window(row)?.duration.map(Value::from)
    });
}

fn maintenance<'a>(row: &ClusterRow<'a>) -> Option<&'a ClusterMaintenance> {
    row.reading.watched.maintenance.as_ref()
}

fn window<'a>(row: &ClusterRow<'a>) -> Option<&'a Window> {
    maintenance(row)?.window.as_ref()
}
