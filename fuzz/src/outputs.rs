//! The outputs of a snapshot, read back: metrics pages, JSON, service discovery, status page.

use std::collections::BTreeMap;

use ack_client::{Status, Step, TaskStatus};
use ack_upgrade_exporter::config::{Metrics, StateSets};
use ack_upgrade_exporter::metrics::{ExporterMetrics, render, render_probe};
use ack_upgrade_exporter::snapshot::{Outcome, Snapshot};
use ack_upgrade_exporter::upgrade::StateSet;
use ack_upgrade_exporter::web::status_page::{self, PageQuery};
use ack_upgrade_exporter::web::{Paths, json, sd};
use exporter_toolkit::exposition::Format;

use super::{assert_no_secret, fake_api};
use crate::exposition::{Dialect, Exposition};

/// Checks every output of `snapshot`: it is legal, shows no secret, and has one state for each
/// cluster with a response.
pub fn check(snapshot: &Snapshot, own: &ExporterMetrics, options: &Metrics) {
    for (format, dialect) in [
        (Format::Text, Dialect::Text),
        (Format::OpenMetrics, Dialect::OpenMetrics),
    ] {
        let bytes = render(snapshot, own, options, format);
        check_page(&bytes, dialect, snapshot, options);
        for reading in &snapshot.clusters {
            let bytes = render_probe(reading, std::time::Duration::from_secs(1), options, format);
            Exposition::read(&bytes, dialect)
                .unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(&bytes)));
        }
    }
    let text = json::clusters(Some(snapshot), fake_api::start());
    serde_json::from_str::<serde_json::Value>(&text).expect("JSON");
    assert_no_secret(&text, "the JSON");
    let infos: Vec<_> = snapshot
        .clusters
        .iter()
        .map(|reading| reading.cluster.clone())
        .collect();
    let text = sd::targets(&infos);
    serde_json::from_str::<serde_json::Value>(&text).expect("JSON");
    assert_no_secret(&text, "the service discovery");
    let paths = Paths {
        prefix: String::new(),
        telemetry: "/metrics".to_owned(),
    };
    let page = status_page::page(
        Some(snapshot),
        fake_api::start(),
        &PageQuery::default(),
        &paths,
    )
    .expect("the page is rendered");
    assert_no_secret(&page, "the status page");
    assert_eq!(
        page.matches("<script").count(),
        0,
        "nothing may bring a script in"
    );
}

fn check_page(bytes: &[u8], dialect: Dialect, snapshot: &Snapshot, options: &Metrics) {
    let text = String::from_utf8_lossy(bytes);
    assert_no_secret(&text, "the page");
    let page = Exposition::read(bytes, dialect).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut answered = BTreeMap::new();
    for reading in &snapshot.clusters {
        answered
            .entry(reading.cluster.id.as_str())
            .or_insert(matches!(reading.outcome, Outcome::Up(_)));
    }
    let answered = answered.values().filter(|answered| **answered).count();
    if options.state_sets == StateSets::Full {
        states::<Status>(&page, "cs_upgrade_status", "status", answered);
        states::<Step>(&page, "cs_upgrade_step", "step", answered);
        states::<TaskStatus>(&page, "cs_upgrade_task_status", "status", answered);
    }
}

fn states<S: StateSet>(page: &Exposition, family: &str, label: &str, answered: usize) {
    let values: Vec<_> = S::ALL.iter().map(|value| value.as_str()).collect();
    let active = page.family(family).map_or(0, |family| {
        family
            .active_states(label, &values)
            .expect("one state each")
            .len()
    });
    assert_eq!(
        active, answered,
        "{family}: one state for each that answered"
    );
}
