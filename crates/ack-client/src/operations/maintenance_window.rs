//! The maintenance window of a cluster, as its details describe it.

use std::borrow::Cow;
use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::recurrence::{Recurrence, RecurrenceRule, WeeklyPeriod};
use super::word;
use crate::decode::{Keyword, LenientObject as _, LenientValue, List, Report, lenient_object};
use crate::state_set::state_set;

/// The exclusions that are kept. Alibaba Cloud allows 10.
const MAX_EXCLUSIONS: usize = 64;

/// The longest window. Alibaba Cloud allows 24 hours.
const MAX_DURATION: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The times in which automatic operations may run. A part that the API did not send, or that
/// cannot be understood, is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaintenanceWindow {
    /// True if the window is in use.
    pub enabled: bool,
    /// The start of the window on each of its days.
    pub start: Option<WindowStart>,
    /// The length of the window.
    pub duration: Option<Duration>,
    /// The days of the window.
    pub recurrence: Option<Recurrence>,
    /// The times in which operations are held back, even inside the window.
    pub exclusions: Vec<Exclusion>,
}

/// The start of a window. Older models of the API have a time of day alone (`03:00:00Z`), the
/// newest one has a date too (`2026-01-15T03:00:00+08:00`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowStart {
    /// The first day. An interval of several weeks counts from its week.
    pub date: Option<Date>,
    /// The time of day.
    pub time: Time,
    /// The offset of date, time and weekdays from UTC.
    pub offset: Offset,
}

/// A time in which operations are held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exclusion {
    /// The operations that are held back.
    pub scope: ExclusionScope,
    /// The start.
    pub start: Timestamp,
    /// The end, which is later.
    pub end: Timestamp,
}

state_set! {
    /// The operations that an exclusion holds back.
    ExclusionScope {
        /// All operations.
        NoOperations = "no_operations",
        /// Upgrades of clusters and add-ons.
        NoUpgrades = "no_upgrades",
        /// Upgrades to another minor version.
        NoMinorUpgrades = "no_minor_upgrades",
        /// Fixes of vulnerabilities.
        NoCvePatch = "no_cve_patch",
        /// A value that the API's reference does not list, or a missing one.
        Unknown = "unknown",
    }
}

lenient_object! {
    pub(super) struct WindowFields at "cluster.maintenance_window." {
        enable: bool = "enable",
        maintenance_time: WindowStart = "maintenance_time",
        duration: WindowDuration = "duration",
        weekly_period: WeeklyPeriod = "weekly_period",
        recurrence: RecurrenceRule = "recurrence",
        exclusions: List<ExclusionFields> = "exclusions",
    }
}

lenient_object! {
    pub(super) struct ExclusionFields at "cluster.maintenance_window.exclusions." {
        scope: Keyword = "scope",
        start_time: Timestamp = "start_time",
        end_time: Timestamp = "end_time",
    }
}

impl WindowFields {
    /// Converts the fields. The caller has reported the unexpected ones, except those of
    /// exclusions.
    pub(super) fn into_window(self, report: &mut Report<'_>) -> MaintenanceWindow {
        let by_rule = self
            .recurrence
            .into_value()
            .map(RecurrenceRule::into_recurrence);
        let weekly = || self.weekly_period.into_value()?.into_recurrence();
        let exclusions = self.exclusions.into_items();
        MaintenanceWindow {
            enabled: self.enable.into_value().unwrap_or_default(),
            start: self.maintenance_time.into_value(),
            duration: self.duration.into_value().map(|duration| duration.0),
            // The rule is newer and says more.
            recurrence: by_rule.or_else(weekly),
            exclusions: exclusions
                .into_iter()
                .filter_map(|exclusion| exclusion.into_exclusion(report))
                .take(MAX_EXCLUSIONS)
                .collect(),
        }
    }
}

impl ExclusionFields {
    /// Converts the fields and reports the unexpected ones. Returns `None` without a start before
    /// the end.
    fn into_exclusion(self, report: &mut Report<'_>) -> Option<Exclusion> {
        self.report_unexpected_fields(report);
        let (start, end) = (self.start_time.into_value(), self.end_time.into_value());
        let (Some(start), Some(end)) = (start, end) else {
            report(
                "cluster.maintenance_window.exclusions",
                "an item without a time",
            );
            return None;
        };
        if start >= end {
            report(
                "cluster.maintenance_window.exclusions",
                "an item that ends before it starts",
            );
            return None;
        }
        Some(Exclusion {
            scope: self.scope.into_listed(
                "cluster.maintenance_window.exclusions.scope",
                [ExclusionScope::Unknown; 2],
                word::find,
                report,
            ),
            start,
            end,
        })
    }
}

impl LenientValue for WindowStart {
    fn from_text(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_time_alone = text.as_bytes().get(2) == Some(&b':');
        // jiff reads an offset only behind a date.
        let whole = if is_time_alone {
            Cow::Owned(format!("1970-01-01T{text}"))
        } else {
            Cow::Borrowed(text)
        };
        let pieces = Pieces::parse(&*whole).ok()?;
        Some(Self {
            date: (!is_time_alone).then(|| pieces.date()),
            time: pieces.time()?,
            offset: pieces.to_numeric_offset()?,
        })
    }
}

/// The length of a window, such as `3h`.
#[derive(Debug)]
pub(super) struct WindowDuration(Duration);

impl LenientValue for WindowDuration {
    fn from_text(text: &str) -> Option<Self> {
        let duration: SignedDuration = text.trim().parse().ok()?;
        let is_possible = duration.is_positive() && duration <= MAX_DURATION;
        let duration = duration.try_into().ok().filter(|_| is_possible)?;
        Some(Self(duration))
    }
}

#[cfg(test)]
mod tests;
