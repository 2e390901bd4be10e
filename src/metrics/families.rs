//! The families of the clusters: a pure function of their readings.

use std::borrow::Cow;
use std::collections::BTreeSet;

use ack_client::text::{MAX_MESSAGE, clean_message};
use exporter_toolkit::exposition::{Metric, Page, Sample, Value};

use super::{catalog, message, watched};
use crate::config::{ErrorMessages, Metrics, StateSets};
use crate::snapshot::{ClusterReading, Outcome};
use crate::upgrade::{StateSet, UpgradeState};

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

/// One cluster, with the values that every family needs.
pub(super) struct ClusterRow<'a> {
    id: &'a str,
    state: Option<&'a UpgradeState>,
    pub(super) reading: &'a ClusterReading,
}

/// The clusters of a page, each once, ordered by ID.
pub(super) struct Clusters<'a> {
    pub(super) rows: Vec<ClusterRow<'a>>,
    pub(super) options: &'a Metrics,
}

impl<'a> Clusters<'a> {
    pub(super) fn new(
        readings: impl IntoIterator<Item = &'a ClusterReading>,
        options: &'a Metrics,
    ) -> Self {
        let row = |reading: &'a ClusterReading| ClusterRow {
            id: reading.cluster.id.as_str(),
            state: match &reading.outcome {
                Outcome::Up(state) => Some(state),
                Outcome::Down(_) | Outcome::NotAsked => None,
            },
            reading,
        };
        let mut rows: Vec<ClusterRow<'a>> = readings.into_iter().map(row).collect();
        // A snapshot is sorted already. Prometheus refuses a whole page for one duplicate series.
        rows.sort_by_key(|row| row.id);
        rows.dedup_by_key(|row| row.id);
        Self { rows, options }
    }

    /// Adds a family with at most one series for each cluster.
    pub(super) fn gauge(
        &self,
        page: &mut Page,
        metric: &'static Metric,
        value: impl Fn(&ClusterRow<'a>) -> Option<Value>,
    ) {
        let mut family = page.family(metric);
        for row in &self.rows {
            if let Some(value) = value(row) {
                self.identified(family.sample(), row).value(value);
            }
        }
    }

    fn state_set<S: StateSet>(
        &self,
        page: &mut Page,
        metric: &'static Metric,
        active: impl Fn(&ClusterRow<'a>) -> Option<S>,
    ) {
        // These lines are two thirds of a page, so everything but the ID is formatted once. An ID
        // has no character that needs an escape.
        let head = format!("{}{{{}=\"", metric.name, self.options.cluster_label);
        let tail = |value: &S, number: Value| {
            let mut tail =
                format!("\",{}=\"{}\"}} ", metric.labels[1], value.as_str()).into_bytes();
            number.write(page.format(), &mut tail);
            tail.push(b'\n');
            tail
        };
        let tails: Vec<(S, Vec<u8>, Vec<u8>)> = S::ALL
            .iter()
            .map(|value| {
                (
                    *value,
                    tail(value, Value::from(false)),
                    tail(value, Value::from(true)),
                )
            })
            .collect();
        let mut family = page.family(metric);
        for row in &self.rows {
            let Some(active) = active(row) else { continue };
            for (value, inactive_tail, active_tail) in &tails {
                if *value == active {
                    family.line([head.as_bytes(), row.id.as_bytes(), active_tail]);
                } else if self.options.state_sets == StateSets::Full {
                    family.line([head.as_bytes(), row.id.as_bytes(), inactive_tail]);
                }
            }
        }
    }

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

    /// The exposed values of a state set, each with 1 if it is `active` and with 0 if it is not.
    pub(super) fn states<S: StateSet>(
        &self,
        active: S,
    ) -> impl Iterator<Item = (&'static str, Value)> {
        let exposed = self.options.state_sets;
        let states = S::ALL.iter().copied();
        states
            .filter(move |state| exposed == StateSets::Full || *state == active)
            .map(move |state| (state.as_str(), Value::from(state == active)))
    }

    /// Names the cluster of `row` in `sample`.
    pub(super) fn identified<'page>(
        &self,
        sample: Sample<'page>,
        row: &ClusterRow<'_>,
    ) -> Sample<'page> {
        sample.label(&self.options.cluster_label, row.id)
    }
}

/// Returns the API's text as a label may have it, nearly always unchanged.
pub(super) fn label_text(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_MESSAGE && text.bytes().all(|byte| matches!(byte, b'!'..=b'~')) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(clean_message(text))
    }
}
