//! The families of planned operations.

use exporter_toolkit::exposition::{Metric, Page, Value};
use jiff::Timestamp;

use crate::metrics::clusters::{Clusters, label_text};
use crate::metrics::declaration::catalogue;
use crate::queries::plans::Plan;

catalogue! {
    METRICS {
        INFO = Info "cs_plan_info" ["cluster", "plan", "type", "target", "state"]
            "Planned operations of the cluster: those scheduled or executing, and the newest that \
                ended of each type and target; always 1. The target is empty for the cluster \
                itself.";
        START = Gauge "cs_plan_start_timestamp_seconds" ["cluster", "plan"]
            "Unix time at which the planned operation may start.";
        END = Gauge "cs_plan_end_timestamp_seconds" ["cluster", "plan"]
            "Unix time at which the window of the planned operation ends.";
    }
}

/// Adds every family of planned operations.
pub(super) fn write(page: &mut Page, clusters: &Clusters<'_>) {
    let mut family = page.family(&INFO);
    for row in &clusters.rows {
        for plan in row.reading.watched.plans.iter().flat_map(|plans| &**plans) {
            clusters
                .identified(family.sample(), row)
                .label("plan", &label_text(&plan.id))
                .label("type", &label_text(&plan.kind))
                .label("target", &label_text(&plan.target))
                .label("state", plan.state.as_str())
                .value(Value::ONE);
        }
    }
    times(page, &START, clusters, |plan| plan.start);
    times(page, &END, clusters, |plan| plan.end);
}

fn times(
    page: &mut Page,
    metric: &'static Metric,
    clusters: &Clusters<'_>,
    time: fn(&Plan) -> Option<Timestamp>,
) {
    let mut family = page.family(metric);
    for row in &clusters.rows {
        for plan in row.reading.watched.plans.iter().flat_map(|plans| &**plans) {
            if let Some(time) = time(plan) {
                clusters
                    .identified(family.sample(), row)
                    .label("plan", &label_text(&plan.id))
                    .value(time);
            }
        }
    }
}
