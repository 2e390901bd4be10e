//! The clock of the world: starts at a given time and runs with tokio's clock, so that tests
//! can pause it.

use std::time::Duration;

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Milliseconds of a day.
pub(crate) const DAY: i64 = 24 * 3_600_000;

/// A clock that tells the time of day, and milliseconds since the start of the world.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WorldClock {
    start: Timestamp,
    origin: Instant,
}

impl WorldClock {
    /// A clock that shows `start`, in whole milliseconds, now.
    pub(crate) fn starting_at(start: Timestamp) -> Self {
        let fraction = start.subsec_nanosecond() % 1_000_000;
        let fraction = SignedDuration::from_nanos(i64::from(fraction));
        Self {
            start: start.checked_sub(fraction).unwrap_or(start),
            origin: Instant::now(),
        }
    }

    /// Time since the start of the world.
    pub(crate) fn elapsed(&self) -> Duration {
        self.origin.elapsed()
    }

    /// The same in milliseconds.
    pub(crate) fn millis(&self) -> i64 {
        to_millis(self.elapsed())
    }

    /// The time of day.
    pub(crate) fn now(&self) -> Timestamp {
        self.at(self.millis())
    }

    /// Milliseconds from the start of the world to a time of day; negative before the start.
    pub(crate) fn millis_at(&self, time: Timestamp) -> i64 {
        i64::try_from(self.start.duration_until(time).as_millis()).unwrap_or(i64::MAX)
    }

    /// Midnight, UTC, of the day that is a number of days after the start of the world.
    pub(crate) fn midnight(&self, days: i64) -> Timestamp {
        let time = self.at(days * DAY);
        let since_midnight = time.as_millisecond().rem_euclid(DAY);
        time.checked_sub(SignedDuration::from_millis(since_midnight))
            .unwrap_or(time)
    }

    /// The time of day at a number of milliseconds since the start of the world.
    pub(crate) fn at(&self, millis: i64) -> Timestamp {
        self.start
            .checked_add(SignedDuration::from_millis(millis))
            .unwrap_or(self.start)
    }
}

/// Converts to milliseconds; the largest number if there are more.
pub(crate) fn to_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// `2026-11-23T16:00:00+08:00`, the format of the Container Service.
pub(crate) fn beijing(time: Timestamp) -> String {
    format!(
        "{}+08:00",
        Offset::constant(8)
            .to_datetime(time)
            .strftime("%Y-%m-%dT%H:%M:%S")
    )
}

/// `2026-11-23T16:00:00.123000000+08:00`, the format of node pools.
pub(crate) fn beijing_nanos(time: Timestamp) -> String {
    format!(
        "{}+08:00",
        Offset::constant(8)
            .to_datetime(time)
            .strftime("%Y-%m-%dT%H:%M:%S.%9f")
    )
}

/// `2026-11-23 16:00:00`, the format of a task's stages.
pub(crate) fn beijing_without_zone(time: Timestamp) -> String {
    Offset::constant(8)
        .to_datetime(time)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// `2026-11-23T08:00:00.123000000Z`, the format of checks.
pub(crate) fn utc_nanos(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%9fZ").to_string()
}

/// `2026-11-23T08:00:00Z`, the format of STS, the metadata service and versions.
pub(crate) fn utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `Mon, 23 Nov 2026 08:00:00 GMT`, the format of HTTP headers.
pub(crate) fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
