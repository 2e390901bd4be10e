//! The queries beside those of the upgrades: plans and versions, and the others in the modules.

mod addons;
mod economy;
mod maintenance;
mod node_pools;
mod prechecks;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ack_client::clock::Clock;
use ack_client::names::ClusterId;
use ack_client::{ResponseFuture, Transport};
use ack_simulator::{
    Action, Fault, InProcess, LoggedCall, Options, Rule, Simulator, UpgradingClusters,
};
use ack_upgrade_exporter::collect::Collector;
use bytes::Bytes;
use http::{Request, Response};
use tokio::time::sleep;

use crate::exposition::Exposition;
use crate::fleet::{Fleet, UNLIMITED, dependencies, options, reading};

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

/// An API with these plans: `all` of them, and those that are `scheduled` if it is asked for them.
#[derive(Debug, Clone)]
struct PlansApi {
    sim: InProcess,
    all: String,
    scheduled: String,
}

impl Transport for PlansApi {
    fn send(&self, request: Request<Bytes>) -> ResponseFuture<'_> {
        let uri = request.uri();
        let query = uri.query().unwrap_or_default();
        let plans = match query {
            _ if !uri.path().ends_with("/operation/plans") => return self.sim.send(request),
            query if query.contains("state=Scheduled") => self.scheduled.as_str(),
            query if query.contains("state=") => "",
            _ => self.all.as_str(),
        };
        let body = format!(r#"{{"plans": [{plans}]}}"#);
        Box::pin(std::future::ready(Ok(Response::new(Bytes::from(body)))))
    }
}

/// A plan to upgrade `cluster`, in the body of a response.
fn plan(id: &str, cluster: &str, state: &str) -> String {
    format!(
        r#"{{"plan_id": "{id}", "cluster_id": "{cluster}", "target_id": "{cluster}",
        "target_type": "cluster", "type": "CLUSTER_UPGRADE_MASTER", "state": "{state}"}}"#
    )
}

/// A fleet of idle clusters that is asked for its plans. The first cluster has the plans of
/// `plans`: in the list of all, and among the scheduled ones.
fn planned(plans: impl FnOnce(&ClusterId) -> (String, String)) -> (Fleet, ClusterId) {
    let sim = Arc::new(Simulator::new(quiet(12)));
    let first = sim.world().clusters()[0].clone();
    let (all, scheduled) = plans(&first);
    let api = PlansApi {
        sim: InProcess(Arc::clone(&sim)),
        all,
        scheduled,
    };
    let clock = Clock::simulated(sim.world().now());
    let account = format!("source: upgrade_status\nwatch: {{plans: {{}}}}\n{UNLIMITED}");
    let fleet = Fleet::over(
        sim,
        Arc::new(api),
        clock,
        "http://simulator.example",
        &account,
        "idle_interval: 10m",
    );
    (fleet.calm(), first)
}

#[tokio::test(start_paused = true)]
async fn plans_to_come_are_asked_for_by_state_where_ended_ones_fill_the_list() {
    for (ended, expected) in [(99, 0), (100, 1)] {
        let (fleet, id) = planned(|id| {
            let plan_of = |number| plan(&format!("P-{number}"), "cother", "Executed");
            let all: Vec<_> = (0..ended).map(plan_of).collect();
            (all.join(","), plan("P-next", id.as_str(), "Scheduled"))
        });
        sleep(MINUTE).await;
        let snapshot = fleet.scrape_in_time().await;
        let plans = reading(&snapshot, &id).watched.plans.as_ref();
        let plans = plans.expect("they were asked for");
        assert_eq!(plans.len(), expected, "{ended} ended plans");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_whose_plan_is_executed_is_queried_although_the_list_shows_it_idle() {
    let (fleet, _) = planned(|id| (plan("P-1", id.as_str(), "Executing"), String::new()));
    fleet.scrape_in_time().await;
    for scrape in 1..=3 {
        sleep(15 * SECOND).await;
        fleet.scrape_in_time().await;
        assert_eq!(fleet.calls(Action::GetUpgradeStatus), 12 + scrape);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_watched_costs_no_call_and_no_series() {
    let families = async |fleet: &Fleet| {
        sleep(MINUTE).await;
        let page = fleet.page(&fleet.scrape_in_time().await);
        let families = page.families.into_iter();
        families
            .map(|family| family.name)
            .collect::<BTreeSet<String>>()
    };
    let everything = "plans: {}, versions: {}, node_pools: {}, addons: {}, prechecks: {}, \
        maintenance: {}";
    let everything = families(&watching(quiet(12), everything)).await;
    let fleet = watching(quiet(12), "");
    let nothing = families(&fleet).await;
    let more = everything.difference(&nothing).map(|name| {
        let mut words = name.split('_').skip(1);
        [words.next(), words.next()].map(Option::unwrap_or_default)
    });
    let expected = [
        ["addon", "info"],
        ["cluster", "auto"],
        ["cluster", "state"],
        ["cluster", "version"],
        ["cluster", "versions"],
        ["maintenance", "window"],
        ["node", "pool"],
        ["plan", "end"],
        ["plan", "info"],
        ["plan", "start"],
        ["precheck", "finished"],
        ["precheck", "result"],
        ["query", "up"],
    ];
    assert_eq!(more.collect::<BTreeSet<_>>(), expected.into());
    for action in Action::ALL {
        let calls = fleet.calls(*action);
        let is_upgrade = *action == Action::GetUpgradeStatus;
        assert_eq!(calls > 0, is_upgrade, "{action:?}: {calls}");
    }
}

/// Clusters that are not upgraded.
fn quiet(clusters: usize) -> Options {
    Options {
        upgrading: UpgradingClusters::First(0),
        ..options(clusters)
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

/// The calls of the upgrades and those of the plans and pools while scrapes run without a pause.
async fn calls_in_scrapes(fleet: &Fleet, scrapes: usize) -> [u64; 2] {
    for _ in 0..scrapes {
        fleet.scrape_in_time().await;
    }
    let watched = [
        Action::ListOperationPlansForRegion,
        Action::DescribeClusterNodePools,
    ];
    let watched = watched.iter().map(|action| fleet.calls(*action)).sum();
    [fleet.calls(Action::GetUpgradeStatus), watched]
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_throttled_now_and_then_is_still_asked_for_plans_and_pools() {
    let options = Options {
        latency: SECOND / 20,
        ..options(60)
    };
    let account = "source: upgrade_status\nwatch: {plans: {}, node_pools: {}}";
    let fleet = Fleet::in_process(options, account, "");
    let throttled = Fault::Throttled {
        status: 429,
        retry_after: None,
    };
    fleet.sim.add_fault(Rule::new(throttled).probability(0.05));
    let mut page = fleet.page(&fleet.scrape_in_time().await);
    for _ in 0..8 {
        sleep(15 * SECOND).await;
        page = fleet.page(&fleet.scrape_in_time().await);
    }
    let asked = values(&page, "cs_query_up").len();
    assert_eq!(asked, fleet.sim.regions().len() + 60, "within two minutes");
}

#[tokio::test(start_paused = true)]
async fn scrapes_that_wait_for_the_limit_all_the_time_leave_plans_and_pools_a_small_share() {
    let account = "source: upgrade_status\nwatch: {plans: {}, node_pools: {}}\n\
        rate_limit: {requests_per_second: 1, burst: 2}";
    let fleet = Fleet::in_process(options(120), account, "");
    let [upgrades, watched] = calls_in_scrapes(&fleet, 120).await;
    assert!(watched >= 10, "{watched} calls");
    assert!(watched * 8 <= upgrades, "{watched} beside {upgrades}");
}

#[tokio::test(start_paused = true)]
async fn queries_that_the_limits_leave_room_for_follow_each_other_without_a_pause() {
    let account = format!("watch: {{maintenance: {{}}}}\n{UNLIMITED}");
    let fleet = Fleet::in_process(options(100), &account, "");
    sleep(SECOND / 2).await;
    assert_eq!(fleet.calls(Action::DescribeClusterDetail), 100);
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
