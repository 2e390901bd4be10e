//! Probes of one cluster, and their effect on collections. Time is paused.

use std::sync::Arc;
use std::time::Duration;

use ack_client::Trace;
use ack_simulator::{Action, Fault, Options, Phase, Rule, Simulator, UpgradingClusters};
use ack_upgrade_exporter::shard::Shard;
use tokio::time::{Instant, advance, sleep};

use crate::fleet::{self, Fleet, options, tally, word};

const LEGACY: &str =
    "source: upgrade_status\nrate_limit: {requests_per_second: 100000, burst: 100000}";

fn still(clusters: usize) -> Options {
    Options {
        upgrading: UpgradingClusters::First(0),
        ..options(clusters)
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_queries_one_cluster_and_shows_the_exchange_without_secrets() {
    let fleet = Fleet::in_process(still(5), LEGACY, "").calm();
    let id = fleet.ids()[2].clone();
    let trace = Trace::default();
    let deadline = Instant::now() + Duration::from_secs(5);
    let reading = fleet
        .collector
        .probe(id.as_str(), deadline, Some(&trace))
        .await
        .expect("the cluster is configured");
    assert_eq!(word(&reading), "none/not_start");
    assert_eq!(fleet.calls(Action::GetUpgradeStatus), 1);
    let said = trace.to_string();
    assert!(
        said.contains(&format!(
            "GET /api/v2/clusters/{id}/upgrade/status HTTP/1.1"
        )) && said.contains("authorization: <secret>"),
        "{said}"
    );
    assert!(
        said.contains("200 OK") && said.contains("upgrade_step"),
        "{said}"
    );
    assert!(
        fleet
            .collector
            .probe("c-of-somebody-else", deadline, None)
            .await
            .is_none()
    );
}

#[tokio::test(start_paused = true)]
async fn a_probe_of_a_silent_cluster_ends_in_time_and_probes_of_one_cluster_share_a_query() {
    let fleet = Fleet::in_process(
        Options {
            latency: Duration::from_secs(2),
            ..still(3)
        },
        LEGACY,
        "",
    );
    let id = fleet.ids()[0].clone();
    let probe = || {
        fleet
            .collector
            .probe(id.as_str(), Instant::now() + Duration::from_secs(5), None)
    };
    let (one, two) = tokio::join!(probe(), probe());
    assert_eq!(
        one.map(|reading| word(&reading)),
        two.map(|reading| word(&reading))
    );
    assert_eq!(fleet.calls(Action::GetUpgradeStatus), 1);
    fleet.sim.add_fault(Rule::new(Fault::Hang));
    let began = Instant::now();
    assert_eq!(
        probe().await.map(|reading| word(&reading)).as_deref(),
        Some("timeout")
    );
    assert_eq!(began.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_probe_without_a_query_shows_no_result_older_than_max_age() {
    let account = "source: upgrade_status\nrate_limit: {requests_per_second: 0.01, burst: 1}";
    let fleet = Fleet::in_process(still(1), account, "max_age: 20s").calm();
    let id = fleet.ids()[0].clone();
    let probe = async || {
        word(
            &fleet
                .collector
                .probe(id.as_str(), Instant::now() + Duration::from_secs(5), None)
                .await
                .expect("it is there"),
        )
    };
    assert_eq!(probe().await, "none/not_start");
    advance(Duration::from_secs(10)).await;
    assert_eq!(
        probe().await,
        "none/not_start",
        "there is no ticket, and what is remembered is young"
    );
    advance(Duration::from_secs(11)).await;
    assert_eq!(probe().await, "rate_limited");
    assert_eq!(fleet.calls(Action::GetUpgradeStatus), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_id_takes_precedence_over_an_equal_name() {
    let sim = Arc::new(Simulator::new(still(2)));
    let ids = sim.world().clusters();
    let text = fleet::yaml(&sim, "http://simulator.example", LEGACY, "");
    let text = text.replace(
        &format!("id: {},", ids[0]),
        &format!("id: {}, name: {},", ids[0], ids[1]),
    );
    let fleet = Fleet::configured(sim, &text, Shard::default());
    let deadline = Instant::now() + Duration::from_secs(5);
    let found = fleet
        .collector
        .probe(ids[1].as_str(), deadline, None)
        .await
        .expect("it is there");
    assert_eq!(found.cluster.id, ids[1]);
}

#[tokio::test(start_paused = true)]
async fn a_scrape_neither_waits_for_probes_nor_shows_them() {
    let fleet = Fleet::in_process(still(3), LEGACY, "").calm();
    let ids = fleet.ids();
    fleet
        .sim
        .add_fault(Rule::new(Fault::Slow(Duration::from_secs(4))).cluster(ids[0].clone()));
    let probe = async {
        // It has answered the round by then, and the probe is under way when the round is over.
        sleep(Duration::from_secs(1)).await;
        fleet
            .sim
            .add_fault(Rule::new(Fault::Hang).cluster(ids[1].clone()));
        fleet
            .collector
            .probe(
                ids[1].as_str(),
                Instant::now() + Duration::from_secs(9),
                None,
            )
            .await
            .map(|reading| word(&reading))
    };
    let began = Instant::now();
    let page = async { (fleet.scrape_in_time().await, began.elapsed()) };
    let ((snapshot, elapsed), probed) = tokio::join!(page, probe);
    assert_eq!(
        tally(&snapshot).get("up"),
        Some(&3),
        "{:?}",
        snapshot.clusters
    );
    assert_eq!((snapshot.complete, elapsed), (true, Duration::from_secs(4)));
    assert_eq!(probed.as_deref(), Some("timeout"));
}

#[tokio::test(start_paused = true)]
async fn a_query_begins_once_the_limit_has_room_for_all_its_calls() {
    let account = "source: tasks\nrate_limit: {requests_per_second: 0.001, burst: 3}";
    let new_fleet = || {
        let fleet = Fleet::in_process(still(2), account, "");
        for id in fleet.ids() {
            fleet.sim.world().set_phase(&id, Phase::Upgrading, None);
        }
        fleet
    };
    let fleet = new_fleet();
    fleet.scrape_in_time().await;
    assert_eq!(fleet.sim.calls().len(), 2, "a scrape");
    let fleet = new_fleet();
    for id in fleet.ids() {
        let deadline = Instant::now() + Duration::from_secs(5);
        fleet.collector.probe(id.as_str(), deadline, None).await;
    }
    assert_eq!(fleet.sim.calls().len(), 2, "two probes");
}

#[tokio::test(start_paused = true)]
async fn a_client_with_a_tiny_timeout_makes_no_cluster_fail_for_others() {
    let latency = Duration::from_millis(200);
    let account = "source: upgrade_status\nrate_limit: {requests_per_second: 20, burst: 40}";
    let fleet = Fleet::in_process(
        Options {
            latency,
            ..still(200)
        },
        account,
        "",
    );
    let scrape = async || tally(&fleet.scrape_in_time().await);
    for _ in 0..2 {
        scrape().await;
        advance(Duration::from_secs(20)).await;
    }
    assert_eq!(scrape().await.get("up"), Some(&200));
    for hasty in [Duration::from_micros(10), Duration::from_millis(90)] {
        sleep(Duration::from_secs(5)).await;
        fleet.scrape(hasty).await;
        let id = fleet.ids()[0].clone();
        fleet
            .collector
            .probe(id.as_str(), Instant::now() + hasty, None)
            .await
            .expect("it is there");
        sleep(Duration::from_secs(5)).await;
        assert_eq!(scrape().await.get("up"), Some(&200), "{hasty:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_scrape_waits_for_an_earlier_probe_of_the_same_cluster() {
    let account = "source: upgrade_status\nrate_limit: {requests_per_second: 2, burst: 1}";
    let fleet = Fleet::in_process(still(6), account, "").calm();
    let last = fleet.ids()[5].clone();
    fleet
        .sim
        .add_fault(Rule::new(Fault::Slow(Duration::from_secs(6))).cluster(last.clone()));
    // However soon the one who probes goes.
    for patience in [Duration::from_secs(9), Duration::from_millis(600)] {
        advance(Duration::from_secs(600)).await;
        let probe = async {
            sleep(Duration::from_millis(100)).await;
            fleet
                .collector
                .probe(last.as_str(), Instant::now() + patience, None)
                .await
        };
        let began = Instant::now();
        let page = async { (fleet.scrape(Duration::from_secs(14)).await, began.elapsed()) };
        let ((snapshot, elapsed), _) = tokio::join!(page, probe);
        assert_eq!(
            (tally(&snapshot).get("up"), snapshot.complete),
            (Some(&6), true),
            "{patience:?}: {:?}",
            tally(&snapshot)
        );
        assert!(
            elapsed > Duration::from_secs(6),
            "{elapsed:?}: the response of this collection"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_with_a_tiny_timeout_makes_no_list_fail() {
    let fleet = Fleet::in_process(
        Options {
            latency: Duration::from_millis(200),
            ..still(3)
        },
        LEGACY,
        "idle_interval: 10m",
    );
    fleet.scrape_in_time().await;
    advance(Duration::from_secs(15)).await;
    fleet.scrape(Duration::from_micros(10)).await;
    sleep(Duration::from_secs(2)).await;
    let lists = fleet.page(&fleet.scrape_in_time().await);
    let failed: Vec<_> = lists
        .samples("cs_exporter_api_request_failures_total")
        .filter(|sample| sample.value > 0.0)
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}
