//! The families of the checks before upgrades.

use exporter_toolkit::exposition::Page;

use crate::metrics::clusters::{Clusters, label_text};
use crate::metrics::declaration::catalogue;

catalogue! {
    METRICS {
        RESULT = Gauge "cs_precheck_result" ["cluster", "type", "result"]
            "Result of the cluster's newest check of each type: 1 for the one it has, 0 for the \
                others (left out with metrics.state_sets: active); unknown while the check runs, \
                and if it ended without a known result.";
        FINISHED = Gauge "cs_precheck_finished_timestamp_seconds" ["cluster", "type"]
            "Unix time at which the cluster's newest check of the type finished; absent while it \
                runs.";
    }
}

/// Adds every family of checks.
pub(super) fn write(page: &mut Page, clusters: &Clusters<'_>) {
    let mut family = page.family(&RESULT);
    for row in &clusters.rows {
        for precheck in row.reading.watched.prechecks.iter().flat_map(|all| &**all) {
            for (result, value) in clusters.states(precheck.result) {
                clusters
                    .identified(family.sample(), row)
                    .label("type", &label_text(&precheck.kind))
                    .label("result", result)
                    .value(value);
            }
        }
    }
    let mut family = page.family(&FINISHED);
    for row in &clusters.rows {
        for precheck in row.reading.watched.prechecks.iter().flat_map(|all| &**all) {
            if let Some(finished) = precheck.finished {
                clusters
                    .identified(family.sample(), row)
                    .label("type", &label_text(&precheck.kind))
                    .value(finished);
            }
        }
    }
}
