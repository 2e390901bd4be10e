//! The time of day as a parameter, so that tests can set it.

use jiff::Timestamp;
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
    /// A clock whose time a function returns.
    Function(fn() -> Timestamp),
}

impl Clock {
    /// A clock that shows `start` now and runs with tokio's clock.
    pub fn simulated(start: Timestamp) -> Self {
        Self::Simulated {
            start,
            origin: Instant::now(),
        }
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Function(now) => now(),
            Self::Simulated { start, origin } => start
                .checked_add(origin.elapsed())
                .unwrap_or(Timestamp::MAX),
        }
    }
}
