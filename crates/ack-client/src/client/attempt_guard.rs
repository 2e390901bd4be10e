//! The report of one attempt to the metrics.

use tokio::time::Instant;

use crate::call_metrics::CallMetrics;
use crate::error::ErrorKind;
use crate::operation::Operation;

/// Reports the end of an attempt when it is dropped, since a call may be dropped before it ends.
pub(super) struct AttemptGuard<'a> {
    metrics: &'a dyn CallMetrics,
    operation: Operation,
    pub(super) started: Instant,
    /// A timeout until the attempt has ended in another way.
    pub(super) failure: Option<ErrorKind>,
}

impl<'a> AttemptGuard<'a> {
    pub(super) fn new(metrics: &'a dyn CallMetrics, operation: Operation) -> Self {
        metrics.started(operation);
        Self {
            metrics,
            operation,
            started: Instant::now(),
            failure: Some(ErrorKind::Timeout),
        }
    }
}

impl Drop for AttemptGuard<'_> {
    fn drop(&mut self) {
        self.metrics.finished(
            self.operation,
            self.started.elapsed(),
            self.failure.map(ErrorKind::reason),
        );
    }
}
