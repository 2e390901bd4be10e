//! The clusters of a page, and the series that many families make of them.

use std::borrow::Cow;

use ack_client::text::{MAX_MESSAGE, clean_message};
use exporter_toolkit::exposition::{Metric, Page, Sample, Value};

use crate::config::{Metrics, StateSets};
use crate::snapshot::{ClusterReading, Outcome};
use crate::upgrade::{StateSet, UpgradeState};

/// One cluster, with the values that every family needs.
pub(super) struct ClusterRow<'a> {
    pub(super) id: &'a str,
    pub(super) state: Option<&'a UpgradeState>,
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

    /// Adds a family with a series for each state of each cluster whose state is known.
    pub(super) fn state_set<S: StateSet>(
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
