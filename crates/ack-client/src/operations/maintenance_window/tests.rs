//! Maintenance windows in both spellings, and odd ones.

use jiff::civil::Weekday::{Friday, Monday, Sunday, Thursday, Tuesday};
use jiff::civil::{date, time};
use serde::de::DeserializeSeed as _;

use super::*;
use crate::decode::Field;

fn window(json: &str) -> (MaintenanceWindow, Vec<(&'static str, String)>) {
    let mut fields = Field::<WindowFields>::Absent;
    (&mut fields)
        .deserialize(&mut serde_json::Deserializer::from_str(json))
        .expect(json);
    let fields = fields.into_value().expect(json);
    let mut unknown = Vec::new();
    let mut report = |name, value: &str| unknown.push((name, value.to_owned()));
    fields.report_unexpected_fields(&mut report);
    let window = fields.into_window(&mut report);
    (window, unknown)
}

const PLACE: &str = "cluster.maintenance_window";

fn hours(hours: i8) -> Offset {
    Offset::constant(hours)
}

#[test]
fn a_start_is_a_time_of_day_or_a_date_and_a_time() {
    let start = |text: &str| {
        let (window, unknown) = window(&format!(r#"{{"maintenance_time": "{text}"}}"#));
        (window.start, unknown.len())
    };
    let three = time(3, 0, 0, 0);
    for (text, day, time, offset) in [
        ("03:00:00Z", None, three, hours(0)),
        ("03:00:00+08:00", None, three, hours(8)),
        ("03:00:00-05:00", None, three, hours(-5)),
        ("03:00Z", None, three, hours(0)),
        (
            " 23:59:59.5Z ",
            None,
            time(23, 59, 59, 500_000_000),
            hours(0),
        ),
        (
            "2026-01-15T03:00:00+08:00",
            Some(date(2026, 1, 15)),
            three,
            hours(8),
        ),
        (
            "2026-01-15T03:00:00.000Z",
            Some(date(2026, 1, 15)),
            three,
            hours(0),
        ),
    ] {
        let expected = WindowStart {
            date: day,
            time,
            offset,
        };
        assert_eq!(start(text), (Some(expected), 0), "{text}");
    }
    for text in [
        "03:00:00",
        "25:00:00Z",
        "2026-01-15",
        "2026-01-15T03:00:00",
        "2026-02-30T03:00:00Z",
        "3h",
        "noon",
        "升:",
    ] {
        assert_eq!(start(text), (None, 1), "{text}");
    }
}

#[test]
fn a_duration_is_longer_than_nothing_and_not_longer_than_a_week() {
    let duration = |json: &str| {
        let (window, unknown) = window(&format!(r#"{{"duration": {json}}}"#));
        (
            window.duration.map(|duration| duration.as_secs()),
            unknown.len(),
        )
    };
    for (json, hours) in [
        ("\"3h\"", 3),
        ("\" 24h \"", 24),
        ("\"PT4H\"", 4),
        ("\"60m\"", 1),
    ] {
        assert_eq!(duration(json), (Some(hours * 3600), 0), "{json}");
    }
    for json in [
        "\"0h\"",
        "\"-3h\"",
        "\"200h\"",
        "\"long\"",
        "3",
        "{\"h\": 3}",
    ] {
        assert_eq!(duration(json), (None, 1), "{json}");
    }
}

#[test]
fn a_rule_comes_before_weekly_days() {
    let recurrence = |rule: &str, period: &str| {
        let json = format!(r#"{{"recurrence": "{rule}", "weekly_period": "{period}"}}"#);
        let (window, unknown) = window(&json);
        let recurrence = window
            .recurrence
            .map(|read| (read.interval.get(), read.days));
        (recurrence, unknown)
    };
    for (rule, period, interval, days) in [
        (
            "FREQ=WEEKLY;INTERVAL=4;BYDAY=MO,TU",
            "Thursday",
            4,
            vec![Monday, Tuesday],
        ),
        ("freq=weekly;byday=fr;wkst=mo;", "", 1, vec![Friday]),
        ("", "Monday,Thursday", 1, vec![Monday, Thursday]),
        ("", " sunday , THU,sun", 1, vec![Sunday, Thursday]),
    ] {
        assert_eq!(
            recurrence(rule, period),
            (Some((interval, days)), vec![]),
            "{rule}"
        );
    }
    for rule in [
        "FREQ=DAILY",
        "FREQ=WEEKLY",
        "BYDAY=MO",
        "FREQ=WEEKLY;BYDAY=MO;COUNT=3",
        "FREQ=WEEKLY;BYDAY=MO;UNTIL=20270101",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=WEEKLY;BYDAY=MO;INTERVAL=0",
        "FREQ=WEEKLY;BYDAY=MO;WKST=SU",
        "weekly",
    ] {
        let reported = |name: &'static str| vec![(name, rule.to_owned())];
        let (read, unknown) = recurrence(rule, "Thursday");
        assert_eq!(read, Some((1, vec![Thursday])), "{rule}");
        assert_eq!(unknown, reported("cluster.maintenance_window.recurrence"));
    }
    assert_eq!(
        recurrence("", "Monday,Someday,Noday"),
        (
            Some((1, vec![Monday])),
            vec![(
                "cluster.maintenance_window.weekly_period",
                "Someday".to_owned()
            )]
        )
    );
    assert_eq!(recurrence("", "m").0, None);
}

#[test]
fn an_odd_exclusion_costs_itself() {
    let (window, unknown) = window(
        r#"{"enable": "true", "exclusions": [
            {"name": "feast", "scope": "NoUpgrades", "start_time": "2026-12-20T00:00:00+08:00", "end_time": "2027-01-05T00:00:00+08:00"},
            {"scope": "nominorupgrades", "start_time": 1795420800, "end_time": "1795420801"},
            {"scope": "NoFun", "start_time": "2026-12-20T00:00:00Z", "end_time": "2026-12-21T00:00:00Z"},
            {"scope": "NoCVEPatch", "start_time": "2026-12-20T00:00:00Z"},
            {"scope": "NoOperations", "start_time": "2026-12-21T00:00:00Z", "end_time": "2026-12-20T00:00:00Z"},
            null
        ]}"#,
    );
    let scopes: Vec<_> = window.exclusions.iter().map(|read| read.scope).collect();
    assert_eq!(
        scopes,
        [
            ExclusionScope::NoUpgrades,
            ExclusionScope::NoMinorUpgrades,
            ExclusionScope::Unknown
        ]
    );
    assert_eq!(
        window.exclusions[0].start.to_string(),
        "2026-12-19T16:00:00Z"
    );
    assert_eq!(window.exclusions[1].end.as_second(), 1_795_420_801);
    assert!(window.enabled);
    let exclusions = format!("{PLACE}.exclusions");
    let expected = [
        (exclusions.clone(), "an item that is empty"),
        (format!("{exclusions}.scope"), "NoFun"),
        (exclusions.clone(), "an item without a time"),
        (exclusions, "an item that ends before it starts"),
    ];
    let unknown: Vec<_> = unknown
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_str()))
        .collect();
    assert_eq!(unknown, expected);
}

#[test]
fn a_window_without_parts_is_not_in_use() {
    let expected = MaintenanceWindow {
        enabled: false,
        start: None,
        duration: None,
        recurrence: None,
        exclusions: vec![],
    };
    for json in [
        "{}",
        r#"{"enable": null, "maintenance_time": "", "duration": null, "weekly_period": "", "recurrence": "", "exclusions": null}"#,
    ] {
        assert_eq!(window(json), (expected.clone(), vec![]), "{json}");
    }
}
