//! Scrapes: their time, limits and failures. Time is paused.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use ack_simulator::{Action, ErrorBody, Fault, Options, Phase, Rule, UpgradingClusters};
use ack_upgrade_exporter::collect::budget;
use ack_upgrade_exporter::config::Scrape;
use tokio::time::{Instant, advance, sleep, sleep_until, timeout};

use crate::fleet::{Fleet, UNLIMITED, options, reading, tally, word};
use crate::log::Log;

const LEGACY: &str =
    "source: upgrade_status\nrate_limit: {requests_per_second: 100000, burst: 100000}";

fn still(clusters: usize) -> Options {
    Options {
        upgrading: UpgradingClusters::First(0),
        ..options(clusters)
    }
}

fn counts(pairs: &[(&str, usize)]) -> BTreeMap<String, usize> {
    pairs
        .iter()
        .map(|(word, count)| ((*word).to_owned(), *count))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_scrape_makes_one_call_for_each_cluster_and_shows_each_state() {
    let fleet = Fleet::in_process(options(12), LEGACY, "");
    for scrape in 1..=3 {
        let snapshot = fleet.scrape_in_time().await;
        assert_eq!(tally(&snapshot), counts(&[("up", 12)]));
        assert_eq!(fleet.calls(Action::GetUpgradeStatus), 12 * scrape);
        assert!(snapshot.complete);
        advance(Duration::from_secs(15)).await;
    }
    assert_eq!(fleet.sim.calls().len(), 36, "and nothing else is asked");
}

#[tokio::test(start_paused = true)]
async fn both_signatures_give_the_same_states() {
    for signature in ["acs3", "roa"] {
        let fleet = Fleet::in_process(
            options(12),
            &format!("{LEGACY}\nsignature: {signature}"),
            "",
        );
        let ids = fleet.ids();
        for (id, (phase, expected)) in ids.iter().zip([
            (Phase::NotStarted, "none/not_start"),
            (Phase::Prechecking, "running/prechecking"),
            (Phase::Upgrading, "running/upgrading"),
            (Phase::Paused, "pause/pause"),
            (Phase::Succeeded, "success/success"),
        ]) {
            fleet.sim.world().set_phase(id, phase, None);
            let snapshot = fleet.scrape_in_time().await;
            assert_eq!(word(reading(&snapshot, id)), expected, "{signature}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deleted_cluster_is_not_found_without_a_retry() {
    let fleet = Fleet::in_process(still(3), LEGACY, "");
    let gone = fleet.ids()[0].clone();
    fleet.sim.world().remove(&gone);
    let snapshot = fleet.scrape_in_time().await;
    assert_eq!(word(reading(&snapshot, &gone)), "not_found");
    assert_eq!(fleet.calls(Action::GetUpgradeStatus), 3);
}

#[tokio::test(start_paused = true)]
async fn transient_failures_are_retried_and_lasting_ones_are_not() {
    let fleet = Fleet::in_process(still(1), LEGACY, "");
    fleet.sim.add_fault(
        Rule::new(Fault::ServerError {
            status: 503,
            body: ErrorBody::Nothing,
        })
        .times(2),
    );
    assert_eq!(tally(&fleet.scrape_in_time().await), counts(&[("up", 1)]));
    assert_eq!(fleet.calls(Action::GetUpgradeStatus), 3);
    fleet.sim.add_fault(Rule::new(Fault::NonceUsed).times(1));
    assert_eq!(tally(&fleet.scrape_in_time().await), counts(&[("up", 1)]));
    assert_eq!(fleet.calls(Action::GetUpgradeStatus), 5);
    fleet.sim.add_fault(Rule::new(Fault::Forbidden));
    fleet.scrape_in_time().await;
    assert_eq!(fleet.calls(Action::GetUpgradeStatus), 6);
    let nonces: HashSet<_> = fleet
        .sim
        .calls()
        .into_iter()
        .map(|call| call.nonce)
        .collect();
    assert_eq!(nonces.len(), 6, "each attempt is signed anew");
}

#[test]
fn a_scrape_ends_before_the_client_timeout_and_within_two_minutes() {
    let budget = |header| budget(header, &Scrape::default()).as_millis();
    for (seconds, expected) in [
        ("10", 9500),
        ("4", 3600),
        ("0.5", 450),
        (" 7.5 ", 7000),
        ("60", 59_500),
        ("1e9", 120_000),
    ] {
        assert_eq!(budget(Some(seconds)), expected, "{seconds}");
    }
    for nonsense in [
        None,
        Some("0"),
        Some("-1"),
        Some("NaN"),
        Some("inf"),
        Some("1e-12"),
        Some("1e20"),
        Some("soon"),
        Some(""),
    ] {
        assert_eq!(budget(nonsense), 10_000, "{nonsense:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_beyond_the_budget_ends_the_query_at_once() {
    let fleet = Fleet::in_process(still(1), LEGACY, "");
    fleet.sim.add_fault(Rule::new(Fault::Throttled {
        status: 429,
        retry_after: Some(Duration::from_secs(60)),
    }));
    let began = Instant::now();
    assert_eq!(
        tally(&fleet.scrape_in_time().await),
        counts(&[("throttled", 1)])
    );
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(fleet.calls(Action::GetUpgradeStatus), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_or_nonce_is_retried_once() {
    for fault in [Fault::ExpiredToken, Fault::NonceUsed] {
        let fleet = Fleet::in_process(still(3), LEGACY, "");
        fleet.sim.add_fault(Rule::new(fault.clone()));
        assert_eq!(
            tally(&fleet.scrape_in_time().await),
            counts(&[("auth", 3)]),
            "{fault:?}"
        );
        assert_eq!(fleet.calls(Action::GetUpgradeStatus), 6, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_few_silent_clusters_do_not_block_the_queries_of_others() {
    let fleet = Fleet::in_process(still(60), LEGACY, "");
    // More than may be in flight, and queried first.
    for id in fleet.ids().into_iter().take(20) {
        fleet.sim.add_fault(Rule::new(Fault::Hang).cluster(id));
    }
    let snapshot = fleet.scrape(Duration::from_millis(3600)).await;
    assert_eq!(tally(&snapshot), counts(&[("timeout", 20), ("up", 40)]));
}

#[tokio::test(start_paused = true)]
async fn a_silent_api_is_a_timeout_for_every_cluster() {
    let fleet = Fleet::in_process(still(200), LEGACY, "");
    fleet.sim.add_fault(Rule::new(Fault::Hang));
    let snapshot = fleet.scrape(Duration::from_secs(2)).await;
    assert_eq!(tally(&snapshot), counts(&[("timeout", 200)]));
    assert!(!snapshot.complete);
    fleet.sim.clear_faults();
    assert_eq!(
        tally(&fleet.scrape(Duration::from_secs(2)).await),
        counts(&[("up", 200)])
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_api_is_awaited_even_if_many_clusters_need_a_permit() {
    // 16 permits and 9.5 s; a share is a quarter of that.
    for (clusters, latency, at_first, soon) in [
        (17, 3, 16, 17),
        (40, 3, 16, 40),
        (40, 6, 0, 40),
        (17, 9, 0, 17),
    ] {
        let fleet = Fleet::in_process(
            Options {
                latency: Duration::from_secs(latency),
                ..still(clusters)
            },
            LEGACY,
            "",
        );
        let mut up = Vec::new();
        for _ in 0..6 {
            let next = Instant::now() + Duration::from_secs(30);
            up.push(
                tally(&fleet.scrape_in_time().await)
                    .get("up")
                    .copied()
                    .unwrap_or_default(),
            );
            sleep_until(next).await;
        }
        assert!(
            up[0] >= at_first && up[3..].iter().all(|up| *up == soon),
            "{clusters} clusters, {latency} s: {up:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_query_that_starts_when_the_page_is_due_is_no_timeout() {
    let account = "source: upgrade_status\nrate_limit: {requests_per_second: 100, burst: 10}";
    let fleet = Fleet::in_process(
        Options {
            latency: Duration::from_millis(60),
            ..still(400)
        },
        account,
        "",
    );
    for _ in 0..2 {
        fleet.scrape(Duration::from_secs(5)).await;
    }
    let deadline = Instant::now() + Duration::from_secs(1);
    let mut page = std::pin::pin!(fleet.collector.collect(deadline));
    assert!(timeout(Duration::ZERO, &mut page).await.is_err());
    // The page is read a little later, when queries are in flight that started at the deadline.
    sleep_until(deadline + Duration::from_millis(20)).await;
    assert_eq!(tally(&page.await), counts(&[("up", 400)]));
}

#[tokio::test(start_paused = true)]
async fn a_slow_response_counts_while_no_query_waits_for_its_permit() {
    let fleet = Fleet::in_process(still(3), LEGACY, "");
    fleet
        .sim
        .add_fault(Rule::new(Fault::Slow(Duration::from_secs(8))));
    assert_eq!(tally(&fleet.scrape_in_time().await), counts(&[("up", 3)]));
}

#[tokio::test(start_paused = true)]
async fn calls_in_flight_stay_within_max_concurrency() {
    let fleet = Fleet::in_process(
        Options {
            latency: Duration::from_millis(50),
            ..still(100)
        },
        &format!("{LEGACY}\nmax_concurrency: 7"),
        "",
    );
    let began = Instant::now();
    assert_eq!(tally(&fleet.scrape_in_time().await), counts(&[("up", 100)]));
    assert_eq!(fleet.sim.peak_in_flight(), 7);
    assert_eq!(
        began.elapsed().as_millis() / 50,
        15,
        "100 calls, 7 at a time"
    );
}

#[tokio::test(start_paused = true)]
async fn scrapes_that_overlap_share_one_collection() {
    let fleet = Fleet::in_process(
        Options {
            latency: Duration::from_secs(1),
            ..still(10)
        },
        LEGACY,
        "",
    );
    let (one, two, three) = tokio::join!(
        fleet.scrape_in_time(),
        async {
            sleep(Duration::from_millis(300)).await;
            fleet.scrape_in_time().await
        },
        async {
            sleep(Duration::from_millis(600)).await;
            fleet.scrape_in_time().await
        }
    );
    assert_eq!(fleet.calls(Action::GetUpgradeStatus), 10);
    assert_eq!(one, two);
    assert_eq!(two, three);
    let page = fleet.page(&one);
    let coalesced: Vec<_> = page
        .samples("cs_exporter_coalesced_scrapes_total")
        .collect();
    assert_eq!(coalesced.len(), 1);
    assert!((coalesced[0].value - 2.0).abs() < f64::EPSILON);
}

#[tokio::test(start_paused = true)]
async fn a_collection_outlives_its_first_scrape_and_each_scrape_ends_at_its_own_deadline() {
    let fleet = Fleet::in_process(
        Options {
            latency: Duration::from_secs(3),
            ..still(4)
        },
        LEGACY,
        "",
    );
    let began = Instant::now();
    let (hasty, patient) = tokio::join!(
        async {
            let snapshot = fleet.scrape(Duration::from_secs(1)).await;
            (snapshot, began.elapsed())
        },
        async {
            sleep(Duration::from_millis(500)).await;
            let snapshot = fleet.scrape(Duration::from_secs(8)).await;
            (snapshot, began.elapsed())
        }
    );
    assert_eq!(
        (tally(&hasty.0), hasty.1),
        (counts(&[("timeout", 4)]), Duration::from_secs(1))
    );
    assert_eq!(
        (tally(&patient.0), patient.1),
        (counts(&[("up", 4)]), Duration::from_secs(3))
    );
    assert_eq!(fleet.calls(Action::GetUpgradeStatus), 4);
}

#[tokio::test(start_paused = true)]
async fn scrapes_that_always_overlap_still_get_new_states() {
    let fleet = Fleet::in_process(still(4), LEGACY, "").calm();
    let ids = fleet.ids();
    fleet
        .sim
        .add_fault(Rule::new(Fault::Hang).cluster(ids[0].clone()));
    // Two servers that scrape every 10 s, out of step.
    let scrapes = async |offset: Duration| {
        sleep(offset).await;
        let mut pages = Vec::new();
        for _ in 0..6 {
            let next = Instant::now() + Duration::from_secs(10);
            let snapshot = fleet.scrape_in_time().await;
            pages.push((
                Instant::now(),
                word(reading(&snapshot, &ids[0])),
                word(reading(&snapshot, &ids[1])),
            ));
            sleep_until(next).await;
        }
        pages
    };
    let began = Instant::now();
    let (one, two, ()) = tokio::join!(
        scrapes(Duration::ZERO),
        scrapes(Duration::from_secs(5)),
        async {
            sleep(Duration::from_secs(21)).await;
            fleet.sim.world().set_phase(&ids[1], Phase::Paused, None);
        }
    );
    for (at, silent, other) in one.into_iter().chain(two) {
        let at = (at - began).as_secs();
        assert_eq!(silent, "timeout", "at {at} s");
        // Scrapes that share a collection get its states. The collection that starts at 20 s reads
        // the old state and ends at 30 s with the silent call, or before.
        let expected = if at <= 30 {
            &["none/not_start", "pause/pause"][..]
        } else {
            &["pause/pause"]
        };
        assert!(
            expected.contains(&other.as_str()),
            "at {at} s it is {other}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_aborted_scrape_does_not_cancel_the_collection() {
    let fleet = Fleet::in_process(
        Options {
            latency: Duration::from_secs(1),
            ..still(4)
        },
        LEGACY,
        "",
    );
    tokio::select! {
        _ = fleet.scrape_in_time() => panic!("the reply takes a second"),
        () = sleep(Duration::from_millis(100)) => {}
    }
    assert_eq!(tally(&fleet.scrape_in_time().await), counts(&[("up", 4)]));
    assert_eq!(fleet.calls(Action::GetUpgradeStatus), 4);
}

#[tokio::test(start_paused = true)]
async fn a_finished_collection_serves_scrapes_within_cache_ttl() {
    let fleet = Fleet::in_process(still(4), LEGACY, "cache_ttl: 5s");
    let first = fleet.scrape_in_time().await;
    advance(Duration::from_secs(4)).await;
    assert_eq!(fleet.scrape_in_time().await, first);
    assert_eq!(fleet.calls(Action::GetUpgradeStatus), 4);
    advance(Duration::from_secs(2)).await;
    fleet.scrape_in_time().await;
    assert_eq!(fleet.calls(Action::GetUpgradeStatus), 8);
}

#[tokio::test(start_paused = true)]
async fn clusters_beyond_the_rate_limit_are_queried_oldest_first_and_served_from_memory() {
    let limit = "source: upgrade_status\nrate_limit: {requests_per_second: 20, burst: 40}";
    let fleet = Fleet::in_process(still(600), limit, "");
    let first = fleet.scrape_in_time().await;
    // The burst, and 20 a second for 9.5 s. Clusters without a query have no cs_up.
    let asked = tally(&first)["up"];
    assert!((229..=230).contains(&asked), "{asked}");
    assert_eq!(tally(&first), counts(&[("-", 600 - asked), ("up", asked)]));
    sleep(Duration::from_millis(20_500)).await;
    // Meanwhile the queries went on.
    let second = fleet.scrape_in_time().await;
    assert_eq!(tally(&second), counts(&[("up", 600)]));
    let calls = fleet.calls(Action::GetUpgradeStatus);
    assert!((600..=841).contains(&calls), "{calls}");
    let asked: HashSet<_> = fleet
        .sim
        .calls()
        .into_iter()
        .take(600)
        .map(|call| call.subject)
        .collect();
    assert_eq!(asked.len(), 600, "each once before one twice");
}

#[tokio::test(start_paused = true)]
async fn results_older_than_max_age_are_replaced_by_a_reason() {
    let limit = "source: upgrade_status\nrate_limit: {requests_per_second: 1, burst: 1}";
    let fleet = Fleet::in_process(still(100), limit, "max_age: 30s");
    for _ in 0..20 {
        fleet.scrape_in_time().await;
        sleep(Duration::from_secs(5)).await;
    }
    let snapshot = fleet.scrape_in_time().await;
    let tally = tally(&snapshot);
    assert!(tally["rate_limited"] > 50 && tally["up"] >= 25, "{tally:?}");
    fleet.page(&snapshot);
}

#[tokio::test(start_paused = true)]
async fn a_failed_query_is_never_served_from_memory() {
    let fleet = Fleet::in_process(still(5), LEGACY, "");
    fleet.scrape_in_time().await;
    fleet.sim.add_fault(Rule::new(Fault::Hang));
    assert_eq!(
        tally(&fleet.scrape_in_time().await),
        counts(&[("timeout", 5)])
    );
}

#[tokio::test(start_paused = true)]
async fn since_is_the_time_of_the_first_sight_of_a_state_and_survives_failures() {
    let fleet = Fleet::in_process(still(1), LEGACY, "");
    let id = fleet.ids()[0].clone();
    let world = fleet.sim.world();
    world.set_phase(&id, Phase::Upgrading, None);
    let first = fleet.scrape_in_time().await;
    let since = reading(&first, &id).since.expect("seen");
    advance(Duration::from_secs(60)).await;
    fleet.sim.add_fault(Rule::new(Fault::Forbidden).times(1));
    let failed = fleet.scrape_in_time().await;
    assert_eq!(
        (
            word(reading(&failed, &id)).as_str(),
            reading(&failed, &id).since
        ),
        ("forbidden", None)
    );
    assert_eq!(
        reading(&failed, &id).last_success,
        reading(&first, &id).last_success
    );
    assert_eq!(
        reading(&fleet.scrape_in_time().await, &id).since,
        Some(since)
    );
    world.set_phase(&id, Phase::Paused, None);
    advance(Duration::from_secs(60)).await;
    assert!(reading(&fleet.scrape_in_time().await, &id).since > Some(since));
}

#[tokio::test(start_paused = true)]
async fn unknown_values_are_counted_by_field() {
    let fleet = Fleet::in_process(
        still(2),
        &format!("source: upgrade_status\n{UNLIMITED}"),
        "",
    );
    fleet.sim.add_fault(Rule::new(Fault::UnknownValues));
    let snapshot = fleet.scrape_in_time().await;
    let page = fleet.page(&snapshot);
    let fields: BTreeMap<_, _> = page
        .samples("cs_exporter_unknown_values_total")
        .map(|sample| {
            (
                sample
                    .labels
                    .iter()
                    .find(|(name, _)| name == "field")
                    .map(|(_, field)| field.clone()),
                sample.value,
            )
        })
        .collect();
    assert!(
        (fields[&Some("status".to_owned())] - 2.0).abs() < f64::EPSILON,
        "{fields:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_cluster_is_a_timeout_for_every_scrape_whatever_the_others_wait_for() {
    let seconds = Duration::from_secs;
    for (first, second) in [(5, 60), (60, 5), (60, 60)] {
        for is_known in [false, true] {
            let what = format!("{first} s, then {second} s, known: {is_known}");
            let fleet = Fleet::in_process(still(4), LEGACY, "");
            if is_known {
                fleet.scrape_in_time().await;
                sleep(seconds(30)).await;
            }
            let silent = fleet.ids()[0].clone();
            fleet
                .sim
                .add_fault(Rule::new(Fault::Hang).cluster(silent.clone()));
            let second = async {
                sleep(seconds(1)).await;
                fleet.scrape(seconds(second)).await
            };
            let (first, second) = tokio::join!(fleet.scrape(seconds(first)), second);
            for (snapshot, which) in [(first, "first"), (second, "second")] {
                let shown = word(reading(&snapshot, &silent));
                assert_eq!(shown, "timeout", "{which} of {what}");
                assert_eq!(tally(&snapshot)["up"], 3, "{which} of {what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_has_a_line_for_each_new_reason_of_a_cluster_and_one_when_it_answers_again() {
    let log = Log::listen();
    let fleet = Fleet::in_process(still(1), LEGACY, "");
    for (fault, expected) in [
        (None, [0, 0]),
        (Some(Fault::Forbidden), [1, 0]),
        (Some(Fault::Forbidden), [1, 0]),
        (Some(Fault::ProxyPage(404)), [2, 0]),
        (None, [2, 1]),
        (None, [2, 1]),
    ] {
        fleet.sim.clear_faults();
        let description = format!("{fault:?}");
        if let Some(fault) = fault {
            fleet.sim.add_fault(Rule::new(fault));
        }
        fleet.scrape_in_time().await;
        let counts = log.counts(["cluster does not answer", "cluster answers again"]);
        assert_eq!(counts, expected, "{description}");
        advance(Duration::from_secs(15)).await;
    }
}
