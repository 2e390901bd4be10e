//! The log of connections that cannot be accepted.

use std::io;
use std::time::Duration;

use tokio::time::Instant;

/// The time from one warning to the next. Without file descriptors, accepting fails a hundred times
/// a second.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// The failures since the last warning.
#[derive(Debug, Default)]
pub(super) struct AcceptFailures {
    count: u64,
    logged: Option<Instant>,
}

impl AcceptFailures {
    /// Counts a failure, and logs all since the last warning unless that was a moment ago.
    pub(super) fn log(&mut self, error: &io::Error) {
        self.count += 1;
        if self
            .logged
            .is_some_and(|logged| logged.elapsed() < LOG_INTERVAL)
        {
            return;
        }
        tracing::warn!(%error, failures = self.count, "cannot accept connections");
        *self = Self {
            count: 0,
            logged: Some(Instant::now()),
        };
    }
}
