//! Node pools and their upgrades.

use std::collections::BTreeMap;
use std::sync::Arc;

use ack_client::names::ClusterId;
use ack_simulator::{Phase, TaskLists, UpgradingClusters};
use ack_upgrade_exporter::collect::Collector;
use ack_upgrade_exporter::snapshot::Snapshot;

use super::*;
use crate::fleet::{UNLIMITED, dependencies, reading};

const POOLS: Action = Action::DescribeClusterNodePools;
const TASKS: Action = Action::DescribeClusterTasks;
const TASK: Action = Action::DescribeTaskInfo;

/// Clusters of which one half was upgraded some days ago, and which do not change.
fn quiet_fleet(watch: &str) -> Fleet {
    let options = Options {
        upgrading: UpgradingClusters::First(0),
        task_lists: TaskLists::Short,
        ..options(12)
    };
    watched(options, watch)
}

/// An account whose upgrades are read by another operation than the pools' tasks.
fn watched(options: Options, watch: &str) -> Fleet {
    let account = format!("source: upgrade_status\n{UNLIMITED}\nwatch: {{{watch}}}");
    Fleet::in_process(options, &account, "")
}

/// The calls of `action` about `cluster`.
fn calls_about(fleet: &Fleet, cluster: &ClusterId, action: Action) -> usize {
    let calls = fleet.sim.calls();
    let is_meant = |subject: &str, called| called == action && subject == cluster.as_str();
    calls
        .iter()
        .filter(|call| is_meant(&call.subject, call.action))
        .count()
}

/// The labels of each series of `name` that is 1, as they were called for.
fn active(page: &Exposition, name: &str, label: &str) -> BTreeMap<(String, String), String> {
    let samples = page.family(name).map(|family| &family.samples);
    let mut active = BTreeMap::new();
    for sample in samples.into_iter().flatten() {
        let value = |label: &str| {
            let found = sample.labels.iter().find(|(name, _)| name == label);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        if sample.value > 0.0 {
            let pool = (value("cluster"), value("node_pool"));
            let earlier = active.insert(pool, value(label));
            assert_eq!(earlier, None, "one state of each pool");
        }
    }
    active
}

#[tokio::test(start_paused = true)]
async fn pools_take_a_call_a_cluster_tasks_less_and_a_finished_task_is_described_once() {
    let fleet = quiet_fleet("node_pools: {}");
    sleep(MINUTE).await;
    let page = fleet.page(&fleet.scrape_in_time().await);
    for name in [
        "cs_node_pool_info",
        "cs_node_pool_state",
        "cs_node_pool_nodes",
        "cs_node_pool_versions_behind",
        "cs_node_pool_upgrade_status",
        "cs_node_pool_upgrade_started_timestamp_seconds",
        "cs_node_pool_upgrade_updated_timestamp_seconds",
    ] {
        assert!(!values(&page, name).is_empty(), "{name}");
    }
    assert_eq!(values(&page, "cs_query_up"), [1.0; 12]);
    let described = fleet.calls(TASK);
    assert_eq!([fleet.calls(POOLS), fleet.calls(TASKS)], [12, 12]);
    assert!(described > 0);
    sleep(3 * 60 * MINUTE).await;
    let after = [POOLS, TASKS].map(|action| fleet.calls(action));
    assert!(after[0] == 84 && (13..23).contains(&after[1]), "{after:?}");
    sleep(9 * 60 * MINUTE).await;
    let after = [POOLS, TASKS].map(|action| fleet.calls(action));
    assert_eq!(
        after,
        [300, 24],
        "tasks every twelve hours, not all at once"
    );
    assert_eq!(fleet.calls(TASK), described);
}

#[tokio::test(start_paused = true)]
async fn the_pools_of_a_cluster_that_is_upgraded_are_read_every_minute() {
    let fleet = quiet_fleet("node_pools: {}");
    let [upgraded, other] = [&fleet.ids()[1], &fleet.ids()[2]];
    fleet
        .sim
        .world()
        .set_phase(upgraded, Phase::Upgrading, None);
    fleet.scrape_in_time().await;
    sleep(5 * MINUTE + MINUTE / 2).await;
    assert_eq!(calls_about(&fleet, upgraded, POOLS), 6);
    assert_eq!(calls_about(&fleet, other, POOLS), 1);
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_of_a_pool_is_its_own_and_a_planned_pause_has_no_error() {
    let fleet = watched(options(12), "node_pools: {interval: 2s}");
    let (mut failed, mut paused) = (0, 0);
    for _ in 0..60 {
        sleep(2 * SECOND).await;
        let page = fleet.page(&fleet.scrape_in_time().await);
        let errors = active(&page, "cs_node_pool_upgrade_error_info", "message");
        let statuses = active(&page, "cs_node_pool_upgrade_status", "status");
        for (pool, status) in &statuses {
            let is_failed = status == "fail";
            assert_eq!(errors.contains_key(pool), is_failed, "{pool:?} {status}");
            failed += u32::from(is_failed);
            paused += u32::from(status == "pause");
        }
    }
    assert!(failed > 0 && paused > 0, "{failed} {paused}");
}

#[tokio::test(start_paused = true)]
async fn the_upgrade_of_a_cluster_is_not_that_of_its_pools() {
    let account = |watch| {
        let account = format!("source: tasks\n{UNLIMITED}\n{watch}");
        Fleet::in_process(options(12), &account, "")
    };
    let watching = account("watch: {node_pools: {interval: 2s}}");
    let plain = account("");
    sleep(MINUTE / 2).await;
    let states = |snapshot: &Arc<Snapshot>| {
        let states: Vec<_> = snapshot
            .clusters
            .iter()
            .map(|reading| reading.outcome.clone())
            .collect();
        states
    };
    let snapshot = watching.scrape_in_time().await;
    let statuses = active(
        &watching.page(&snapshot),
        "cs_node_pool_upgrade_status",
        "status",
    );
    assert!(statuses.values().any(|status| status == "fail"));
    assert_eq!(states(&snapshot), states(&plain.scrape_in_time().await));
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_for_tasks_names_the_actions() {
    let fleet = quiet_fleet("node_pools: {}");
    fleet.sim.deny(TASKS);
    sleep(MINUTE).await;
    let snapshot = fleet.scrape_in_time().await;
    let page = fleet.page(&snapshot);
    assert_eq!(values(&page, "cs_query_up"), [0.0; 12]);
    assert_eq!(values(&page, "cs_up"), [1.0; 12]);
    let reading = reading(&snapshot, &fleet.ids()[0]);
    let failure = reading.queries[0].failure.as_ref().expect("it was refused");
    for action in [POOLS, TASKS, TASK] {
        let action = format!("cs:{}", action.as_str());
        assert!(failure.message.contains(&action), "{}", failure.message);
    }
}

#[tokio::test(start_paused = true)]
async fn pools_survive_a_reload() {
    let fleet = quiet_fleet("node_pools: {}");
    sleep(MINUTE).await;
    let before = fleet.page(&fleet.scrape_in_time().await);
    let calls = fleet.calls(POOLS);
    let dependencies = dependencies(&fleet.sim, &fleet.own);
    let earlier = fleet;
    let fleet = Fleet {
        collector: Collector::after(&earlier.collector, &earlier.config, &dependencies),
        ..earlier
    };
    drop(earlier.collector);
    let after = fleet.page(&fleet.scrape_in_time().await);
    sleep(MINUTE).await;
    assert_eq!(fleet.calls(POOLS), calls);
    let name = "cs_node_pool_info";
    assert_eq!(values(&before, name), values(&after, name));
}

#[tokio::test(start_paused = true)]
async fn a_low_rate_limit_delays_pools_and_fails_no_query() {
    let account = "source: upgrade_status\nwatch: {node_pools: {}}\n\
        rate_limit: {requests_per_second: 0.1, burst: 2}";
    let options = Options {
        upgrading: UpgradingClusters::First(0),
        ..options(4)
    };
    // The tasks of one cluster are several pages, which take longer than a query with its tokens.
    let fleet = Fleet::in_process(options, account, "");
    for _ in 0..20 {
        sleep(MINUTE).await;
        let page = fleet.page(&fleet.scrape(SECOND).await);
        assert!(values(&page, "cs_query_up").iter().all(|up| *up > 0.0));
    }
    let page = fleet.page(&fleet.scrape(SECOND).await);
    assert_eq!(values(&page, "cs_query_up"), [1.0; 4]);
}
