//! Metrics: a snapshot and the exporter's own instruments → the bytes of a metrics page.
//!
//! [`catalog`] declares every metric. `families` and `collection` are pure functions of a
//! snapshot; `exporter` counts the work of the process. All of them write to a [`Page`], in either
//! format.

pub mod catalog;
mod clusters;
mod collection;
mod declaration;
mod exporter;
mod families;
mod message;
mod queries;
mod unknown;
mod watched;

use std::time::Duration;

use bytes::Bytes;
use exporter_toolkit::exposition::{Format, Page, Value};

pub use exporter::ExporterMetrics;

use crate::config::{Metrics, StateSets};
use crate::snapshot::{ClusterReading, Outcome, Snapshot};

/// Renders the page of `/metrics`.
pub fn render(
    snapshot: &Snapshot,
    exporter: &ExporterMetrics,
    options: &Metrics,
    format: Format,
) -> Bytes {
    let mut page = Page::with_capacity(format, expected_size(snapshot, options));
    families::write(&mut page, &snapshot.clusters, options);
    queries::write(&mut page, &snapshot.clusters, &snapshot.accounts, options);
    collection::write(&mut page, snapshot);
    exporter.write(&mut page);
    page.finish()
}

/// Renders the page of `/probe`: the requested cluster, and the result of the probe, which took
/// `elapsed`.
pub fn render_probe(
    reading: &ClusterReading,
    elapsed: Duration,
    options: &Metrics,
    format: Format,
) -> Bytes {
    let mut page = Page::with_capacity(format, 4096);
    families::write(&mut page, [reading], options);
    queries::write(&mut page, [reading], &[], options);
    page.family(&catalog::PROBE_SUCCESS)
        .sample()
        .value(Value::from(matches!(reading.outcome, Outcome::Up(_))));
    page.family(&catalog::PROBE_DURATION)
        .sample()
        .value(elapsed);
    page.finish()
}

/// Returns a capacity that is enough for nearly every page.
// A large page would otherwise be copied as it grows.
fn expected_size(snapshot: &Snapshot, options: &Metrics) -> usize {
    let (cluster, node_pool) = match options.state_sets {
        StateSets::Full => (3584, 4096),
        StateSets::Active => (1664, 2048),
    };
    let node_pools: usize = snapshot
        .clusters
        .iter()
        .filter_map(|reading| reading.watched.node_pools.as_ref())
        .map(Vec::len)
        .sum();
    16 * 1024 * (1 + snapshot.accounts.len())
        + cluster * snapshot.clusters.len()
        + node_pool * node_pools
}

#[cfg(test)]
mod tests;
