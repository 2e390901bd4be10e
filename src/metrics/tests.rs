//! Tests of the catalogue against the conventions; whole pages, properties of all pages, and the
//! exporter's own instruments are in the modules.

use std::collections::BTreeSet;

use exporter_toolkit::exposition::{Kind, Metric};

use super::catalog::{self, SeriesScope};
use crate::config::{LABELS_BESIDE_CLUSTER, RESERVED_LABELS};

mod exporter;
#[expect(unreachable_pub, reason = "public for the test binaries that share it")]
#[path = "../../tests/support/exposition.rs"]
mod exposition;
mod pages;
mod properties;

/// The metrics of `scope`.
fn of(scope: SeriesScope) -> impl Iterator<Item = &'static Metric> {
    catalog::groups()
        .filter(move |(one, _)| *one == scope)
        .flat_map(|(_, metrics)| metrics)
        .copied()
}

#[test]
fn the_names_of_the_catalogue_are_distinct_and_follow_the_conventions() {
    let names: BTreeSet<&str> = catalog::all().map(|metric| metric.name).collect();
    assert_eq!(names.len(), catalog::all().count());
    let scoped = catalog::groups()
        .flat_map(|(scope, metrics)| metrics.iter().map(move |metric| (scope, *metric)));
    for (scope, metric) in scoped {
        assert_eq!(
            metric.name.ends_with("_total"),
            metric.kind == Kind::Counter,
            "{}",
            metric.name
        );
        assert_eq!(
            metric.name.ends_with("_info"),
            metric.kind == Kind::Info,
            "{}",
            metric.name
        );
        assert!(metric.help.ends_with('.'), "{}", metric.name);
        assert_eq!(
            scope == SeriesScope::Cluster,
            metric.labels.first() == Some(&"cluster"),
            "{}",
            metric.name
        );
        let prefixes: &[&str] = match scope {
            SeriesScope::Cluster => &["cs_"],
            SeriesScope::Query => &["cs_query_"],
            SeriesScope::Collection => &["cs_exporter_"],
            SeriesScope::Exporter => &["cs_exporter_", "ack_upgrade_exporter_"],
            SeriesScope::Process => &["process_"],
            SeriesScope::Probe => &["probe_"],
        };
        assert!(
            prefixes
                .iter()
                .any(|prefix| metric.name.starts_with(prefix)),
            "{}",
            metric.name
        );
    }
}

#[test]
fn labels_of_the_upgrade_families_and_of_prometheus_are_reserved() {
    let (_, upgrades) = catalog::groups().next().expect("the first group");
    let own: BTreeSet<&str> = upgrades
        .iter()
        .flat_map(|metric| metric.labels)
        .chain(&["job", "instance", "le", "quantile"])
        .copied()
        .collect();
    assert_eq!(own, RESERVED_LABELS.iter().copied().collect());
}

#[test]
fn the_cluster_label_can_take_the_name_of_no_label_beside_it() {
    let beside: BTreeSet<&str> = of(SeriesScope::Cluster)
        .chain(of(SeriesScope::Query))
        .flat_map(|metric| metric.labels)
        .copied()
        .filter(|label| !RESERVED_LABELS.contains(label))
        .collect();
    assert_eq!(beside, LABELS_BESIDE_CLUSTER.iter().copied().collect());
}
