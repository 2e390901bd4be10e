//! The families of node pools and their upgrades.

use exporter_toolkit::exposition::{Metric, Page, Sample, Value};
use jiff::Timestamp;

use crate::config::ErrorMessages;
use crate::metrics::clusters::{ClusterRow, Clusters, label_text};
use crate::metrics::declaration::catalogue;
use crate::metrics::message;
use crate::queries::node_pools::{NodePool, NodePoolUpgrade, conditions};
use crate::upgrade::StateSet;

catalogue! {
    METRICS {
        INFO = Info "cs_node_pool_info"
            ["cluster", "node_pool", "name", "type", "kubelet_version",
             "runtime", "runtime_version", "image"]
            "Details of a node pool; always 1. The versions are those of new nodes. Unknown values \
                are empty.";
        STATE = Gauge "cs_node_pool_state" ["cluster", "node_pool", "state"]
            "State of the node pool: 1 for the one it is in, 0 for the others (left out with \
                metrics.state_sets: active). A pool that is being upgraded is updating.";
        NODES = Gauge "cs_node_pool_nodes" ["cluster", "node_pool", "condition"]
            "Number of nodes of the node pool in each condition: total, healthy, failed, initial, \
                offline, removing or serving. A node may be in several.";
        VERSIONS_BEHIND = Gauge "cs_node_pool_versions_behind" ["cluster", "node_pool"]
            "Minor versions between the kubelets of the node pool and the control plane; absent if \
                either version is not known.";
        UPGRADE_STATUS = Gauge "cs_node_pool_upgrade_status" ["cluster", "node_pool", "status"]
            "Status of the node pool's newest upgrade: 1 for the one it is in, 0 for the others \
                (left out with metrics.state_sets: active); none if there never was one. pause \
                without a message in cs_node_pool_upgrade_error_info is usually planned.";
        UPGRADE_STARTED = Gauge "cs_node_pool_upgrade_started_timestamp_seconds"
            ["cluster", "node_pool"]
            "Unix time at which the task of the node pool's newest upgrade was created.";
        UPGRADE_UPDATED = Gauge "cs_node_pool_upgrade_updated_timestamp_seconds"
            ["cluster", "node_pool"]
            "Unix time at which the task of the node pool's newest upgrade last changed.";
        UPGRADE_ERROR_INFO = Info "cs_node_pool_upgrade_error_info"
            ["cluster", "node_pool", "message"]
            "Alibaba Cloud's error message about the node pool's newest upgrade, at most 256 \
                characters of it, with N for durations and counts; always 1, present only while \
                there is one.";
    }
}

/// Adds every family of node pools.
pub(super) fn write(page: &mut Page, clusters: &Clusters<'_>) {
    infos(page, clusters);
    state_set(page, &STATE, clusters, |pool| Some(pool.state));
    nodes(page, clusters);
    gauge(page, &VERSIONS_BEHIND, clusters, |pool| {
        Some(Value::from(u64::from(pool.versions_behind?)))
    });
    state_set(page, &UPGRADE_STATUS, clusters, |pool| {
        Some(pool.upgrade.as_ref()?.status)
    });
    times(page, &UPGRADE_STARTED, clusters, |upgrade| upgrade.started);
    times(page, &UPGRADE_UPDATED, clusters, |upgrade| upgrade.updated);
    error_infos(page, clusters);
}

/// Every node pool and the row of its cluster.
fn pools<'a>(
    clusters: &'a Clusters<'a>,
) -> impl Iterator<Item = (&'a ClusterRow<'a>, &'a NodePool)> {
    clusters.rows.iter().flat_map(|row| {
        let pools = row.reading.watched.node_pools.iter().flatten();
        pools.map(move |pool| (row, pool))
    })
}

/// Names the node pool in `sample`.
fn identified<'page>(
    sample: Sample<'page>,
    clusters: &Clusters<'_>,
    row: &ClusterRow<'_>,
    pool: &NodePool,
) -> Sample<'page> {
    clusters
        .identified(sample, row)
        .label("node_pool", &label_text(&pool.id))
}

fn infos(page: &mut Page, clusters: &Clusters<'_>) {
    let mut family = page.family(&INFO);
    for (row, pool) in pools(clusters) {
        identified(family.sample(), clusters, row, pool)
            .label("name", &label_text(&pool.name))
            .label("type", &label_text(&pool.kind))
            .label("kubelet_version", &label_text(&pool.kubelet_version))
            .label("runtime", &label_text(&pool.runtime))
            .label("runtime_version", &label_text(&pool.runtime_version))
            .label("image", &label_text(&pool.image))
            .value(Value::ONE);
    }
}

fn nodes(page: &mut Page, clusters: &Clusters<'_>) {
    let mut family = page.family(&NODES);
    for (row, pool) in pools(clusters) {
        for (condition, count) in conditions(&pool.nodes) {
            if let Some(count) = count {
                identified(family.sample(), clusters, row, pool)
                    .label("condition", condition)
                    .value(count);
            }
        }
    }
}

/// Adds a family with one state set for each node pool, named by the last label.
fn state_set<S: StateSet>(
    page: &mut Page,
    metric: &'static Metric,
    clusters: &Clusters<'_>,
    active: fn(&NodePool) -> Option<S>,
) {
    let mut family = page.family(metric);
    for (row, pool) in pools(clusters) {
        let Some(active) = active(pool) else { continue };
        for (state, value) in clusters.states(active) {
            identified(family.sample(), clusters, row, pool)
                .label(metric.labels[2], state)
                .value(value);
        }
    }
}

/// Adds a family with at most one series for each node pool.
fn gauge(
    page: &mut Page,
    metric: &'static Metric,
    clusters: &Clusters<'_>,
    value: impl Fn(&NodePool) -> Option<Value>,
) {
    let mut family = page.family(metric);
    for (row, pool) in pools(clusters) {
        if let Some(value) = value(pool) {
            identified(family.sample(), clusters, row, pool).value(value);
        }
    }
}

fn times(
    page: &mut Page,
    metric: &'static Metric,
    clusters: &Clusters<'_>,
    time: fn(&NodePoolUpgrade) -> Option<Timestamp>,
) {
    gauge(page, metric, clusters, |pool| {
        pool.upgrade.as_ref().and_then(time).map(Value::from)
    });
}

fn error_infos(page: &mut Page, clusters: &Clusters<'_>) {
    if clusters.options.error_message == ErrorMessages::Hidden {
        return;
    }
    let mut family = page.family(&UPGRADE_ERROR_INFO);
    for (row, pool) in pools(clusters) {
        let message = pool
            .upgrade
            .as_ref()
            .and_then(|upgrade| upgrade.error_message.as_deref());
        if let Some(message) = message.filter(|message| !message.is_empty()) {
            identified(family.sample(), clusters, row, pool)
                .label("message", &message::label(message))
                .value(Value::ONE);
        }
    }
}
