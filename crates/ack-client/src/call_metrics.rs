//! What happens on the wire, told to whoever counts it.

use std::fmt::Debug;
use std::time::Duration;

use super::error::Reason;
use super::operation::Operation;

/// Listens to the calls of one account. Called from many tasks at once; must not block.
pub trait CallMetrics: Debug + Send + Sync {
    /// A request goes out.
    fn started(&self, operation: Operation);

    /// A request that was started has ended after `elapsed`, well or with a reason.
    fn finished(&self, operation: Operation, elapsed: Duration, failure: Option<Reason>);

    /// The request that comes next is a repetition.
    fn retried(&self, operation: Operation);

    /// The vendor used a value that its reference does not list in `field`, or one of another type.
    fn unknown_value(&self, field: &'static str, value: &str);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoopMetrics;

impl CallMetrics for NoopMetrics {
    fn started(&self, _: Operation) {}
    fn finished(&self, _: Operation, _: Duration, _: Option<Reason>) {}
    fn retried(&self, _: Operation) {}
    fn unknown_value(&self, _: &'static str, _: &str) {}
}
