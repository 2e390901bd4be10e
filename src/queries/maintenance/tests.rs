use std::num::NonZeroU32;

use ack_client::{Recurrence, WindowStart};
use jiff::civil::{Weekday, time};
use jiff::tz::Offset;
use serde_json::{Value, json};

use super::*;

fn window(enabled: bool) -> MaintenanceWindow {
    MaintenanceWindow {
        enabled,
        start: Some(WindowStart {
            date: None,
            time: time(19, 0, 0, 0),
            offset: Offset::UTC,
        }),
        duration: Some(Duration::from_secs(3 * 3600)),
        recurrence: Some(Recurrence {
            interval: NonZeroU32::MIN,
            days: vec![Weekday::Thursday],
        }),
        exclusions: Vec::new(),
    }
}

fn settings(channel: Option<UpgradeChannel>, window: MaintenanceWindow) -> ClusterSettings {
    ClusterSettings {
        auto_upgrade: Some(ack_client::AutoUpgrade {
            enabled: channel.is_some(),
            channel,
        }),
        window: Some(window),
    }
}

fn shown(settings: &ClusterSettings, now: &str) -> Value {
    let now = now.parse().expect("a time");
    serde_json::to_value(ClusterMaintenance::at(now, settings)).expect("JSON")
}

#[test]
fn the_next_start_is_that_of_the_snapshot_and_not_of_the_response() {
    let settings = settings(Some(UpgradeChannel::Stable), window(true));
    for (now, next_start) in [
        ("2026-11-23T08:00:00Z", "2026-11-26T19:00:00Z"),
        ("2026-11-26T19:00:00Z", "2026-12-03T19:00:00Z"),
    ] {
        let expected = json!({
            "auto_upgrade": {"enabled": true, "channel": "stable"},
            "window": {"next_start": next_start, "duration_seconds": 10800.0},
        });
        assert_eq!(shown(&settings, now), expected);
    }
}

#[test]
fn a_window_that_is_not_in_use_is_none() {
    let expected = json!({"auto_upgrade": {"enabled": false, "channel": null}, "window": null});
    let settings = settings(None, window(false));
    assert_eq!(shown(&settings, "2026-11-23T08:00:00Z"), expected);
}

#[test]
fn parts_that_the_api_does_not_send_are_null() {
    let window = MaintenanceWindow {
        duration: None,
        recurrence: None,
        ..window(true)
    };
    let settings = ClusterSettings {
        auto_upgrade: None,
        ..settings(None, window)
    };
    let expected = json!({
        "auto_upgrade": null,
        "window": {"next_start": null, "duration_seconds": null},
    });
    assert_eq!(shown(&settings, "2026-11-23T08:00:00Z"), expected);
}
