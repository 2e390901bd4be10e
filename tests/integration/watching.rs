//! The queries beside those of the upgrades: plans and versions, and the others in the modules.

mod addons;
mod maintenance;
mod node_pools;
mod prechecks;

use std::time::Duration;

use ack_simulator::{Action, Fault, LoggedCall, Options, Rule};
use ack_upgrade_exporter::collect::Collector;
use tokio::time::sleep;

use crate::exposition::Exposition;
use crate::fleet::{Fleet, dependencies, options};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// The values of the family `name`.
fn values(page: &Exposition, name: &str) -> Vec<f64> {
    let samples = page.family(name).map(|family| &family.samples);
    samples
        .into_iter()
        .flatten()
        .map(|sample| sample.value)
        .collect()
}

/// An account that watches everything there is.
fn watching(options: Options, watch: &str) -> Fleet {
    Fleet::in_process(options, &format!("watch: {{{watch}}}"), "")
}

#[tokio::test(start_paused = true)]
async fn plans_and_versions_take_one_call_a_region_and_are_on_the_page() {
    let fleet = watching(options(12), "plans: {}, versions: {interval: 1h}");
    sleep(MINUTE).await;
    let page = fleet.page(&fleet.scrape_in_time().await);
    for name in [
        "cs_plan_info",
        "cs_plan_start_timestamp_seconds",
        "cs_cluster_version_end_of_support_timestamp_seconds",
        "cs_cluster_versions_behind",
    ] {
        assert!(!values(&page, name).is_empty(), "{name}");
    }
    let up = values(&page, "cs_query_up");
    assert!(!up.is_empty() && up.iter().all(|up| *up > 0.0));
    let regions = fleet.sim.regions().len() as u64;
    assert_eq!(fleet.calls(Action::ListOperationPlansForRegion), regions);
    sleep(15 * MINUTE).await;
    let plans = fleet.calls(Action::ListOperationPlansForRegion);
    assert_eq!(plans, 2 * regions, "every quarter of an hour");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_watched_costs_no_call_and_no_series() {
    let fleet = watching(options(12), "");
    sleep(MINUTE).await;
    let page = fleet.page(&fleet.scrape_in_time().await);
    for name in [
        "cs_plan_info",
        "cs_cluster_versions_behind",
        "cs_node_pool_info",
        "cs_cluster_auto_upgrade",
        "cs_query_up",
    ] {
        assert!(values(&page, name).is_empty(), "{name}");
    }
    for action in [
        Action::ListOperationPlansForRegion,
        Action::DescribeKubernetesVersionMetadata,
        Action::DescribeClusterNodePools,
        Action::DescribeClusterDetail,
        Action::DescribeClustersForRegion,
    ] {
        assert_eq!(fleet.calls(action), 0, "{action:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_is_a_failed_query_and_costs_the_upgrades_nothing() {
    let fleet = watching(options(12), "plans: {}");
    fleet.sim.deny(Action::ListOperationPlansForRegion);
    sleep(MINUTE).await;
    let snapshot = fleet.scrape_in_time().await;
    let page = fleet.page(&snapshot);
    assert!(values(&page, "cs_query_up").iter().all(|up| *up < 1.0));
    assert!(values(&page, "cs_up").iter().all(|up| *up > 0.0));
    let (_, reading) = &snapshot.accounts[0].queries[0];
    let message = &reading.failure.as_ref().expect("it was refused").message;
    assert!(
        message.contains("cs:ListOperationPlansForRegion"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_region_holds_up_no_other() {
    let fleet = watching(options(60), "node_pools: {interval: 10m}, maintenance: {}");
    let silent = fleet.sim.regions()[0].clone();
    fleet
        .sim
        .add_fault(Rule::new(Fault::Hang).region(silent.clone()));
    sleep(5 * MINUTE).await;
    let snapshot = fleet.scrape_in_time().await;
    for reading in &snapshot.clusters {
        let is_known =
            reading.watched.node_pools.is_some() && reading.watched.maintenance.is_some();
        let is_silent = reading.cluster.region.as_ref() == Some(&silent);
        assert_eq!(is_known, !is_silent, "{}", reading.cluster.id);
    }
    fleet.sim.forget_calls();
    sleep(30 * MINUTE).await;
    let calls = fleet.sim.calls();
    for id in fleet.ids() {
        let of_cluster = |call: &&LoggedCall| {
            call.action == Action::DescribeClusterNodePools && call.subject == id.as_str()
        };
        let asked = calls.iter().filter(of_cluster).count();
        let is_silent = fleet.sim.world().region(&id).as_ref() == Some(&silent);
        assert!(
            is_silent || asked >= 2,
            "{id}: {asked} times in half an hour"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_query_is_not_in_flight_twice_although_scrapes_hold_the_collector_before_a_reload() {
    let fleet = watching(options(1), "maintenance: {}");
    fleet
        .sim
        .add_fault(Rule::new(Fault::Slow(8 * SECOND)).on(Action::DescribeClusterDetail));
    sleep(SECOND).await;
    assert_eq!(fleet.sim.peak_in_flight(), 1);
    let dependencies = dependencies(&fleet.sim, &fleet.own);
    let _later = Collector::after(&fleet.collector, &fleet.config, &dependencies);
    sleep(10 * SECOND).await;
    assert_eq!(fleet.sim.peak_in_flight(), 1);
    sleep(5 * MINUTE).await;
    assert_eq!(
        fleet.calls(Action::DescribeClusterDetail),
        2,
        "one was given up"
    );
}
