//! Counters of calls, and the last calls, for tests.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ack_client::names::ClusterId;
use jiff::Timestamp;

use crate::action::Action;

/// Number of misleading responses that are kept.
const MISLEADING_KEPT: usize = 10_000;

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedCall {
    /// The requested action.
    pub action: Action,
    /// The ID of a cluster, region, task or role in the path; empty where there is none.
    pub subject: String,
    /// The time of the call on the world's clock.
    pub at: Timestamp,
    /// The key that signed the call; `None` without a valid signature.
    pub access_key_id: Option<String>,
    /// The nonce, if there was one.
    pub nonce: Option<String>,
    /// The status of the response, even of one that is never delivered.
    pub status: u16,
}

/// Counters, and the last calls.
#[derive(Debug)]
pub(crate) struct CallLog {
    counts: Vec<AtomicU64>,
    in_flight: AtomicU64,
    peak: AtomicU64,
    limit: usize,
    calls: Mutex<VecDeque<LoggedCall>>,
    /// Well-formed responses with wrong values: cluster, and milliseconds since the start of the
    /// world.
    misleading: Mutex<VecDeque<(ClusterId, i64)>>,
}

/// Guard of a call in progress.
#[derive(Debug)]
pub(crate) struct InFlight<'a>(&'a CallLog);

impl CallLog {
    /// A log that keeps the last `limit` calls.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            counts: Action::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
            in_flight: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            limit,
            calls: Mutex::default(),
            misleading: Mutex::default(),
        }
    }

    pub(crate) fn begin_call(&self) -> InFlight<'_> {
        let now = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.peak.fetch_max(now, Ordering::Relaxed);
        InFlight(self)
    }

    pub(crate) fn increment(&self, action: Action) {
        self.counts[action.index()].fetch_add(1, Ordering::Relaxed);
    }

    /// Returns true if calls are kept, and not only counted.
    pub(crate) fn keeps_calls(&self) -> bool {
        self.limit > 0
    }

    pub(crate) fn record(&self, call: LoggedCall) {
        push_bounded(&mut lock(&self.calls), call, self.limit);
    }

    pub(crate) fn record_misleading(&self, cluster: ClusterId, millis: i64) {
        let mut misleading = lock(&self.misleading);
        push_bounded(&mut misleading, (cluster, millis), MISLEADING_KEPT);
    }

    /// The times of the misleading responses about each cluster.
    pub(crate) fn misleading(&self) -> HashMap<ClusterId, Vec<i64>> {
        let mut by_cluster: HashMap<_, Vec<_>> = HashMap::new();
        for (cluster, millis) in lock(&self.misleading).iter() {
            by_cluster.entry(cluster.clone()).or_default().push(*millis);
        }
        by_cluster
    }

    pub(crate) fn count(&self, action: Action) -> u64 {
        self.counts[action.index()].load(Ordering::Relaxed)
    }

    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    pub(crate) fn calls(&self) -> Vec<LoggedCall> {
        lock(&self.calls).iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        for count in &self.counts {
            count.store(0, Ordering::Relaxed);
        }
        self.peak
            .store(self.in_flight.load(Ordering::Relaxed), Ordering::Relaxed);
        lock(&self.calls).clear();
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

fn push_bounded<T>(queue: &mut VecDeque<T>, item: T, limit: usize) {
    if queue.len() >= limit {
        queue.pop_front();
    }
    queue.push_back(item);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
