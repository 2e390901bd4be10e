//! The families of the clusters: a pure function of their readings.

use std::collections::BTreeSet;

use exporter_toolkit::exposition::{Page, Value};

use super::clusters::{Clusters, label_text};
use super::{catalog, message, watched};
use crate::config::{ErrorMessages, Metrics};
use crate::snapshot::{ClusterReading, Outcome};

/// Adds every family of [`SeriesScope::Cluster`](catalog::SeriesScope::Cluster).
pub(crate) fn write<'a>(
    page: &mut Page,
    readings: impl IntoIterator<Item = &'a ClusterReading>,
    options: &'a Metrics,
) {
    let clusters = &Clusters::new(readings, options);
    clusters.gauge(page, &catalog::UP, |row| match row.reading.outcome {
        Outcome::Up(_) => Some(Value::from(true)),
        Outcome::Down(_) => Some(Value::from(false)),
        Outcome::NotAsked => None,
    });
    clusters.failures(page);
    clusters.gauge(page, &catalog::QUERY_DURATION, |row| {
        row.reading.duration.map(Value::from)
    });
    clusters.gauge(page, &catalog::LAST_SUCCESS, |row| {
        row.reading.last_success.map(Value::from)
    });
    clusters.state_set(page, &catalog::UPGRADE_STATUS, |row| {
        Some(row.state?.status)
    });
    clusters.state_set(page, &catalog::UPGRADE_STEP, |row| Some(row.state?.step));
    clusters.state_set(page, &catalog::UPGRADE_TASK_STATUS, |row| {
        Some(row.state?.task_status)
    });
    clusters.upgrade_infos(page);
    clusters.error_infos(page);
    // A cluster that could not be queried has no present state, so no time since which it lasts.
    clusters.gauge(page, &catalog::UPGRADE_STATE_SINCE, |row| {
        row.state.and(row.reading.since).map(Value::from)
    });
    clusters.gauge(page, &catalog::UPGRADE_STARTED, |row| {
        row.state?.started.map(Value::from)
    });
    clusters.gauge(page, &catalog::UPGRADE_UPDATED, |row| {
        row.state?.updated.map(Value::from)
    });
    clusters.cluster_infos(page);
    clusters.state_set(page, &catalog::CLUSTER_STATE, |row| {
        row.reading.cluster.state
    });
    watched::write(page, clusters);
}

impl Clusters<'_> {
    fn failures(&self, page: &mut Page) {
        let mut family = page.family(&catalog::QUERY_FAILURE);
        for row in &self.rows {
            if let Outcome::Down(failure) = &row.reading.outcome {
                self.identified(family.sample(), row)
                    .label("reason", failure.reason.as_str())
                    .value(Value::ONE);
            }
        }
    }

    fn upgrade_infos(&self, page: &mut Page) {
        let mut family = page.family(&catalog::UPGRADE_INFO);
        for row in &self.rows {
            let Some(state) = row.state else { continue };
            self.identified(family.sample(), row)
                .label("source", state.source.as_str())
                .label("precheck_report_id", &label_text(&state.precheck_report_id))
                .label("task_id", &label_text(&state.task_id))
                .label("target_version", &label_text(&state.target_version))
                .value(Value::ONE);
        }
    }

    fn error_infos(&self, page: &mut Page) {
        if self.options.error_message == ErrorMessages::Hidden {
            return;
        }
        let mut family = page.family(&catalog::UPGRADE_ERROR_INFO);
        for row in &self.rows {
            let message = row
                .state
                .and_then(|state| state.error_message.as_deref())
                .map(message::label);
            if let Some(message) = message.filter(|message| !message.is_empty()) {
                self.identified(family.sample(), row)
                    .label("message", &message)
                    .value(Value::ONE);
            }
        }
    }

    fn cluster_infos(&self, page: &mut Page) {
        // The series of one family should have the same label names, so each cluster gets the names
        // of all clusters.
        let names: BTreeSet<&str> = self
            .rows
            .iter()
            .flat_map(|row| row.reading.cluster.labels.keys())
            .map(String::as_str)
            .collect();
        let mut family = page.family(&catalog::CLUSTER_INFO);
        for row in &self.rows {
            let cluster = &row.reading.cluster;
            self.identified(family.sample(), row)
                .label("name", &label_text(&cluster.name))
                .label("account", cluster.account.as_str())
                .label(
                    "region",
                    cluster.region.as_ref().map_or("", |region| region.as_str()),
                )
                .label("type", &label_text(&cluster.cluster_type))
                .label("spec", &label_text(&cluster.spec))
                .label("version", &label_text(&cluster.version))
                .label("next_version", &label_text(&cluster.next_version))
                .labels(
                    names
                        .iter()
                        .map(|&name| (name, cluster.labels.get(name).map_or("", String::as_str))),
                )
                .value(Value::ONE);
        }
    }
}
