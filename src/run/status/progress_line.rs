//! The progress of a long collection, on standard error.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use exporter_toolkit::log;
use tokio::time::Instant;

use crate::collect::CollectionProgress;

/// A collection of this length needs no report.
const DELAY: Duration = Duration::from_secs(1);

/// The interval between two lines where they stay.
const INTERVAL: Duration = Duration::from_secs(10);

/// A line that is replaced on a terminal and repeated elsewhere.
#[derive(Debug)]
pub(super) struct ProgressLine {
    destination: Destination,
    /// The time of the next line.
    next: Instant,
    is_shown: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Destination {
    Terminal,
    Log,
}

impl ProgressLine {
    /// The line of a collection that starts now.
    pub(super) fn new() -> Self {
        let (destination, delay) = if io::stderr().is_terminal() {
            (Destination::Terminal, DELAY)
        } else {
            (Destination::Log, INTERVAL)
        };
        Self {
            destination,
            next: Instant::now() + delay,
            is_shown: false,
        }
    }

    /// Shows `progress`, if it is time for that.
    pub(super) fn report(&mut self, progress: CollectionProgress) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        let text = format!("{} of {} queries done", progress.ended, progress.needed);
        match self.destination {
            Destination::Terminal => {
                write_over(&text);
                self.is_shown = true;
            }
            Destination::Log => {
                log::write_line(&text);
                self.next = now + INTERVAL;
            }
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if self.is_shown {
            write_over("");
        }
    }
}

/// Replaces the line at the cursor.
fn write_over(text: &str) {
    let mut stderr = io::stderr().lock();
    // Nobody misses it where standard error is closed.
    drop(write!(stderr, "\r\x1b[K{text}").and_then(|()| stderr.flush()));
}
