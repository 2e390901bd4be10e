//! Installed add-ons, and those on offer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ack_simulator::{Action, Options, UpgradingClusters};
use ack_upgrade_exporter::snapshot::Snapshot;
use tokio::time::sleep;

use super::{MINUTE, values, watching};
use crate::fleet::{Fleet, options};

const CLUSTERS: usize = 24;
const HOUR: Duration = Duration::from_secs(3600);

/// A fleet without upgrades, so that no cluster becomes one of another kind.
fn quiet() -> Options {
    Options {
        upgrading: UpgradingClusters::First(0),
        ..options(CLUSTERS)
    }
}

/// The number of kinds of clusters, of which each has add-ons of its own on offer.
fn kinds(snapshot: &Arc<Snapshot>) -> u64 {
    let clusters = snapshot.clusters.iter().map(|reading| &reading.cluster);
    let kinds: BTreeSet<_> = clusters
        .map(|cluster| {
            let texts = [
                &cluster.cluster_type,
                &cluster.profile,
                &cluster.spec,
                &cluster.version,
            ];
            (&cluster.region, texts)
        })
        .collect();
    kinds.len() as u64
}

fn available(fleet: &Fleet, snapshot: &Arc<Snapshot>) -> Vec<String> {
    let page = fleet.page(snapshot);
    let samples = page.samples("cs_addon_info");
    let versions = samples.map(|sample| sample.label("available_version").expect("a label"));
    versions.map(str::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn add_ons_take_one_call_a_cluster_and_one_a_kind_of_cluster() {
    let fleet = watching(quiet(), "addons: {}");
    sleep(MINUTE).await;
    let snapshot = fleet.scrape_in_time().await;
    let kinds = kinds(&snapshot);
    assert!((2..CLUSTERS as u64).contains(&kinds), "{kinds}");
    assert_eq!(
        fleet.calls(Action::ListClusterAddonInstances),
        CLUSTERS as u64
    );
    assert_eq!(fleet.calls(Action::ListAddons), kinds);
    let available = available(&fleet, &snapshot);
    assert!(available.len() > CLUSTERS, "several add-ons each");
    let outdated = available.iter().filter(|version| !version.is_empty());
    assert!((1..available.len()).contains(&outdated.count()));
    let page = fleet.page(&snapshot);
    for query in ["addons", "addon_offers"] {
        let mut samples = page.samples("cs_query_up");
        assert!(samples.any(|sample| sample.label("query") == Some(query)));
    }
    let up = values(&page, "cs_query_up");
    assert!(up.iter().all(|up| *up > 0.0), "{up:?}");
    sleep(6 * HOUR).await;
    assert_eq!(fleet.calls(Action::ListAddons), 2 * kinds);
}

#[tokio::test(start_paused = true)]
async fn installed_add_ons_are_shown_where_the_offers_are_not_permitted() {
    let fleet = watching(quiet(), "addons: {}");
    fleet.sim.deny(Action::ListAddons);
    sleep(MINUTE).await;
    let snapshot = fleet.scrape_in_time().await;
    let available = available(&fleet, &snapshot);
    assert!(available.len() >= CLUSTERS);
    assert!(available.iter().all(String::is_empty));
    let queries = &snapshot.accounts[0].queries;
    let failures = queries
        .iter()
        .filter_map(|(_, reading)| reading.failure.as_ref());
    let messages: Vec<_> = failures.map(|failure| &failure.message).collect();
    assert_eq!(messages.len(), fleet.sim.regions().len());
    assert!(messages[0].contains("cs:ListAddons"), "{}", messages[0]);
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_is_a_failure_of_each_cluster() {
    let fleet = watching(quiet(), "addons: {}");
    fleet.sim.deny(Action::ListClusterAddonInstances);
    sleep(MINUTE).await;
    let snapshot = fleet.scrape_in_time().await;
    assert!(available(&fleet, &snapshot).is_empty());
    for cluster in &snapshot.clusters {
        let failure = cluster.queries[0].failure.as_ref().expect("it was refused");
        let action = "cs:ListClusterAddonInstances";
        assert!(failure.message.contains(action), "{}", failure.message);
    }
    let page = fleet.page(&snapshot);
    assert!(values(&page, "cs_up").iter().all(|up| *up > 0.0));
}
