//! The checks before upgrades.

use std::sync::Arc;
use std::time::Duration;

use ack_client::names::ClusterId;
use ack_simulator::{Action, Options, Phase, UpgradeStage, UpgradingClusters};
use ack_upgrade_exporter::snapshot::Snapshot;
use tokio::time::sleep;

use super::{MINUTE, values, watching};
use crate::fleet::{Fleet, options};

const CLUSTERS: usize = 12;

/// A fleet in which no check is made.
fn quiet() -> Options {
    Options {
        upgrading: UpgradingClusters::First(0),
        ..options(CLUSTERS)
    }
}

fn calls(fleet: &Fleet, action: Action) -> usize {
    usize::try_from(fleet.calls(action)).expect("a small number")
}

/// The result of the newest check before an upgrade of `cluster` itself.
fn result(fleet: &Fleet, snapshot: &Arc<Snapshot>, cluster: &ClusterId) -> Option<String> {
    let page = fleet.page(snapshot);
    let mut samples = page.samples("cs_precheck_result").filter(|sample| {
        sample.label("cluster") == Some(cluster.as_str())
            && sample.label("type") == Some("cluster_upgrade")
    });
    let result = samples.find(|sample| sample.value > 0.0)?.label("result")?;
    Some(result.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_check_that_has_finished_is_read_once() {
    let fleet = watching(quiet(), "prechecks: {interval: 1h}");
    sleep(MINUTE).await;
    let page = fleet.page(&fleet.scrape_in_time().await);
    let results = values(&page, "cs_precheck_result");
    let newest = results.iter().filter(|value| **value > 0.0).count();
    assert_eq!(results.len(), 4 * newest, "each is a state set");
    assert_eq!(
        values(&page, "cs_precheck_finished_timestamp_seconds").len(),
        newest
    );
    assert!(newest >= CLUSTERS);
    assert_eq!(calls(&fleet, Action::ListClusterChecks), CLUSTERS);
    assert_eq!(calls(&fleet, Action::GetClusterCheck), newest);
    sleep(61 * MINUTE).await;
    assert_eq!(calls(&fleet, Action::ListClusterChecks), 2 * CLUSTERS);
    assert_eq!(calls(&fleet, Action::GetClusterCheck), newest);
}

#[tokio::test(start_paused = true)]
async fn the_check_of_an_upgrade_is_followed_to_its_end() {
    let fleet = watching(quiet(), "prechecks: {}");
    let cluster = fleet.ids().remove(0);
    sleep(MINUTE).await;
    let world = fleet.sim.world();
    world.set_phase(&cluster, Phase::Prechecking, None);
    fleet.scrape_in_time().await;
    sleep(6 * MINUTE).await;
    let snapshot = fleet.scrape_in_time().await;
    let running = result(&fleet, &snapshot, &cluster);
    assert_eq!(running.as_deref(), Some("unknown"));
    let failed = Phase::Failed(UpgradeStage::Precheck);
    world.set_phase(&cluster, failed, Some("a node is not ready"));
    sleep(6 * MINUTE).await;
    let snapshot = fleet.scrape_in_time().await;
    let ended = result(&fleet, &snapshot, &cluster);
    assert_eq!(ended.as_deref(), Some("failed"));
    let calls = || {
        let calls = fleet.sim.calls();
        let about = calls.iter().filter(|call| call.subject == cluster.as_str());
        about
            .filter(|call| call.action == Action::ListClusterChecks)
            .count()
    };
    let before = calls();
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(calls(), before, "nothing is under way");
}

#[tokio::test(start_paused = true)]
async fn each_permission_that_is_missing_is_named() {
    for action in [Action::ListClusterChecks, Action::GetClusterCheck] {
        let fleet = watching(quiet(), "prechecks: {}");
        fleet.sim.deny(action);
        sleep(MINUTE).await;
        let snapshot = fleet.scrape_in_time().await;
        let failure = snapshot.clusters[0].queries[0].failure.as_ref();
        let message = &failure.expect("it was refused").message;
        assert!(message.contains(action.as_str()), "{message}");
        let page = fleet.page(&snapshot);
        assert!(values(&page, "cs_precheck_result").is_empty());
        assert!(values(&page, "cs_query_up").iter().all(|up| *up < 1.0));
        assert!(values(&page, "cs_up").iter().all(|up| *up > 0.0));
    }
}
