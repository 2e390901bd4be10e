//! The time of day, as a parameter.

use jiff::Timestamp;
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
}

impl Clock {
    /// A clock that says `start` now and runs with tokio's from here on.
    pub fn simulated(start: Timestamp) -> Self {
        Self::Simulated { start, origin: Instant::now() }
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Simulated { start, origin } => start.checked_add(origin.elapsed()).unwrap_or(Timestamp::MAX),
        }
    }
}
