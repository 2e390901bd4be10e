//! The account's rate limit and the throttling of the API do not make a healthy cluster down. Time
//! is paused.

use std::time::Duration;

use ack_simulator::{Fault, Options, Phase, Rule, UpgradingClusters};
use tokio::time::{Instant, sleep, sleep_until};

use crate::fleet::{Fleet, UNLIMITED, options, reading, tally, word};

const LATENCY: Duration = Duration::from_millis(50);

/// A scrape every 30 s.
async fn scrapes(
    fleet: &Fleet,
    count: usize,
    mut each: impl FnMut(usize, std::collections::BTreeMap<String, usize>),
) {
    for number in 0..count {
        let next = Instant::now() + Duration::from_secs(30);
        each(number, tally(&fleet.scrape_in_time().await));
        sleep_until(next).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_finished_clusters_are_never_down_at_the_default_limit() {
    let sim = Options {
        latency: LATENCY,
        upgrading: UpgradingClusters::First(0),
        ..options(1000)
    };
    let fleet = Fleet::in_process(sim, "source: tasks", "");
    for id in fleet.ids() {
        fleet.sim.world().set_phase(&id, Phase::Succeeded, None);
    }
    scrapes(&fleet, 30, |number, tally| {
        let up = tally.get("up").copied().unwrap_or_default();
        let not_asked = tally.get("-").copied().unwrap_or_default();
        assert_eq!(up + not_asked, 1000, "scrape {number}: {tally:?}");
        assert!(number < 10 || up == 1000, "scrape {number}: {tally:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn upgrades_with_two_calls_each_are_never_down_at_a_very_low_limit() {
    let sim = Options {
        latency: LATENCY,
        upgrading: UpgradingClusters::First(0),
        ..options(200)
    };
    let fleet = Fleet::in_process(
        sim,
        "source: tasks\nrate_limit: {requests_per_second: 5, burst: 5}",
        "",
    );
    for id in fleet.ids() {
        fleet.sim.world().set_phase(&id, Phase::Upgrading, None);
    }
    scrapes(&fleet, 30, |number, tally| {
        let up = tally.get("up").copied().unwrap_or_default();
        assert_eq!(
            up + tally.get("-").copied().unwrap_or_default(),
            200,
            "scrape {number}: {tally:?}"
        );
        assert!(number < 4 || up == 200, "scrape {number}: {tally:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_cluster_is_a_timeout_in_every_scrape_at_any_limit() {
    let sim = Options {
        latency: LATENCY,
        upgrading: UpgradingClusters::First(0),
        ..options(100)
    };
    let fleet = Fleet::in_process(
        sim,
        "source: tasks\nrate_limit: {requests_per_second: 5, burst: 5}",
        "",
    );
    scrapes(&fleet, 4, |_, _| {}).await;
    let silent = fleet.ids()[50].clone();
    fleet
        .sim
        .add_fault(Rule::new(Fault::Hang).cluster(silent.clone()));
    scrapes(&fleet, 3, |_, _| {}).await;
    for _ in 0..10 {
        let snapshot = fleet.scrape_in_time().await;
        assert_eq!(word(reading(&snapshot, &silent)), "timeout");
        assert_eq!(tally(&snapshot).get("up"), Some(&99));
        sleep(Duration::from_secs(20)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_slows_the_account_down_and_its_end_restores_the_rate() {
    for account in [
        "source: upgrade_status",
        &format!("source: upgrade_status\n{UNLIMITED}"),
        "source: tasks",
        "source: auto",
    ] {
        for clusters in [1, 3, 100] {
            let sim = Options {
                latency: LATENCY,
                upgrading: UpgradingClusters::First(0),
                ..options(clusters)
            };
            let fleet = Fleet::in_process(sim, account, "");
            fleet.sim.add_fault(Rule::new(Fault::Throttled {
                status: 429,
                retry_after: None,
            }));
            let what = format!("{clusters} clusters, {account}");
            let mut calls = Vec::new();
            for _ in 0..4 {
                let before = fleet.sim.calls().len();
                let next = Instant::now() + Duration::from_secs(30);
                let tally = tally(&fleet.scrape_in_time().await);
                assert_eq!(tally.get("up"), None, "{what}: {tally:?}");
                assert!(tally.contains_key("throttled"), "{what}: {tally:?}");
                sleep_until(next).await;
                calls.push(fleet.sim.calls().len() - before);
            }
            assert!(
                calls[0] <= 2 * clusters && calls[1..].iter().all(|calls| *calls <= 20),
                "{what}: {calls:?}"
            );
            fleet.sim.clear_faults();
            let mut up = 0;
            for _ in 0..5 {
                let next = Instant::now() + Duration::from_secs(30);
                up = tally(&fleet.scrape_in_time().await)
                    .get("up")
                    .copied()
                    .unwrap_or_default();
                sleep_until(next).await;
            }
            assert_eq!(up, clusters, "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_is_repeated_once_within_the_scrape() {
    let fleet = Fleet::in_process(
        Options {
            latency: LATENCY,
            ..options(12)
        },
        "source: upgrade_status",
        "",
    )
    .calm();
    fleet.sim.add_fault(
        Rule::new(Fault::Throttled {
            status: 429,
            retry_after: None,
        })
        .times(1),
    );
    assert_eq!(tally(&fleet.scrape_in_time().await).get("up"), Some(&12));
}
