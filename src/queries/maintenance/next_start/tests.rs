use std::num::NonZeroU32;

use jiff::civil::Weekday::{self, Monday, Thursday, Tuesday};
use jiff::civil::{date, time};
use jiff::tz::Offset;

use super::*;

/// A window at 02:00 of Beijing on `days` of every `interval`-th week since 2026-01-01, a Thursday.
pub(super) fn window(interval: u32, days: &[Weekday]) -> MaintenanceWindow {
    MaintenanceWindow {
        enabled: true,
        start: Some(WindowStart {
            date: Some(date(2026, 1, 1)),
            time: time(2, 0, 0, 0),
            offset: Offset::constant(8),
        }),
        duration: None,
        recurrence: Some(Recurrence {
            interval: NonZeroU32::new(interval).expect("not zero"),
            days: days.to_vec(),
        }),
        exclusions: Vec::new(),
    }
}

pub(super) fn at(time: &str) -> Timestamp {
    time.parse().expect("a time")
}

/// The next start in the time of Beijing.
fn next(window: &MaintenanceWindow, now: &str) -> Option<String> {
    let start = next_start(window, at(now))?;
    Some(Offset::constant(8).to_datetime(start).to_string())
}

fn exclusion(scope: ExclusionScope, start: &str, end: &str) -> Exclusion {
    Exclusion {
        scope,
        start: at(start),
        end: at(end),
    }
}

#[test]
fn a_window_opens_on_the_next_of_its_days_in_its_own_offset() {
    let window = window(1, &[Thursday, Monday]);
    for (now, expected) in [
        // A Wednesday in UTC is already a Thursday in Beijing.
        ("2026-11-25T17:59:59Z", "2026-11-26T02:00:00"),
        ("2026-11-25T18:00:00Z", "2026-11-30T02:00:00"),
        ("2026-11-26T12:00:00Z", "2026-11-30T02:00:00"),
        ("2026-12-31T18:00:00Z", "2027-01-04T02:00:00"),
        // There was none before the first day.
        ("2025-06-01T00:00:00Z", "2026-01-01T02:00:00"),
    ] {
        assert_eq!(next(&window, now).as_deref(), Some(expected), "{now}");
    }
}

#[test]
fn a_time_of_day_alone_has_days_in_its_own_offset_too() {
    let mut window = window(1, &[Thursday]);
    window.start = Some(WindowStart {
        date: None,
        time: time(19, 0, 0, 0),
        offset: Offset::UTC,
    });
    let found = next_start(&window, at("2026-11-23T08:00:00Z"));
    assert_eq!(found, Some(at("2026-11-26T19:00:00Z")));
}

#[test]
fn an_interval_of_several_weeks_counts_from_the_week_of_the_first_day() {
    // The weeks of 2025-12-29, 2026-01-26 and so on, up to 2026-11-30.
    let mut window = window(4, &[Monday, Tuesday]);
    for (now, expected) in [
        ("2026-01-01T00:00:00Z", "2026-01-26T02:00:00"),
        ("2026-01-26T00:00:00Z", "2026-01-27T02:00:00"),
        ("2026-01-27T00:00:00Z", "2026-02-23T02:00:00"),
        ("2026-11-23T08:00:00Z", "2026-11-30T02:00:00"),
    ] {
        assert_eq!(next(&window, now).as_deref(), Some(expected), "{now}");
    }
    window.start.as_mut().expect("a start").date = None;
    assert_eq!(next(&window, "2026-11-23T08:00:00Z"), None, "which weeks?");
}

#[test]
fn a_window_that_opens_in_an_exclusion_of_upgrades_is_left_out() {
    let now = "2026-11-23T08:00:00Z";
    let with = |exclusions: &[Exclusion]| {
        let window = MaintenanceWindow {
            exclusions: exclusions.to_vec(),
            ..window(1, &[Thursday])
        };
        next(&window, now).expect("a start")
    };
    let (first, second, third) = (
        "2026-11-26T02:00:00",
        "2026-12-03T02:00:00",
        "2026-12-10T02:00:00",
    );
    for (scope, expected) in [
        (ExclusionScope::NoOperations, second),
        (ExclusionScope::NoUpgrades, second),
        (ExclusionScope::Unknown, second),
        (ExclusionScope::NoMinorUpgrades, first),
        (ExclusionScope::NoCvePatch, first),
    ] {
        let exclusion = exclusion(scope, "2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z");
        assert_eq!(with(&[exclusion]), expected, "{scope:?}");
    }
    let upgrades = |start, end| exclusion(ExclusionScope::NoUpgrades, start, end);
    // Its start is part of an exclusion, its end is not.
    let until_start = upgrades("2026-11-20T00:00:00Z", "2026-11-25T18:00:00Z");
    let from_start = upgrades("2026-11-25T18:00:00Z", "2026-11-25T18:00:01Z");
    assert_eq!(with(&[until_start]), first);
    assert_eq!(with(&[from_start]), second);
    let overlapping = upgrades("2026-11-25T00:00:00Z", "2026-12-04T00:00:00Z");
    assert_eq!(with(&[overlapping, from_start, until_start]), third);
}

#[test]
fn a_window_without_a_part_or_without_end_has_no_next_start() {
    let now = "2026-11-23T08:00:00Z";
    let whole = window(1, &[Thursday]);
    let without_start = MaintenanceWindow {
        start: None,
        ..whole.clone()
    };
    let without_days = MaintenanceWindow {
        recurrence: None,
        ..whole.clone()
    };
    let excluded = MaintenanceWindow {
        exclusions: vec![exclusion(
            ExclusionScope::NoUpgrades,
            "2000-01-01T00:00:00Z",
            "9999-12-30T00:00:00Z",
        )],
        ..whole.clone()
    };
    for window in [without_start, without_days, excluded] {
        assert_eq!(next(&window, now), None);
    }
    assert_eq!(next(&window(u32::MAX, &[Monday]), now), None);
    assert_eq!(next_start(&whole, Timestamp::MAX), None);
    assert!(next_start(&whole, Timestamp::MIN).is_some());
}

#[test]
fn a_window_that_opens_at_the_end_of_an_exclusion_is_not_left_out() {
    let mut window = window(1, &[Thursday, Monday]);
    window.exclusions = vec![exclusion(
        ExclusionScope::NoUpgrades,
        "2026-11-25T00:00:00Z",
        "2026-11-29T18:00:00Z",
    )];
    let next = next(&window, "2026-11-25T10:00:00Z");
    assert_eq!(next.as_deref(), Some("2026-11-30T02:00:00"));
}
