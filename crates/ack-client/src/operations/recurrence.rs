//! The days of a maintenance window, as a list or as a rule.

use std::num::NonZeroU32;

use jiff::civil::Weekday;

use crate::decode::{LenientValue, Report};

/// A weekly recurrence: the window opens on `days` of every `interval`-th week. Weeks begin on
/// Monday, as in RFC 5545.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurrence {
    /// The number of weeks from one to the next.
    pub interval: NonZeroU32,
    /// The days, in the order of the API; never empty.
    pub days: Vec<Weekday>,
}

/// The days of a window, such as `Monday,Thursday`.
#[derive(Debug)]
pub(super) struct WeeklyPeriod(Days);

impl WeeklyPeriod {
    /// The recurrence, unless no day was understood.
    pub(super) fn into_recurrence(self) -> Option<Recurrence> {
        let days = self.0.days;
        (!days.is_empty()).then_some(Recurrence {
            interval: NonZeroU32::MIN,
            days,
        })
    }
}

impl LenientValue for WeeklyPeriod {
    fn from_text(text: &str) -> Option<Self> {
        Some(Self(Days::read(text)))
    }

    fn report_unexpected(&self, name: &'static str, report: &mut Report<'_>) {
        if let Some(unexpected) = &self.0.unexpected {
            report(name, unexpected);
        }
    }
}

/// A rule of RFC 5545, of which the API has the weekly ones without an end, such as
/// `FREQ=WEEKLY;INTERVAL=4;BYDAY=MO,TU`.
#[derive(Debug)]
pub(super) struct RecurrenceRule(Recurrence);

impl RecurrenceRule {
    pub(super) fn into_recurrence(self) -> Recurrence {
        self.0
    }
}

impl LenientValue for RecurrenceRule {
    // A rule that is understood in part would be another rule.
    fn from_text(text: &str) -> Option<Self> {
        let (mut is_weekly, mut interval, mut days) = (false, NonZeroU32::MIN, Vec::new());
        for part in text.trim().trim_end_matches(';').split(';') {
            let (key, value) = part.split_once('=')?;
            let value = value.trim();
            match key.trim().to_ascii_uppercase().as_str() {
                "FREQ" => is_weekly = value.eq_ignore_ascii_case("WEEKLY"),
                "INTERVAL" => interval = value.parse().ok()?,
                "BYDAY" => days = Days::read(value).all()?,
                "WKST" if weekday(value) == Some(Weekday::Monday) => {}
                _ => return None,
            }
        }
        let is_understood = is_weekly && !days.is_empty();
        is_understood.then_some(Self(Recurrence { interval, days }))
    }
}

/// Weekdays of a list with commas.
#[derive(Debug, Default)]
struct Days {
    /// The known days, without repeated ones.
    days: Vec<Weekday>,
    /// The first item that is not a day.
    unexpected: Option<String>,
}

impl Days {
    fn read(text: &str) -> Self {
        let mut days = Self::default();
        for item in text.split(',').filter(|item| !item.trim().is_empty()) {
            match weekday(item) {
                Some(day) if days.days.contains(&day) => {}
                Some(day) => days.days.push(day),
                None => _ = days.unexpected.get_or_insert_with(|| item.to_owned()),
            }
        }
        days
    }

    /// The days, if there is nothing else.
    fn all(self) -> Option<Vec<Weekday>> {
        self.unexpected.is_none().then_some(self.days)
    }
}

/// The day that `text` names in full or by its first letters, in any letter case.
fn weekday(text: &str) -> Option<Weekday> {
    const DAYS: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let text = text.trim().to_ascii_lowercase();
    // Two letters are enough to tell the days apart.
    let is_named = |name: &str| text.len() >= 2 && name.starts_with(&text);
    let (_, day) = DAYS.iter().find(|(name, _)| is_named(name))?;
    Some(*day)
}
