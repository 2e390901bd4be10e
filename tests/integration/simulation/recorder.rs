//! A transport that notes when each call begins and ends, and the counters of scrapes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ack_client::names::AccountName;
use ack_client::{CallMetrics, NoopMetrics, ResponseFuture, Transport};
use ack_simulator::{InProcess, Simulator};
use ack_upgrade_exporter::collect::ScrapeMetrics;
use bytes::Bytes;
use http::Request;
use tokio::time::Instant;

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    /// Path and query.
    pub target: String,
    pub started: Instant,
    /// None while it is in flight.
    pub ended: Option<Instant>,
}

/// The API of a simulator.
#[derive(Debug, Clone)]
pub struct Recorder {
    api: InProcess,
    calls: Arc<Mutex<Vec<Call>>>,
}

/// A call in flight.
struct Guard {
    calls: Arc<Mutex<Vec<Call>>>,
    place: usize,
}

impl Recorder {
    pub fn new(api: InProcess) -> Self {
        Self {
            api,
            calls: Arc::default(),
        }
    }

    pub fn simulator(&self) -> Arc<Simulator> {
        Arc::clone(&self.api.0)
    }

    /// The calls so far, in the order of their starts.
    pub fn calls(&self) -> Vec<Call> {
        let calls = self.calls.lock();
        calls.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn start(&self, target: &str) -> Guard {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(Call {
            target: target.to_owned(),
            started: Instant::now(),
            ended: None,
        });
        Guard {
            calls: Arc::clone(&self.calls),
            place: calls.len() - 1,
        }
    }
}

impl Transport for Recorder {
    fn send(&self, request: Request<Bytes>) -> ResponseFuture<'_> {
        let guard = self.start(&request.uri().to_string());
        Box::pin(async move {
            let _guard = guard;
            self.api.send(request).await
        })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls[self.place].ended = Some(Instant::now());
    }
}

/// The scrapes that had no demand of their own.
#[derive(Debug, Default)]
pub struct Shared(AtomicUsize);

impl Shared {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl ScrapeMetrics for Shared {
    fn call_metrics(&self, _: &AccountName) -> Arc<dyn CallMetrics> {
        Arc::new(NoopMetrics)
    }

    fn cached_scrape(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn coalesced_scrape(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
