//! Discovered clusters: lists, filters, idle clusters and shards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ack_client::Status;
use ack_client::clock::Clock;
use ack_client::names::{ClusterId, Region};
use ack_client::{ResponseFuture, Transport};
use ack_simulator::{
    Action, Fault, InProcess, KeyPair, Options, Phase, RetiredResponse, Rule, Simulator,
    UpgradeStage, UpgradingClusters,
};
use ack_upgrade_exporter::collect::Extent;
use ack_upgrade_exporter::shard::Shard;
use ack_upgrade_exporter::snapshot::{DiscoveryReading, Outcome, Snapshot};
use bytes::Bytes;
use http::{Request, Response};
use tokio::time::{Instant, sleep};

use crate::fleet::{Fleet, options, reading, tally, word};
use crate::log::Log;

const REGIONS: &str = "cn-hangzhou, cn-shanghai, ap-southeast-1";

/// An account with discovery only.
fn yaml(discovery: &str, account: &str, scrape: &str) -> String {
    let pair = KeyPair::demo();
    format!(
        "scrape: {{{scrape}}}\naccounts:\n  - name: test\n    \
         endpoint: http://simulator.example\n    source: upgrade_status\n    \
         rate_limit: {{requests_per_second: 100000, burst: 100000}}\n    \
         credentials: {{type: access_key, access_key_id: {}, access_key_secret: {}}}\n    \
         discovery: {{{discovery}}}\n{account}",
        pair.access_key_id,
        pair.access_key_secret.expose()
    )
}

fn found(options: Options, discovery: &str) -> Fleet {
    let text = yaml(&format!("regions: [{REGIONS}]{discovery}"), "", "");
    Fleet::configured(Arc::new(Simulator::new(options)), &text, Shard::default())
}

fn still(clusters: usize) -> Options {
    Options {
        upgrading: UpgradingClusters::First(0),
        ..options(clusters)
    }
}

fn ids(snapshot: &Snapshot) -> BTreeSet<ClusterId> {
    snapshot
        .clusters
        .iter()
        .map(|reading| reading.cluster.id.clone())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn all_pages_of_all_regions_are_read_before_the_first_scrape_ends() {
    let fleet = found(
        Options {
            latency: Duration::from_millis(20),
            ..still(690)
        },
        "",
    );
    let snapshot = fleet.scrape_in_time().await;
    assert_eq!(tally(&snapshot), BTreeMap::from([("up".to_owned(), 690)]));
    assert_eq!(ids(&snapshot), fleet.ids().into_iter().collect());
    // 230 clusters a region are 5 pages of 50.
    assert_eq!(fleet.calls(Action::DescribeClustersForRegion), 15);
    let discoveries = &snapshot.accounts[0].discoveries;
    assert!(
        discoveries
            .iter()
            .all(|discovery| discovery.has_succeeded() && discovery.clusters == 230),
        "{discoveries:?}"
    );
    let info = &snapshot.clusters[0].cluster;
    assert!(
        !info.name.is_empty()
            && info.version.contains("aliyun")
            && info.state.is_some()
            && !info.cluster_type.is_empty(),
        "{info:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_that_hangs_neither_delays_the_others_nor_uses_up_its_own_time() {
    let sim = Arc::new(Simulator::new(still(12)));
    let first = Region::parse("cn-hangzhou").expect("a region");
    sim.add_fault(
        Rule::new(Fault::Hang)
            .on(Action::DescribeClustersForRegion)
            .region(first)
            .times(1),
    );
    let text = yaml(&format!("regions: [{REGIONS}]"), "", "");
    let fleet = Fleet::configured(sim, &text, Shard::default());
    let snapshot = fleet.scrape_in_time().await;
    assert_eq!(
        tally(&snapshot),
        BTreeMap::from([("up".to_owned(), 8)]),
        "the other two regions"
    );
    sleep(Duration::from_secs(5)).await;
    let snapshot = fleet.scrape_in_time().await;
    assert_eq!(
        tally(&snapshot),
        BTreeMap::from([("up".to_owned(), 12)]),
        "asked again after the SDKs' ten seconds"
    );
}

/// A transport with a bug: it panics at the first list of clusters.
#[derive(Debug, Clone)]
struct PanicsOnce {
    sim: InProcess,
    lists: Arc<AtomicUsize>,
}

impl Transport for PanicsOnce {
    fn send(&self, request: Request<Bytes>) -> ResponseFuture<'_> {
        let is_list = request.uri().path().starts_with("/regions/");
        assert!(
            !is_list || self.lists.fetch_add(1, Ordering::Relaxed) > 0,
            "a bug"
        );
        self.sim.send(request)
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_of_its_list_which_is_read_again() {
    let sim = Arc::new(Simulator::new(still(12)));
    let transports = Arc::new(PanicsOnce {
        sim: InProcess(Arc::clone(&sim)),
        lists: Arc::default(),
    });
    let clock = Clock::simulated(sim.world().now());
    let text = yaml(&format!("regions: [{REGIONS}]"), "", "");
    let fleet = Fleet::build(sim, transports, clock, &text, Shard::default());
    let found = |snapshot: &Snapshot| {
        let discoveries = snapshot.accounts[0].discoveries.iter();
        let read = discoveries.filter(|discovery| discovery.has_succeeded());
        (read.count(), snapshot.clusters.len())
    };
    assert_eq!(found(&*fleet.scrape_in_time().await), (2, 8));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(found(&*fleet.scrape_in_time().await), (3, 12));
}

/// An old installation without lists by region.
#[derive(Debug, Clone)]
struct OldInstallation {
    sim: InProcess,
    refused: Arc<AtomicUsize>,
}

impl Transport for OldInstallation {
    fn send(&self, request: Request<Bytes>) -> ResponseFuture<'_> {
        if !request.uri().path().starts_with("/regions/") {
            return self.sim.send(request);
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        let body = r#"{"code": "InvalidAction.NotFound", "message": "Specified api is not found.", "requestId": "R"}"#;
        let refusal = Response::builder()
            .status(404)
            .body(Bytes::from_static(body.as_bytes()))
            .expect("a response");
        Box::pin(std::future::ready(Ok(refusal)))
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_installation_is_read_by_the_older_list() {
    let sim = Arc::new(Simulator::new(still(12)));
    let refused = Arc::new(AtomicUsize::new(0));
    let transports = Arc::new(OldInstallation {
        sim: InProcess(Arc::clone(&sim)),
        refused: Arc::clone(&refused),
    });
    let clock = Clock::simulated(sim.world().now());
    let text = yaml(
        &format!("regions: [{REGIONS}], refresh_interval: 1m"),
        "",
        "",
    );
    let fleet = Fleet::build(sim, transports, clock, &text, Shard::default());
    let snapshot = fleet.scrape_in_time().await;
    assert_eq!(ids(&snapshot), fleet.ids().into_iter().collect());
    assert!(
        snapshot.accounts[0]
            .discoveries
            .iter()
            .all(|discovery| discovery.has_succeeded() && discovery.clusters == 4)
    );
    assert_eq!(
        (
            fleet.calls(Action::DescribeClustersV1),
            refused.load(Ordering::Relaxed)
        ),
        (3, 3)
    );
    sleep(Duration::from_secs(90)).await;
    assert_eq!(
        (
            fleet.calls(Action::DescribeClustersV1),
            refused.load(Ordering::Relaxed)
        ),
        (6, 3),
        "what was found out is remembered"
    );
}

#[tokio::test(start_paused = true)]
async fn lists_are_read_between_scrapes() {
    let fleet = found(still(12), ", refresh_interval: 5m");
    for _ in 0..10 {
        fleet.scrape_in_time().await;
        sleep(Duration::from_secs(15)).await;
    }
    assert_eq!(fleet.calls(Action::DescribeClustersForRegion), 3);
    sleep(Duration::from_secs(300)).await;
    assert_eq!(fleet.calls(Action::DescribeClustersForRegion), 6);
}

#[tokio::test(start_paused = true)]
async fn the_refresh_interval_starts_at_the_end_of_the_last_reading() {
    let sim = Arc::new(Simulator::new(still(690)));
    sim.add_fault(
        Rule::new(Fault::Slow(Duration::from_secs(5))).on(Action::DescribeClustersForRegion),
    );
    let fleet = Fleet::configured(
        sim,
        &yaml("regions: [cn-hangzhou], refresh_interval: 1m", "", ""),
        Shard::default(),
    );
    // Five pages of five seconds each, then a minute with a tenth of jitter.
    sleep(Duration::from_secs(75)).await;
    assert_eq!(fleet.calls(Action::DescribeClustersForRegion), 5);
    sleep(Duration::from_secs(17)).await;
    assert!(fleet.calls(Action::DescribeClustersForRegion) > 5);
}

#[tokio::test(start_paused = true)]
async fn a_list_slower_than_its_interval_is_not_read_continuously() {
    let sim = Arc::new(Simulator::new(still(3)));
    sim.add_fault(
        Rule::new(Fault::Slow(Duration::from_secs(5))).on(Action::DescribeClustersForRegion),
    );
    let fleet = Fleet::configured(
        sim,
        &yaml("regions: [cn-hangzhou], refresh_interval: 2s", "", ""),
        Shard::default(),
    );
    sleep(Duration::from_secs(70)).await;
    let asked = fleet.calls(Action::DescribeClustersForRegion);
    assert!(
        (9..=11).contains(&asked),
        "every seven seconds or so: {asked}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_that_fails_slowly_is_retried_after_a_pause() {
    let fleet = found(still(12), ", refresh_interval: 30s");
    fleet.scrape_in_time().await;
    fleet
        .sim
        .add_fault(Rule::new(Fault::Hang).on(Action::DescribeClustersForRegion));
    sleep(Duration::from_secs(60)).await;
    let (mut asked, mut quiet, mut pauses) = (fleet.calls(Action::DescribeClustersForRegion), 0, 0);
    for _ in 0..600 {
        sleep(Duration::from_secs(1)).await;
        let now = fleet.calls(Action::DescribeClustersForRegion);
        quiet = if now == asked { quiet + 1 } else { 0 };
        // An attempt of a reading is silent for ten seconds; the three lists have been read in step
        // from the beginning.
        pauses += u32::from(quiet == 20);
        asked = now;
    }
    assert!(pauses >= 5, "{pauses} pauses in ten minutes");
}

#[tokio::test(start_paused = true)]
async fn an_earlier_list_request_never_replaces_a_later_one() {
    let text = yaml(
        "regions: [cn-hangzhou], refresh_interval: 1m",
        "",
        "idle_interval: 1h",
    );
    let fleet = Fleet::configured(Arc::new(Simulator::new(still(12))), &text, Shard::default());
    fleet.scrape_in_time().await;
    let before = fleet.calls(Action::DescribeClustersForRegion);
    let slow = Rule::new(Fault::Slow(Duration::from_secs(7))).on(Action::DescribeClustersForRegion);
    fleet.sim.add_fault(slow.times(1));
    while fleet.calls(Action::DescribeClustersForRegion) == before {
        sleep(Duration::from_secs(1)).await;
    }
    // The reading between scrapes is in progress.
    let new = ClusterId::parse("cnew").expect("an ID");
    fleet.sim.world().add(
        new.clone(),
        Region::parse("cn-hangzhou").expect("a region"),
        "new",
    );
    assert!(
        ids(&*fleet.scrape_in_time().await).contains(&new),
        "the scrape's own list has it"
    );
    sleep(Duration::from_secs(10)).await;
    let known = fleet.collector.clusters().expect("the list was read");
    assert!(
        known.iter().any(|cluster| cluster.id == new),
        "the older list has arrived"
    );
}

#[tokio::test(start_paused = true)]
async fn lists_unreachable_at_the_start_are_read_before_the_next_scrape() {
    let fleet = found(still(12), "");
    fleet
        .sim
        .add_fault(Rule::new(Fault::Reset).on(Action::DescribeClustersForRegion));
    // It was retried every half a minute.
    for minute in 0..6 {
        assert_eq!(
            fleet.scrape_in_time().await.clusters.len(),
            0,
            "minute {minute}"
        );
        sleep(Duration::from_secs(60)).await;
    }
    fleet.sim.clear_faults();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(
        tally(&fleet.scrape_in_time().await),
        BTreeMap::from([("up".to_owned(), 12)])
    );
}

#[tokio::test(start_paused = true)]
async fn clusters_come_and_go_with_the_lists_and_a_failed_list_changes_nothing() {
    let fleet = found(still(12), ", refresh_interval: 1m");
    fleet.scrape_in_time().await;
    let gone = fleet.ids()[0].clone();
    let new = ClusterId::parse("cnew").expect("an ID");
    fleet
        .sim
        .add_fault(Rule::new(Fault::ProxyPage(502)).on(Action::DescribeClustersForRegion));
    fleet.sim.world().remove(&gone);
    fleet.sim.world().add(
        new.clone(),
        Region::parse("cn-hangzhou").expect("a region"),
        "new",
    );
    sleep(Duration::from_secs(90)).await;
    let snapshot = fleet.scrape_in_time().await;
    assert_eq!(snapshot.clusters.len(), 12, "the last list stands");
    assert_eq!(word(reading(&snapshot, &gone)), "not_found");
    assert!(
        snapshot.accounts[0]
            .discoveries
            .iter()
            .all(|discovery| !discovery.has_succeeded())
    );
    fleet.sim.clear_faults();
    sleep(Duration::from_secs(90)).await;
    let snapshot = fleet.scrape_in_time().await;
    assert!(ids(&snapshot).contains(&new) && !ids(&snapshot).contains(&gone));
    assert!(
        snapshot.accounts[0]
            .discoveries
            .iter()
            .all(DiscoveryReading::has_succeeded)
    );
}

#[tokio::test(start_paused = true)]
async fn only_matching_clusters_are_discovered() {
    let all = found(still(48), "").scrape_in_time().await;
    let prod = found(still(48), ", match: {name: \".*-prod\"}")
        .scrape_in_time()
        .await;
    assert!(!prod.clusters.is_empty() && prod.clusters.len() < all.clusters.len());
    assert!(
        prod.clusters
            .iter()
            .all(|reading| reading.cluster.name.ends_with("-prod"))
    );
    let typed = found(still(48), ", match: {cluster_type: [ManagedKubernetes]}")
        .scrape_in_time()
        .await;
    assert!(
        typed
            .clusters
            .iter()
            .all(|reading| reading.cluster.cluster_type == "ManagedKubernetes")
    );
    let none = found(still(48), ", match: {tags: {env: nowhere}}")
        .scrape_in_time()
        .await;
    assert!(none.clusters.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_configured_and_discovered_is_one_cluster() {
    let sim = Arc::new(Simulator::new(still(12)));
    let id = sim.world().clusters()[0].clone();
    let region = sim.world().region(&id).expect("a region");
    let named = format!(
        "    clusters:\n      \
         - {{id: {id}, region: {region}, name: mine, labels: {{team: payments}}}}\n      \
         - {{id: cmissing, region: {region}}}\n"
    );
    let fleet = Fleet::configured(
        sim,
        &yaml(&format!("regions: [{REGIONS}]"), &named, ""),
        Shard::default(),
    );
    let snapshot = fleet.scrape_in_time().await;
    assert_eq!(snapshot.clusters.len(), 13);
    let info = &reading(&snapshot, &id).cluster;
    assert_eq!(
        (info.name.as_str(), info.labels["team"].as_str()),
        ("mine", "payments")
    );
    assert!(info.version.contains("aliyun"), "the list tells more of it");
    assert_eq!(
        word(reading(
            &snapshot,
            &ClusterId::parse("cmissing").expect("an ID")
        )),
        "not_found"
    );
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_two_accounts_have_is_queried_through_the_one_that_names_it() {
    let sim = Arc::new(Simulator::new(still(12)));
    let id = sim.world().clusters()[0].clone();
    let pair = KeyPair::demo();
    let other = format!(
        "  - name: other\n    endpoint: http://simulator.example\n    source: upgrade_status\n    \
         credentials: {{type: access_key, access_key_id: {}, access_key_secret: {}}}\n    \
         clusters: [{{id: {id}}}]\n",
        pair.access_key_id,
        pair.access_key_secret.expose()
    );
    let text = yaml(&format!("regions: [{REGIONS}]"), &other, "");
    let fleet = Fleet::configured(sim, &text, Shard::default());
    let snapshot = fleet.scrape_in_time().await;
    assert_eq!(tally(&snapshot)["up"], 12);
    assert_eq!(reading(&snapshot, &id).cluster.account.as_str(), "other");
    assert_eq!(fleet.calls(Action::GetUpgradeStatus), 12);
}

#[tokio::test(start_paused = true)]
async fn details_are_read_from_one_list_and_singly_for_a_named_cluster_that_it_lacks() {
    let sim = Arc::new(Simulator::new(still(12)));
    let listed = sim.world().clusters()[0].clone();
    let region = sim.world().region(&listed).expect("a region");
    let deleted = ClusterId::parse("cdeleted").expect("an ID");
    sim.world().add(deleted.clone(), region.clone(), "deleted");
    let named = ClusterId::parse("cnamed").expect("an ID");
    let clusters = format!("    clusters: [{{id: {named}, region: {region}}}]\n");
    let text = yaml(&format!("regions: [{REGIONS}]"), &clusters, "");
    let fleet = Fleet::configured(sim, &text, Shard::default());
    fleet.scrape_in_time().await;
    fleet.sim.world().remove(&deleted);
    for (id, is_there, single_calls) in [(deleted, false, 0), (listed, true, 0), (named, false, 1)]
    {
        let (lists, details) = (
            Action::DescribeClustersForRegion,
            Action::DescribeClusterDetail,
        );
        let before = (fleet.calls(lists), fleet.calls(details));
        let deadline = Instant::now() + Duration::from_secs(10);
        let read = fleet
            .collector
            .refresh_details(std::slice::from_ref(&id), deadline)
            .await;
        assert_eq!(read[&id].is_ok(), is_there, "{id}: {read:?}");
        let after = (fleet.calls(lists), fleet.calls(details));
        assert_eq!(after, (before.0 + 1, before.1 + single_calls), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_watched_of_clusters_that_a_list_has_just_found_is_waited_for() {
    let world = Options {
        latency: Duration::from_millis(50),
        ..still(12)
    };
    let watch = "    watch: {plans: {}}\n";
    let text = yaml(&format!("regions: [{REGIONS}]"), watch, "");
    let fleet = Fleet::configured(Arc::new(Simulator::new(world)), &text, Shard::default());
    let snapshot = fleet
        .collector
        .collect_to_the_end(Extent::Watched, Duration::from_secs(10), |_| ())
        .await;
    assert_eq!(tally(&snapshot)["up"], 12);
    let mut readings = snapshot.clusters.iter();
    assert!(readings.all(|reading| reading.watched.plans.is_some()));
}

#[tokio::test(start_paused = true)]
async fn the_log_has_a_line_when_a_list_fails_and_when_it_is_read_again() {
    let log = Log::listen();
    let fleet = found(still(12), ", refresh_interval: 1m");
    let failure = Rule::new(Fault::Forbidden).on(Action::DescribeClustersForRegion);
    for (fault, expected) in [(None, [3, 0]), (Some(failure), [3, 3]), (None, [6, 3])] {
        fleet.sim.clear_faults();
        if let Some(fault) = fault {
            fleet.sim.add_fault(fault);
        }
        sleep(Duration::from_secs(600)).await;
        let counts = log.counts(["cluster list read", "cluster list cannot be read"]);
        assert_eq!(counts, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn the_switch_off_of_the_older_list_keeps_the_regional_list() {
    let fleet = found(still(12), "");
    for region in ["cn-hangzhou", "cn-shanghai", "ap-southeast-1"] {
        fleet.sim.retire(
            &Region::parse(region).expect("a region"),
            Some(RetiredResponse::InvalidAction),
        );
    }
    // The switch-off removes the older list and keeps the list by region.
    let snapshot = fleet.scrape_in_time().await;
    assert_eq!(snapshot.clusters.len(), 12);
    assert_eq!(fleet.calls(Action::DescribeClustersV1), 0);
}

#[tokio::test(start_paused = true)]
async fn idle_clusters_need_one_list_and_no_queries() {
    let text = yaml(&format!("regions: [{REGIONS}]"), "", "idle_interval: 10m");
    let sim = Arc::new(Simulator::new(still(1000)));
    let world = sim.world();
    for (number, id) in world.clusters().iter().enumerate() {
        world.set_phase(
            id,
            if number < 10 {
                Phase::Upgrading
            } else {
                Phase::Succeeded
            },
            None,
        );
    }
    let fleet = Fleet::configured(Arc::clone(&sim), &text, Shard::default());
    assert_eq!(tally(&fleet.scrape_in_time().await)["up"], 1000);
    let mut most = 0;
    // Two intervals; at the end of each, all clusters would be due at once.
    for _ in 0..82 {
        sleep(Duration::from_secs(15)).await;
        fleet.sim.forget_calls();
        let snapshot = fleet.scrape_in_time().await;
        assert_eq!(tally(&snapshot)["up"], 1000);
        most = most.max(fleet.sim.calls().len());
    }
    assert!(most <= 40, "{most} calls in one scrape");
    let starting = fleet.ids()[500].clone();
    world.set_phase(&starting, Phase::Prechecking, None);
    sleep(Duration::from_secs(15)).await;
    assert_eq!(
        word(reading(&fleet.scrape_in_time().await, &starting)),
        "running/prechecking",
        "at the next scrape"
    );
}

#[tokio::test(start_paused = true)]
async fn clusters_are_known_to_service_discovery_without_a_scrape() {
    for scrape in ["", "idle_interval: 10m"] {
        let text = yaml(&format!("regions: [{REGIONS}]"), "", scrape);
        let fleet = Fleet::configured(Arc::new(Simulator::new(still(12))), &text, Shard::default());
        assert!(
            fleet.collector.clusters().is_none(),
            "not before the first list"
        );
        sleep(Duration::from_secs(1)).await;
        assert_eq!(
            fleet.collector.clusters().map(|clusters| clusters.len()),
            Some(12),
            "{scrape}"
        );
        assert_eq!(fleet.calls(Action::GetUpgradeStatus), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_list_delays_service_discovery_for_at_most_five_seconds() {
    let sim = Arc::new(Simulator::new(still(12)));
    let hangs = Region::parse("cn-hangzhou").expect("a region");
    sim.add_fault(
        Rule::new(Fault::Hang)
            .on(Action::DescribeClustersForRegion)
            .region(hangs.clone()),
    );
    let of_there = sim
        .world()
        .clusters()
        .into_iter()
        .find(|id| sim.world().region(id) == Some(hangs.clone()))
        .expect("one in each");
    let named = format!("    clusters: [{{id: {of_there}, region: {hangs}}}]\n");
    let fleet = Fleet::configured(
        Arc::clone(&sim),
        &yaml(&format!("regions: [{REGIONS}]"), &named, ""),
        Shard::default(),
    );
    let start = tokio::time::Instant::now();
    let known = fleet
        .collector
        .targets()
        .await
        .expect("there are named clusters");
    assert_eq!(
        (known.len(), start.elapsed()),
        (9, Duration::from_secs(5)),
        "all but three of the region that hangs"
    );

    let fleet = Fleet::configured(
        sim,
        &yaml(&format!("regions: [{REGIONS}]"), "", ""),
        Shard::default(),
    );
    sleep(Duration::from_secs(1)).await;
    let unread = fleet
        .collector
        .targets()
        .await
        .expect_err("what the silent list finds is not to be dropped");
    assert_eq!(unread.len(), 1);
    // A reading of it ends within a minute.
    sleep(Duration::from_secs(60)).await;
    assert_eq!(
        fleet
            .collector
            .targets()
            .await
            .expect("every list has been tried")
            .len(),
        8
    );
}

#[tokio::test(start_paused = true)]
async fn service_discovery_waits_for_lists_that_are_about_to_be_read() {
    let sim = Arc::new(Simulator::new(Options {
        latency: Duration::from_secs(1),
        ..still(12)
    }));
    let (id, region) = (
        sim.world().clusters()[0].clone(),
        sim.world()
            .region(&sim.world().clusters()[0])
            .expect("a region"),
    );
    let named = format!("    clusters: [{{id: {id}, region: {region}}}]\n");
    let fleet = Fleet::configured(
        sim,
        &yaml(&format!("regions: [{REGIONS}]"), &named, ""),
        Shard::default(),
    );
    assert_eq!(
        fleet
            .collector
            .targets()
            .await
            .expect("all are known")
            .len(),
        12,
        "no target is dropped after a start"
    );
}

#[tokio::test(start_paused = true)]
async fn an_empty_list_stays_known_when_a_later_reading_fails() {
    let text = yaml(
        &format!("regions: [{REGIONS}], refresh_interval: 1m, match: {{tags: {{env: nowhere}}}}"),
        "",
        "",
    );
    let fleet = Fleet::configured(Arc::new(Simulator::new(still(12))), &text, Shard::default());
    let known = || fleet.collector.clusters().map(|clusters| clusters.len());
    sleep(Duration::from_secs(1)).await;
    assert_eq!(known(), Some(0));
    fleet
        .sim
        .add_fault(Rule::new(Fault::Reset).on(Action::DescribeClustersForRegion));
    sleep(Duration::from_secs(90)).await;
    assert_eq!(known(), Some(0));
    let before = fleet.calls(Action::DescribeClustersForRegion);
    sleep(Duration::from_secs(300)).await;
    let asked = fleet.calls(Action::DescribeClustersForRegion) - before;
    // Three lists, every half a minute or so, four attempts each.
    assert!(asked <= 3 * 12 * 4, "{asked} calls in five minutes");
    assert_eq!(known(), Some(0));
}

#[tokio::test(start_paused = true)]
async fn idle_clusters_are_queried_if_their_list_fails() {
    let text = yaml(&format!("regions: [{REGIONS}]"), "", "idle_interval: 10m");
    let fleet =
        Fleet::configured(Arc::new(Simulator::new(still(30))), &text, Shard::default()).calm();
    fleet.scrape_in_time().await;
    fleet
        .sim
        .add_fault(Rule::new(Fault::ProxyPage(404)).on(Action::DescribeClustersForRegion));
    sleep(Duration::from_secs(15)).await;
    let before = fleet.calls(Action::GetUpgradeStatus);
    assert_eq!(tally(&fleet.scrape_in_time().await)["up"], 30);
    assert_eq!(fleet.calls(Action::GetUpgradeStatus) - before, 30);
}

#[tokio::test(start_paused = true)]
async fn idle_clusters_are_queried_if_their_listed_state_is_unknown() {
    let text = yaml(&format!("regions: [{REGIONS}]"), "", "idle_interval: 10m");
    let fleet =
        Fleet::configured(Arc::new(Simulator::new(still(30))), &text, Shard::default()).calm();
    fleet.scrape_in_time().await;
    fleet
        .sim
        .add_fault(Rule::new(Fault::UnknownValues).on(Action::DescribeClustersForRegion));
    sleep(Duration::from_secs(15)).await;
    let before = fleet.calls(Action::GetUpgradeStatus);
    fleet.scrape_in_time().await;
    assert_eq!(fleet.calls(Action::GetUpgradeStatus) - before, 30);
}

#[tokio::test(start_paused = true)]
async fn three_shards_query_every_cluster_once() {
    let sim = Arc::new(Simulator::new(still(300)));
    let text = yaml(&format!("regions: [{REGIONS}]"), "", "");
    let mut union = BTreeSet::new();
    let mut sum = 0;
    for ordinal in 0..3 {
        let fleet = Fleet::configured(
            Arc::clone(&sim),
            &text,
            Shard::new(ordinal, 3).expect("a shard"),
        );
        let snapshot = fleet.scrape_in_time().await;
        assert_eq!(tally(&snapshot)["up"], snapshot.clusters.len());
        sum += snapshot.clusters.len();
        union.extend(ids(&snapshot));
    }
    assert_eq!((sum, union.len()), (300, 300));
    assert_eq!(sim.count(Action::GetUpgradeStatus), 300);
}

#[tokio::test(start_paused = true)]
async fn idle_clusters_are_queried_while_a_list_is_silent_but_not_while_it_is_slow() {
    let text = yaml(
        &format!("regions: [{REGIONS}], refresh_interval: 1m"),
        "",
        "idle_interval: 1h, max_age: 1m",
    );
    let world = Options {
        latency: Duration::from_millis(100),
        ..still(12)
    };
    let fleet = Fleet::configured(Arc::new(Simulator::new(world)), &text, Shard::default());
    fleet.scrape_in_time().await;
    let scrape = async || {
        let next = tokio::time::Instant::now() + Duration::from_secs(10);
        let snapshot = fleet.scrape_in_time().await;
        assert!(snapshot.complete, "every cluster had half the time");
        tokio::time::sleep_until(next).await;
        tally(&snapshot)
    };
    let all = BTreeMap::from([("up".to_owned(), 12)]);
    fleet.sim.add_fault(
        Rule::new(Fault::Slow(Duration::from_millis(1500))).on(Action::DescribeClustersForRegion),
    );
    for _ in 0..3 {
        assert_eq!(scrape().await, all);
    }
    assert_eq!(
        fleet.calls(Action::GetUpgradeStatus),
        12,
        "three lists of 1.5 s leave nobody to be asked"
    );
    fleet.sim.clear_faults();
    fleet
        .sim
        .add_fault(Rule::new(Fault::Hang).on(Action::DescribeClustersForRegion));
    // Longer than `max_age`.
    for round in 1..=12 {
        assert_eq!(scrape().await, all, "round {round}");
        assert_eq!(fleet.calls(Action::GetUpgradeStatus), 12 + 12 * round);
    }
}

#[tokio::test(start_paused = true)]
async fn clusters_that_are_upgraded_are_queried_while_the_lists_are_read() {
    let text = yaml(&format!("regions: [{REGIONS}]"), "", "idle_interval: 1h");
    let sim = Arc::new(Simulator::new(still(12)));
    let fleet = Fleet::configured(sim, &text, Shard::default()).calm();
    let world = fleet.sim.world();
    world.set_phase(&fleet.ids()[0], Phase::Upgrading, None);
    fleet.scrape_in_time().await;
    fleet.sim.add_fault(
        Rule::new(Fault::Slow(Duration::from_secs(3))).on(Action::DescribeClustersForRegion),
    );
    let meanwhile = async {
        sleep(Duration::from_secs(1)).await;
        fleet.calls(Action::GetUpgradeStatus)
    };
    let (_, calls) = tokio::join!(fleet.scrape_in_time(), meanwhile);
    assert_eq!(calls, 12 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_is_stopped_makes_no_more_calls() {
    let fleet = found(still(12), ", refresh_interval: 1m");
    fleet.scrape_in_time().await;
    fleet.collector.stop().await;
    let calls = fleet.sim.calls().len();
    sleep(Duration::from_secs(600)).await;
    assert_eq!(fleet.sim.calls().len(), calls);
}

/// An API with endless lists: pages larger than requested, always with new clusters, and every text
/// as long as a response can be.
#[derive(Debug, Clone)]
struct EndlessLists {
    pages: Arc<AtomicUsize>,
}

impl Transport for EndlessLists {
    fn send(&self, request: Request<Bytes>) -> ResponseFuture<'_> {
        let page = self.pages.fetch_add(1, Ordering::Relaxed);
        let path = request.uri().path();
        let info = r#""page_info": {"total_count": 4000000000}"#;
        let body = if path.ends_with("/tasks") {
            let tasks: Vec<_> = (0..20_000)
                .map(|number| format!(r#"{{"task_id": "T-{page}-{number}"}}"#))
                .collect();
            format!(r#"{{"tasks": [{}], {info}}}"#, tasks.join(","))
        } else if path.starts_with("/regions/") {
            let text = "x".repeat(240);
            let tags: Vec<_> = (0..64)
                .map(|number| format!(r#"{{"key": "{number}", "value": "{text}"}}"#))
                .collect();
            let clusters: Vec<_> = (0..50)
                .map(|number| {
                    format!(
                        r#"{{"cluster_id": "c{page}-{number}", "tags": [{}]}}"#,
                        tags.join(",")
                    )
                })
                .collect();
            format!(r#"{{"clusters": [{}], {info}}}"#, clusters.join(","))
        } else {
            format!(
                r#"{{"status": "fail", "upgrade_step": "upgrading", "error_message": "{}"}}"#,
                "x".repeat(1_000_000)
            )
        };
        Box::pin(std::future::ready(Ok(Response::new(Bytes::from(body)))))
    }
}

fn endless(account: &str) -> (Fleet, Arc<AtomicUsize>) {
    let (sim, pages) = (
        Arc::new(Simulator::new(still(1))),
        Arc::new(AtomicUsize::new(0)),
    );
    let clock = Clock::simulated(sim.world().now());
    let unlimited =
        format!("{account}\nrate_limit: {{requests_per_second: 100000, burst: 100000}}");
    (
        Fleet::over(
            sim,
            Arc::new(EndlessLists {
                pages: Arc::clone(&pages),
            }),
            clock,
            "http://simulator.example",
            &unlimited,
            "",
        ),
        pages,
    )
}

#[tokio::test(start_paused = true)]
async fn endless_lists_are_abandoned_and_texts_are_truncated() {
    let (fleet, pages) = endless("source: tasks");
    assert_eq!(
        tally(&fleet.scrape_in_time().await),
        BTreeMap::from([("up".to_owned(), 1)])
    );
    assert_eq!(pages.load(Ordering::Relaxed), 3, "60,000 tasks");

    let (fleet, pages) = endless("source: upgrade_status\ndiscovery: {regions: [cn-hangzhou]}");
    let snapshot = fleet.scrape_in_time().await;
    assert!(!snapshot.accounts[0].discoveries[0].has_succeeded());
    assert!(
        (20..30).contains(&pages.load(Ordering::Relaxed)),
        "16 MiB: {pages:?}"
    );
    let Outcome::Up(state) = &snapshot.clusters[0].outcome else {
        panic!("{:?}", snapshot.clusters[0].outcome)
    };
    assert_eq!(
        state
            .error_message
            .as_ref()
            .map(|message| message.chars().count()),
        Some(256)
    );
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_that_begins_and_ends_between_two_scrapes_is_on_the_page_of_the_second() {
    let text = yaml(&format!("regions: [{REGIONS}]"), "", "idle_interval: 1h");
    let fleet = Fleet::configured(
        Arc::new(Simulator::new(still(300))),
        &text,
        Shard::default(),
    );
    fleet.scrape_in_time().await;
    sleep(Duration::from_secs(30)).await;
    fleet.scrape_in_time().await;
    let (id, asked) = (
        fleet.ids()[7].clone(),
        fleet.calls(Action::GetUpgradeStatus),
    );
    sleep(Duration::from_secs(5)).await;
    fleet.sim.world().set_phase(&id, Phase::Prechecking, None);
    sleep(Duration::from_secs(20)).await;
    fleet
        .sim
        .world()
        .set_phase(&id, Phase::Failed(UpgradeStage::Precheck), None);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(
        tally(&fleet.scrape_in_time().await),
        BTreeMap::from([("up".to_owned(), 300)])
    );
    let snapshot = fleet.scrape_in_time().await;
    let Outcome::Up(state) = &reading(&snapshot, &id).outcome else {
        panic!("{snapshot:?}")
    };
    assert_eq!(state.status, Status::Fail);
    assert_eq!(
        fleet.calls(Action::GetUpgradeStatus),
        asked + 1,
        "and nobody else is asked"
    );
}
