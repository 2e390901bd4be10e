//! Automatic upgrades and maintenance windows.

use ack_upgrade_exporter::queries::maintenance::ClusterMaintenance;
use jiff::Timestamp;

use super::*;
use crate::fleet::{UNLIMITED, reading};

const DETAIL: Action = Action::DescribeClusterDetail;
const HOUR: Duration = Duration::from_secs(3600);
const NEXT_START: &str = "cs_maintenance_window_next_start_timestamp_seconds";

fn fleet() -> Fleet {
    let account = format!("source: upgrade_status\n{UNLIMITED}\nwatch: {{maintenance: {{}}}}");
    Fleet::in_process(options(60), &account, "")
}

async fn page(fleet: &Fleet) -> Exposition {
    fleet.page(&fleet.scrape_in_time().await)
}

fn seconds(time: Timestamp) -> f64 {
    time.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn settings_take_one_call_a_cluster_every_six_hours() {
    let fleet = fleet();
    sleep(MINUTE).await;
    let page = page(&fleet).await;
    for name in [
        "cs_cluster_auto_upgrade",
        NEXT_START,
        "cs_maintenance_window_duration_seconds",
    ] {
        let found = values(&page, name).len();
        assert!(found > 0 && found < 60, "{name}: some have no setting");
    }
    assert_eq!(values(&page, "cs_query_up"), [1.0; 60]);
    assert_eq!(fleet.calls(DETAIL), 60);
    sleep(3 * HOUR).await;
    let calls = fleet.calls(DETAIL);
    assert!((80..=100).contains(&calls), "not all at once: {calls}");
    sleep(3 * HOUR).await;
    assert_eq!(fleet.calls(DETAIL), 120);
    sleep(6 * HOUR).await;
    assert_eq!(fleet.calls(DETAIL), 180);
}

#[tokio::test(start_paused = true)]
async fn the_next_start_is_later_than_the_page_although_the_window_was_read_before() {
    let fleet = fleet();
    sleep(MINUTE).await;
    let before = values(&page(&fleet).await, NEXT_START);
    // The nightly windows open at 18:00 UTC, ten hours after the start of the world.
    sleep(10 * HOUR).await;
    let page = page(&fleet).await;
    let after = values(&page, NEXT_START);
    assert_ne!(before, after);
    let now = seconds(fleet.sim.world().now());
    assert!(after.iter().all(|start| *start > now), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn every_form_of_a_window_has_its_next_start() {
    let fleet = fleet();
    sleep(MINUTE).await;
    let snapshot = fleet.scrape_in_time().await;
    let mut starts: Vec<_> = fleet
        .ids()
        .iter()
        .filter_map(|id| {
            let maintenance = reading(&snapshot, id).watched.maintenance.clone();
            let window = maintenance.and_then(|one: ClusterMaintenance| one.window)?;
            let hours = window.duration.expect("a length").as_secs() / 3600;
            Some((hours, window.next_start.expect("a start").to_string()))
        })
        .collect();
    starts.sort();
    starts.dedup();
    let expected = [
        // Thursdays at 02:00 of Beijing.
        (3, "2026-11-25T18:00:00Z"),
        // Every night, and Mondays and Thursdays at 19:00 UTC.
        (4, "2026-11-23T18:00:00Z"),
        (4, "2026-11-23T19:00:00Z"),
        // Mondays of every other week, not this one, at 02:00 of Beijing.
        (6, "2026-11-29T18:00:00Z"),
    ];
    let expected = expected.map(|(hours, start)| (hours, start.to_owned()));
    assert_eq!(starts, expected);
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_names_the_action() {
    let fleet = fleet();
    fleet.sim.deny(DETAIL);
    sleep(MINUTE).await;
    let snapshot = fleet.scrape_in_time().await;
    let page = fleet.page(&snapshot);
    assert_eq!(values(&page, "cs_query_up"), [0.0; 60]);
    assert_eq!(values(&page, "cs_up"), [1.0; 60]);
    let reading = reading(&snapshot, &fleet.ids()[0]);
    let failure = reading.queries[0].failure.as_ref().expect("it was refused");
    let message = &failure.message;
    assert!(message.contains("cs:DescribeClusterDetail"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn settings_survive_a_reload() {
    let earlier = fleet();
    sleep(MINUTE).await;
    let before = page(&earlier).await;
    let dependencies = dependencies(&earlier.sim, &earlier.own);
    let fleet = Fleet {
        collector: Collector::after(&earlier.collector, &earlier.config, &dependencies),
        ..earlier
    };
    drop(earlier.collector);
    let after = page(&fleet).await;
    sleep(MINUTE).await;
    assert_eq!(fleet.calls(DETAIL), 60);
    assert_eq!(values(&before, NEXT_START), values(&after, NEXT_START));
}
