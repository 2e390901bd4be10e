//! The catalogue against the conventions; whole pages, what holds for all of them, and the own
//! instruments below.

use std::collections::BTreeSet;

use super::catalog::{self, Kind, Scope};
use crate::config::RESERVED_LABELS;

mod exporter;
#[expect(unreachable_pub, reason = "public for the test binaries that share it")]
#[path = "../../tests/support/exposition.rs"]
mod exposition;
mod pages;
mod properties;

#[test]
fn the_catalogue_has_each_name_once_and_all_of_them_follow_the_conventions() {
    let names: BTreeSet<&str> = catalog::ALL.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), catalog::ALL.len());
    for metric in catalog::ALL {
        assert_eq!(
            metric.name.ends_with("_total"),
            metric.kind == Kind::Counter,
            "{}",
            metric.name
        );
        assert!(metric.help.ends_with('.'), "{}", metric.name);
        assert_eq!(
            metric.scope == Scope::Cluster,
            metric.labels.first() == Some(&"cluster"),
            "{}",
            metric.name
        );
        let prefixes: &[&str] = match metric.scope {
            Scope::Cluster => &["cs_"],
            Scope::Collection => &["cs_exporter_"],
            Scope::Exporter => &["cs_exporter_", "ack_upgrade_exporter_"],
            Scope::Process => &["process_"],
            Scope::Probe => &["probe_"],
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
fn users_may_not_take_a_label_of_the_cluster_families_or_of_prometheus() {
    let clusters = catalog::ALL
        .iter()
        .filter(|metric| metric.scope == Scope::Cluster);
    let own: BTreeSet<&str> = clusters
        .flat_map(|metric| metric.labels)
        .chain(&["job", "instance", "le", "quantile"])
        .copied()
        .collect();
    assert_eq!(own, RESERVED_LABELS.iter().copied().collect());
}
