//! What has been asked of the stand-in, for tests that count.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ack_client::names::ClusterId;
use jiff::Timestamp;

use crate::action::Action;

/// How many lies are remembered.
const LIES: usize = 10_000;

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What was asked.
    pub action: Action,
    /// The cluster, region, task or role in the path; empty where there is none.
    pub subject: String,
    /// When, on the stand-in's clock.
    pub at: Timestamp,
    /// The key that signed, if the signature was good.
    pub access_key_id: Option<String>,
    /// The nonce, if there was one.
    pub nonce: Option<String>,
    /// The status of the reply, even of one that never arrives.
    pub status: u16,
}

/// Counters, and the last calls.
#[derive(Debug)]
pub(crate) struct Journal {
    counts: Vec<AtomicU64>,
    in_flight: AtomicU64,
    peak: AtomicU64,
    limit: usize,
    calls: Mutex<VecDeque<Call>>,
    /// Answers that looked good and were not so: about which cluster, and when in the world's
    /// milliseconds.
    lies: Mutex<VecDeque<(ClusterId, i64)>>,
}

/// A call that is being answered.
#[derive(Debug)]
pub(crate) struct InFlight<'a>(&'a Journal);

impl Journal {
    /// A journal that keeps the last `limit` calls.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            counts: Action::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
            in_flight: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            limit,
            calls: Mutex::default(),
            lies: Mutex::default(),
        }
    }

    pub(crate) fn enter(&self) -> InFlight<'_> {
        let now = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.peak.fetch_max(now, Ordering::Relaxed);
        InFlight(self)
    }

    pub(crate) fn count(&self, action: Action) {
        self.counts[action.index()].fetch_add(1, Ordering::Relaxed);
    }

    /// Whether calls are kept at all.
    pub(crate) fn keeps_calls(&self) -> bool {
        self.limit > 0
    }

    pub(crate) fn note(&self, call: Call) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() >= self.limit {
            calls.pop_front();
        }
        calls.push_back(call);
    }

    pub(crate) fn note_lie(&self, cluster: ClusterId, millis: i64) {
        let mut lies = self.lies.lock().unwrap_or_else(PoisonError::into_inner);
        if lies.len() >= LIES {
            lies.pop_front();
        }
        lies.push_back((cluster, millis));
    }

    /// When each cluster was lied about last.
    pub(crate) fn lies(&self) -> HashMap<ClusterId, Vec<i64>> {
        let mut found: HashMap<_, Vec<_>> = HashMap::new();
        for (cluster, millis) in self
            .lies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            found.entry(cluster.clone()).or_default().push(*millis);
        }
        found
    }

    pub(crate) fn counted(&self, action: Action) -> u64 {
        self.counts[action.index()].load(Ordering::Relaxed)
    }

    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }

    pub(crate) fn reset(&self) {
        self.counts
            .iter()
            .for_each(|count| count.store(0, Ordering::Relaxed));
        self.peak
            .store(self.in_flight.load(Ordering::Relaxed), Ordering::Relaxed);
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
