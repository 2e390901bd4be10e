//! The time of day as a parameter, so that tests can set it.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A source of the time of day, for dates in requests and responses. Durations and deadlines use
/// tokio's clock instead.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The system's clock, which may jump.
    System,
    /// A clock that starts at a given time and runs with tokio's clock, which tests can pause.
    Simulated {
        /// The time at `origin`.
        start: Timestamp,
        /// The instant at which the clock was made.
        origin: Instant,
    },
    /// A clock that runs with tokio's clock and can be set, as the system's can.
    Adjustable(&'static Dial),
}

/// The setting of a [`Clock::Adjustable`].
#[derive(Debug)]
pub struct Dial {
    start: Timestamp,
    origin: Instant,
    /// The difference in milliseconds, which may be negative.
    ahead: AtomicI64,
}

impl Dial {
    /// Sets the clock `milliseconds` ahead of its own time, or behind if negative.
    pub fn set_ahead(&self, milliseconds: i64) {
        self.ahead.store(milliseconds, Ordering::Relaxed);
    }

    fn now(&self) -> Timestamp {
        let steady = self.start.checked_add(self.origin.elapsed());
        let ahead = SignedDuration::from_millis(self.ahead.load(Ordering::Relaxed));
        steady
            .and_then(|steady| steady.checked_add(ahead))
            .unwrap_or(Timestamp::MAX)
    }
}

impl Clock {
    /// A clock that shows `start` now and runs with tokio's clock.
    pub fn simulated(start: Timestamp) -> Self {
        Self::Simulated {
            start,
            origin: Instant::now(),
        }
    }

    /// A clock that shows `start` now, and its setting, which is never freed: it is for tests.
    pub fn adjustable(start: Timestamp) -> (Self, &'static Dial) {
        let dial = &*Box::leak(Box::new(Dial {
            start,
            origin: Instant::now(),
            ahead: AtomicI64::new(0),
        }));
        (Self::Adjustable(dial), dial)
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Adjustable(dial) => dial.now(),
            Self::Simulated { start, origin } => start
                .checked_add(origin.elapsed())
                .unwrap_or(Timestamp::MAX),
        }
    }
}
