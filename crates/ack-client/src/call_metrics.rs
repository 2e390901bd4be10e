//! The receiver of events about calls, for metrics.

use std::fmt::Debug;
use std::time::Duration;

use crate::error::Reason;
use crate::operation::Operation;

/// Receives the events of one account's calls. Many tasks call it at once, and it must not block.
pub trait CallMetrics: Debug + Send + Sync {
    /// Notes that a request is sent.
    fn started(&self, operation: Operation);

    /// Notes that a request ended after `elapsed`, with `failure` unless it succeeded. Every
    /// request that was started ends, also when its call is dropped.
    fn finished(&self, operation: Operation, elapsed: Duration, failure: Option<Reason>);

    /// Notes that the next request is a retry.
    fn retried(&self, operation: Operation);

    /// Notes that `field` of a response had a value of another type, or one that the API's
    /// reference does not list. [`fields`](crate::fields) lists all names of fields.
    fn unknown_value(&self, field: &'static str, value: &str);
}

/// Ignores all events.
#[derive(Debug, Clone, Copy)]
pub struct NoopMetrics;

impl CallMetrics for NoopMetrics {
    fn started(&self, _: Operation) {}
    fn finished(&self, _: Operation, _: Duration, _: Option<Reason>) {}
    fn retried(&self, _: Operation) {}
    fn unknown_value(&self, _: &'static str, _: &str) {}
}
