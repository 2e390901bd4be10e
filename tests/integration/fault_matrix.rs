//! Every fault of the API with every source, alone and with the others. A row of the table is a
//! fault with the expected reason.

use std::sync::Arc;
use std::time::Duration;

use ack_simulator::{ErrorBody, Fault, Framing, KeyPair, Phase, RepeatIn, Rule, Simulator};
use ack_upgrade_exporter::collect::budget;
use ack_upgrade_exporter::snapshot::Snapshot;
use tokio::time::Instant;

use crate::fleet::{Fleet, options, reading, word};
use crate::hostile;

pub const SOURCES: [&str; 3] = ["upgrade_status", "tasks", "auto"];

/// The outcome of every good cluster in these tests.
const GOOD: &str = "running/upgrading";

/// Every fault, and the expected outcome of a cluster with it.
pub fn faults() -> Vec<(Fault, &'static str)> {
    let seconds = Duration::from_secs;
    let throttled = |status, retry_after| Fault::Throttled {
        status,
        retry_after,
    };
    let server = |status, body| Fault::ServerError { status, body };
    vec![
        (Fault::Hang, "timeout"),
        (Fault::Slow(seconds(60)), "timeout"),
        (Fault::Drip(Duration::from_millis(200)), "timeout"),
        (Fault::Slow(Duration::from_millis(300)), GOOD),
        (Fault::Reset, "network"),
        (Fault::Truncated, "network"),
        (Fault::Huge(Framing::Length), "decode"),
        (Fault::Huge(Framing::Chunked), "decode"),
        (Fault::Malformed, "decode"),
        (Fault::Garbage, "decode"),
        (Fault::EmptyBody, "decode"),
        (Fault::HtmlPage, "decode"),
        (Fault::DeepNesting, "decode"),
        (Fault::WrongTypes, "decode"),
        (Fault::XmlResponse, GOOD),
        (Fault::XmlError, "server"),
        (
            Fault::Redirect("http://elsewhere.invalid/".to_owned()),
            "other",
        ),
        (Fault::ProxyPage(403), "other"),
        (Fault::ProxyPage(404), "other"),
        (Fault::ProxyPage(407), "other"),
        (Fault::ProxyPage(502), "server"),
        (server(500, ErrorBody::Json), "server"),
        (server(502, ErrorBody::Html), "server"),
        (server(503, ErrorBody::Nothing), "server"),
        (throttled(400, None), "throttled"),
        (throttled(429, None), "throttled"),
        (throttled(503, None), "throttled"),
        (throttled(429, Some(seconds(60))), "throttled"),
        (
            throttled(429, Some(Duration::from_millis(u64::MAX))),
            "throttled",
        ),
        (Fault::ExpiredToken, "auth"),
        (Fault::NonceUsed, "auth"),
        (Fault::ClockSkew, "auth"),
        (Fault::Forbidden, "forbidden"),
        (Fault::UnknownValues, "unknown/"),
        (Fault::Repeat(RepeatIn::Error), "auth"),
        (Fault::Repeat(RepeatIn::Response), "unknown/"),
    ]
}

pub fn account(source: &str) -> String {
    format!(
        "source: {source}\nmax_concurrency: 64\n\
         rate_limit: {{requests_per_second: 100000, burst: 100000}}"
    )
}

/// Sets every cluster to an upgrade in progress, so that both sources use all their calls.
pub fn upgrading(sim: &Simulator) {
    for id in sim.world().clusters() {
        sim.world().set_phase(&id, Phase::Upgrading, None);
    }
}

fn assert_shown(snapshot: &Arc<Snapshot>, fleet: &Fleet, place: usize, expected: &str, what: &str) {
    let id = &fleet.ids()[place];
    let shown = word(reading(snapshot, id));
    assert!(
        shown.starts_with(expected),
        "{what}: {shown} and not {expected}; {:?}",
        reading(snapshot, id).outcome
    );
}

fn assert_no_secret(snapshot: &Arc<Snapshot>, fleet: &Fleet, what: &str) {
    fleet.page(snapshot);
    assert!(
        !format!("{snapshot:?}").contains(KeyPair::demo().access_key_secret.expose()),
        "{what}"
    );
}

#[tokio::test(start_paused = true)]
async fn each_fault_has_its_reason_with_every_source_and_the_next_scrape_recovers() {
    for source in SOURCES {
        for (fault, expected) in faults() {
            for clusters in [1, 4] {
                let what = format!("{source}, {fault:?}, {clusters} clusters");
                let fleet = Fleet::in_process(options(clusters), &account(source), "");
                upgrading(&fleet.sim);
                let bad = clusters - 1;
                fleet
                    .sim
                    .add_fault(Rule::new(fault.clone()).cluster(fleet.ids()[bad].clone()));
                let began = Instant::now();
                let snapshot = fleet.scrape_in_time().await;
                assert!(
                    began.elapsed() <= Duration::from_millis(9501),
                    "{what}: {:?}",
                    began.elapsed()
                );
                assert_shown(&snapshot, &fleet, bad, expected, &what);
                (0..bad).for_each(|good| assert_shown(&snapshot, &fleet, good, GOOD, &what));
                assert_no_secret(&snapshot, &fleet, &what);
                fleet.sim.clear_faults();
                let after = fleet.scrape_in_time().await;
                (0..clusters).for_each(|place| {
                    assert_shown(&after, &fleet, place, GOOD, &format!("after {what}"));
                });
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_all_clusters_has_its_reason_for_each() {
    for source in SOURCES {
        for (fault, expected) in faults() {
            let what = format!("{source}, {fault:?} everywhere");
            let fleet = Fleet::in_process(options(3), &account(source), "");
            upgrading(&fleet.sim);
            fleet.sim.add_fault(Rule::new(fault.clone()));
            let began = Instant::now();
            let snapshot = fleet.scrape_in_time().await;
            assert!(
                began.elapsed() <= Duration::from_millis(9501),
                "{what}: {:?}",
                began.elapsed()
            );
            (0..3).for_each(|place| assert_shown(&snapshot, &fleet, place, expected, &what));
            assert_no_secret(&snapshot, &fleet, &what);
            fleet.sim.clear_faults();
            let after = fleet.scrape_in_time().await;
            (0..3).for_each(|place| {
                assert_shown(&after, &fleet, place, GOOD, &format!("after {what}"));
            });
        }
    }
}

/// The same over sockets, where bodies are 8 GiB long and connections break.
#[tokio::test]
async fn all_faults_at_once_keep_their_reasons_and_do_not_affect_good_clusters() {
    let faults = faults();
    for source in SOURCES {
        let (fleet, _) = hostile::served(faults.len() * 2, &account(source)).await;
        upgrading(&fleet.sim);
        let ids = fleet.ids();
        for (place, (fault, _)) in faults.iter().enumerate() {
            fleet
                .sim
                .add_fault(Rule::new(fault.clone()).cluster(ids[place * 2].clone()));
        }
        let began = Instant::now();
        let snapshot = fleet.scrape(budget(Some("4"), &fleet.config.scrape)).await;
        assert!(
            began.elapsed() < Duration::from_secs(8),
            "{source}: {:?}",
            began.elapsed()
        );
        let allowed = Duration::from_millis(3_500)..=Duration::from_millis(3_600);
        assert!(
            allowed.contains(&snapshot.budget),
            "the time-out less a tenth: {:?}",
            snapshot.budget
        );
        for (place, (fault, expected)) in faults.iter().enumerate() {
            assert_shown(
                &snapshot,
                &fleet,
                place * 2,
                expected,
                &format!("{source}, {fault:?}"),
            );
            assert_shown(
                &snapshot,
                &fleet,
                place * 2 + 1,
                GOOD,
                &format!("{source}, beside {fault:?}"),
            );
        }
        assert_no_secret(&snapshot, &fleet, source);
        fleet.sim.clear_faults();
        let after = fleet.scrape(Duration::from_secs(20)).await;
        (0..ids.len()).for_each(|place| {
            assert_shown(&after, &fleet, place, GOOD, &format!("{source}, after all"));
        });
    }
}
