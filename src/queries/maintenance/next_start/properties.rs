//! Properties of any window.

use jiff::ToSpan as _;
use jiff::civil::Weekday::{self, Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
use jiff::civil::{Time, date};
use jiff::tz::Offset;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::tests::{at, window};
use super::*;

const WEEK: [Weekday; 7] = [
    Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday,
];

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
        for exclusion in &window.exclusions {
            if exclusion.start <= found && found < exclusion.end {
                prop_assert!(!holds_upgrades_back(exclusion.scope));
            }
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
