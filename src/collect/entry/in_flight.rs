//! A query that has started and not ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ack_client::Budget;
use jiff::Timestamp;
use tokio::sync::SetOnce;
use tokio::time::Instant;

/// A query in flight.
#[derive(Debug)]
pub(in crate::collect) struct InFlight {
    /// Unique among the queries of an account.
    pub(in crate::collect) number: u64,
    pub(in crate::collect) started: Instant,
    /// Extended by each demand that waits for the query.
    pub(in crate::collect) budget: Budget,
    /// The time after which a missing response counts as a time-out.
    pub(in crate::collect) share: Duration,
    /// The newest demand that the cluster had served before.
    pub(in crate::collect) previously_served: Option<Instant>,
    /// Set if a demand waits for the query, and not only a probe.
    pub(in crate::collect) is_awaited: AtomicBool,
    /// The time of the cluster's last change when the query started, from the list.
    pub(in crate::collect) changed: Option<Timestamp>,
    /// Set when the query has ended.
    pub(in crate::collect) end: SetOnce<()>,
}

impl InFlight {
    /// True if a demand waits for the query.
    pub(in crate::collect) fn is_awaited(&self) -> bool {
        // It changes under the table's lock only.
        self.is_awaited.load(Ordering::Relaxed)
    }

    /// Notes that a demand waits for the query until `deadline`.
    pub(in crate::collect) fn await_until(&self, deadline: Instant) {
        self.budget.extend_to(deadline);
        self.is_awaited.store(true, Ordering::Relaxed);
    }

    /// True if the query has ended.
    pub(in crate::collect) fn has_ended(&self) -> bool {
        self.end.initialized()
    }

    /// Waits until the query has ended.
    pub(in crate::collect) async fn ended(&self) {
        self.end.wait().await;
    }
}

/// The cause of a query, and the reader of its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::collect) enum Trigger {
    /// A scrape, with all clusters.
    Scrape,
    /// A probe of this cluster.
    Probe,
}
