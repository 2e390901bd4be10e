//! The time of day, as a parameter.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Tells the time of day. Durations and deadlines are tokio's; this is for dates that others read.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The system's clock, steps and all.
    System,
    /// Starts at a given time and runs with tokio's clock, which tests pause.
    Simulated {
        /// The time at `origin`.
        start: Timestamp,
        /// When the clock was made.
        origin: Instant,
    },
    /// Runs with tokio's clock, and can be set, as the system's can.
    Adjustable(&'static Dial),
}

/// What sets a [`Clock::Adjustable`].
#[derive(Debug)]
pub struct Dial {
    start: Timestamp,
    origin: Instant,
    /// In milliseconds; may be negative.
    ahead: AtomicI64,
}

impl Dial {
    /// Sets the clock so many milliseconds ahead of where it would be by itself, or behind.
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
    /// A clock that says `start` now and runs with tokio's from here on.
    pub fn simulated(start: Timestamp) -> Self {
        Self::Simulated {
            start,
            origin: Instant::now(),
        }
    }

    /// A clock that says `start` now, and what sets it. The dial is never freed: it is for tests.
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
