//! The families of what is known beside the upgrades: a file and a line here for each query.

mod addons;
mod maintenance;
mod node_pools;
mod plans;
mod prechecks;
mod versions;

use exporter_toolkit::exposition::{Metric, Page};

use super::clusters::Clusters;

/// The families of one query.
struct Families {
    metrics: &'static [&'static Metric],
    /// Adds all of them to the page.
    write: fn(&mut Page, &Clusters<'_>),
}

/// Every query, in the order of exposition.
static QUERIES: &[Families] = &[
    Families {
        metrics: plans::METRICS,
        write: plans::write,
    },
    Families {
        metrics: versions::METRICS,
        write: versions::write,
    },
    Families {
        metrics: node_pools::METRICS,
        write: node_pools::write,
    },
    Families {
        metrics: addons::METRICS,
        write: addons::write,
    },
    Families {
        metrics: prechecks::METRICS,
        write: prechecks::write,
    },
    Families {
        metrics: maintenance::METRICS,
        write: maintenance::write,
    },
];

/// The metrics of each query.
pub(super) fn groups() -> impl Iterator<Item = &'static [&'static Metric]> {
    QUERIES.iter().map(|query| query.metrics)
}

/// Adds the families of every query.
pub(super) fn write(page: &mut Page, clusters: &Clusters<'_>) {
    for query in QUERIES {
        (query.write)(page, clusters);
    }
}
