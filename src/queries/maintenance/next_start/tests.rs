use std::num::NonZeroU32;

use jiff::ToSpan as _;
use jiff::civil::Weekday::{self, Monday, Sunday, Thursday, Tuesday};
use jiff::civil::{Time, date, time};
use jiff::tz::Offset;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

const WEEK: [Weekday; 7] = [
    Monday,
    Tuesday,
    Weekday::Wednesday,
    Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Sunday,
];

/// A window at 02:00 of Beijing on `days` of every `interval`-th week since 2026-01-01, a Thursday.
fn window(interval: u32, days: &[Weekday]) -> MaintenanceWindow {
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

fn at(time: &str) -> Timestamp {
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

/// Any window with starts, and times around now.
fn any_window() -> impl Strategy<Value = MaintenanceWindow> {
    let start = (
        proptest::option::of(-400..400_i32),
        0..86_400_i32,
        -12 * 4..=14 * 4_i32,
    );
    let start = start.prop_map(|(day, second, quarters)| WindowStart {
        date: day.map(|day| date(2026, 11, 23) + day.days()),
        time: Time::midnight() + i64::from(second).seconds(),
        offset: Offset::from_seconds(quarters * 900).expect("an offset"),
    });
    let days = subsequence(WEEK.to_vec(), 1..=7).prop_shuffle();
    let exclusions = proptest::collection::vec(any_exclusion(), 0..4);
    (start, 1..6_u32, days, exclusions).prop_map(|(start, interval, days, exclusions)| {
        // Without a first day, only each week can be told.
        let interval = start.date.map_or(1, |_| interval);
        MaintenanceWindow {
            start: Some(start),
            exclusions,
            ..window(interval, &days)
        }
    })
}

fn any_exclusion() -> impl Strategy<Value = Exclusion> {
    let hours = (-24 * 30..24 * 60_i64, 1..24 * 60_i64);
    (select(ExclusionScope::ALL), hours).prop_map(|(scope, (start, length))| Exclusion {
        scope,
        start: now(start * 3600),
        end: now((start + length) * 3600),
    })
}

fn now(seconds: i64) -> Timestamp {
    at("2026-11-23T08:00:00Z") + SignedDuration::from_secs(seconds)
}

/// Returns true if `window` opens on `day`, whatever is excluded.
fn is_day(window: &MaintenanceWindow, day: Date) -> bool {
    let (start, recurrence) = (window.start.unwrap(), window.recurrence.as_ref().unwrap());
    let mut week = start.date.map(|first| (first, monday(first)));
    let is_week = match &mut week {
        None => true,
        Some((first, week)) => {
            while *week < monday(day) {
                *week += (7 * i64::from(recurrence.interval.get())).days();
            }
            day >= *first && *week == monday(day)
        }
    };
    is_week && recurrence.days.contains(&day.weekday())
}

fn monday(mut day: Date) -> Date {
    while day.weekday() != Monday {
        day = day.yesterday().unwrap();
    }
    day
}

/// The next start, by looking at each day.
fn by_days(window: &MaintenanceWindow, now: Timestamp) -> Option<Timestamp> {
    let start = window.start.unwrap();
    let mut day = start.offset.to_datetime(now).date();
    for _ in 0..1_000 {
        let time = start
            .offset
            .to_timestamp(day.to_datetime(start.time))
            .unwrap();
        let is_excluded = end_of_exclusion(&window.exclusions, time).is_some();
        if is_day(window, day) && time > now && !is_excluded {
            return Some(time);
        }
        day = day.tomorrow().unwrap();
    }
    None
}

proptest! {
    #[test]
    fn a_next_start_is_later_on_a_day_of_the_window_and_in_no_exclusion_of_upgrades(
        window in any_window(), seconds in -4_000_000..4_000_000_i64,
    ) {
        let now = now(seconds);
        let found = next_start(&window, now).expect("a start");
        let start = window.start.unwrap();
        let local = start.offset.to_datetime(found);
        prop_assert!(found > now);
        prop_assert_eq!(local.time(), start.time);
        prop_assert!(is_day(&window, local.date()));
        let excluding = window.exclusions.iter().filter(|one| one.start <= found && found < one.end);
        for exclusion in excluding {
            prop_assert!(!holds_upgrades_back(exclusion.scope));
        }
        prop_assert_eq!(Some(found), by_days(&window, now), "there is none before");
    }

    #[test]
    fn a_later_time_has_no_earlier_next_start(
        window in any_window(),
        seconds in -4_000_000..4_000_000_i64,
        later in 0..4_000_000_i64,
    ) {
        let starts = [seconds, seconds + later].map(|time| next_start(&window, now(time)));
        prop_assert!(starts[0] <= starts[1], "{starts:?}");
    }
}
