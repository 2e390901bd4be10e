//! The outcome of the queries beside those of the upgrades.

use exporter_toolkit::exposition::{Page, Value};

use super::declaration::catalogue;
use crate::config::Metrics;
use crate::snapshot::{AccountReading, ClusterReading};

catalogue! {
    METRICS {
        UP = Gauge "cs_query_up" ["query", "cluster", "account", "region"]
            "Whether the last query of this name succeeded (1) or failed (0), absent until the \
                first. A query about one cluster has the label cluster, one about a region has \
                account and region. While it is 0, the last response stands for three intervals.";
    }
}

/// Adds the family of the queries, those about regions first.
pub(super) fn write<'a>(
    page: &mut Page,
    clusters: impl IntoIterator<Item = &'a ClusterReading>,
    accounts: &[AccountReading],
    options: &Metrics,
) {
    let mut family = page.family(&UP);
    for account in accounts {
        for (region, reading) in &account.queries {
            family
                .sample()
                .label("query", reading.query)
                .label("account", account.account.as_str())
                .label("region", region.as_str())
                .value(Value::from(reading.failure.is_none()));
        }
    }
    for cluster in clusters {
        for reading in &cluster.queries {
            family
                .sample()
                .label("query", reading.query)
                .label(&options.cluster_label, cluster.cluster.id.as_str())
                .value(Value::from(reading.failure.is_none()));
        }
    }
}
