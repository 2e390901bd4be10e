//! The time of the stand-in: begins where it is told and goes on with tokio's clock, so that tests
//! can hold it.

use std::time::Duration;

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A clock that can be read as time of day or as milliseconds since the world began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Timestamp,
    origin: Instant,
}

impl Clock {
    /// A clock that shows `start` now.
    pub(crate) fn starting_at(start: Timestamp) -> Self {
        Self {
            start,
            origin: Instant::now(),
        }
    }

    /// How long the world has existed.
    pub(crate) fn elapsed(&self) -> Duration {
        self.origin.elapsed()
    }

    /// The same in the world's own unit.
    pub(crate) fn millis(&self) -> i64 {
        to_millis(self.elapsed())
    }

    /// The time of day.
    pub(crate) fn now(&self) -> Timestamp {
        self.at(self.millis())
    }

    /// The moment of the world at a time of day; those before its start are negative.
    pub(crate) fn millis_at(&self, time: Timestamp) -> i64 {
        i64::try_from(self.start.duration_until(time).as_millis()).unwrap_or(i64::MAX)
    }

    /// The time of day at a moment of the world; moments before its start are negative.
    pub(crate) fn at(&self, millis: i64) -> Timestamp {
        self.start
            .checked_add(SignedDuration::from_millis(millis))
            .unwrap_or(self.start)
    }
}

/// Milliseconds, as far as they go.
pub(crate) fn to_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// `2026-11-23T16:00:00+08:00`, as the Container Service writes times.
pub(crate) fn beijing(time: Timestamp) -> String {
    format!(
        "{}+08:00",
        Offset::constant(8)
            .to_datetime(time)
            .strftime("%Y-%m-%dT%H:%M:%S")
    )
}

/// `2026-11-23 16:00:00`, as it writes the times of a task's stages.
pub(crate) fn beijing_without_zone(time: Timestamp) -> String {
    Offset::constant(8)
        .to_datetime(time)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// `2026-11-23T08:00:00Z`, as STS and the metadata service write times.
pub(crate) fn utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `Mon, 23 Nov 2026 08:00:00 GMT`, as HTTP writes times.
pub(crate) fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
