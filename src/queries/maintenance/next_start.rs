//! The next start of a maintenance window, as a pure function of the window and the time.

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use ack_client::{Exclusion, ExclusionScope, MaintenanceWindow, Recurrence, WindowStart};
use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Timestamp};

/// The first start of `window` after `now` that is in no exclusion of upgrades. Returns `None` if a
/// part of the window is missing, or if an interval of several weeks has no first day.
///
/// A window that opens in an exclusion is left out as a whole, although some of it may be later
/// than the exclusion.
pub(super) fn next_start(window: &MaintenanceWindow, now: Timestamp) -> Option<Timestamp> {
    let starts = Starts {
        first: window.start?,
        recurrence: window.recurrence.as_ref()?,
    };
    let mut from = now.checked_add(SignedDuration::from_nanos(1)).ok()?;
    loop {
        let start = starts.first_from(from)?;
        // Each round leaves one exclusion behind.
        match end_of_exclusion(&window.exclusions, start) {
            Some(end) => from = end,
            None => return Some(start),
        }
    }
}

/// The end of the exclusions that hold upgrades back at `time`.
fn end_of_exclusion(exclusions: &[Exclusion], time: Timestamp) -> Option<Timestamp> {
    let excluding = exclusions.iter().filter(|exclusion| {
        holds_upgrades_back(exclusion.scope) && exclusion.start <= time && time < exclusion.end
    });
    excluding.map(|exclusion| exclusion.end).max()
}

/// Returns true if no cluster is upgraded automatically in an exclusion of this scope. An unlisted
/// one is taken to be for all operations.
fn holds_upgrades_back(scope: ExclusionScope) -> bool {
    match scope {
        ExclusionScope::NoOperations | ExclusionScope::NoUpgrades | ExclusionScope::Unknown => true,
        // Patch versions still go in.
        ExclusionScope::NoMinorUpgrades | ExclusionScope::NoCvePatch => false,
    }
}

/// The starts of a window, without regard to exclusions. Days and weeks are those of the window's
/// own offset.
struct Starts<'a> {
    first: WindowStart,
    recurrence: &'a Recurrence,
}

impl Starts<'_> {
    /// The first start at `from` or later.
    fn first_from(&self, from: Timestamp) -> Option<Timestamp> {
        let today = self.first.offset.to_datetime(from).date();
        let first_day = today.max(self.first.date.unwrap_or(today));
        let week = self.week_from(monday_of(first_day)?)?;
        // The starts of one week may all be over.
        let next_week = add_days(week, 7 * self.interval());
        let days = [Some(week), next_week]
            .into_iter()
            .flatten()
            .flat_map(|week| self.days_of(week));
        days.filter(|day| *day >= first_day)
            .map_while(|day| self.start_on(day))
            .find(|start| *start >= from)
    }

    /// The first week with starts, from the one of `monday` on.
    fn week_from(&self, monday: Date) -> Option<Date> {
        if self.interval() == 1 {
            return Some(monday);
        }
        let first_week = monday_of(self.first.date?)?;
        let weeks = first_week.duration_until(monday).as_hours() / (24 * 7);
        let missing = (-weeks).rem_euclid(self.interval());
        add_days(monday, 7 * missing)
    }

    /// The days with starts in the week of `monday`, in order.
    fn days_of(&self, monday: Date) -> Vec<Date> {
        let days = self.recurrence.days.iter();
        let mut days: Vec<_> = days
            .filter_map(|day| add_days(monday, days_since_monday(*day)))
            .collect();
        days.sort_unstable();
        days
    }

    fn start_on(&self, day: Date) -> Option<Timestamp> {
        let start = day.to_datetime(self.first.time);
        self.first.offset.to_timestamp(start).ok()
    }

    /// The number of weeks from one with starts to the next.
    fn interval(&self) -> i64 {
        i64::from(self.recurrence.interval.get())
    }
}

fn monday_of(day: Date) -> Option<Date> {
    add_days(day, -days_since_monday(day.weekday()))
}

fn days_since_monday(day: Weekday) -> i64 {
    i64::from(day.to_monday_zero_offset())
}

/// The date `days` later. Returns `None` if the calendar ends before.
fn add_days(date: Date, days: i64) -> Option<Date> {
    date.checked_add(SignedDuration::from_hours(24 * days)).ok()
}
