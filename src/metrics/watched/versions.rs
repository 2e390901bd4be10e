//! The families of the support of Kubernetes versions.

use exporter_toolkit::exposition::{Page, Value};

use crate::metrics::clusters::{Clusters, label_text};
use crate::metrics::declaration::catalogue;

catalogue! {
    METRICS {
        END_OF_SUPPORT = Gauge "cs_cluster_version_end_of_support_timestamp_seconds"
            ["cluster", "version"]
            "Unix time at which support of the version that the cluster runs ends; absent if the \
                end is not known.";
        BEHIND = Gauge "cs_cluster_versions_behind" ["cluster"]
            "Minor versions between the version that the cluster runs and the newest one that new \
                clusters can have.";
    }
}

/// Adds every family of the support of versions.
pub(super) fn write(page: &mut Page, clusters: &Clusters<'_>) {
    let mut family = page.family(&END_OF_SUPPORT);
    for row in &clusters.rows {
        let support = row.reading.watched.version_support.as_ref();
        if let Some(support) = support
            && let Some(end) = support.end_of_support
        {
            clusters
                .identified(family.sample(), row)
                .label("version", &label_text(&support.version))
                .value(end);
        }
    }
    clusters.gauge(page, &BEHIND, |row| {
        let support = row.reading.watched.version_support.as_ref()?;
        support
            .versions_behind
            .map(|behind| Value::from(u64::from(behind)))
    });
}
