//! The state of one open connection, and of its requests.

use std::collections::HashMap;
use std::net::IpAddr;

use bytes::Bytes;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::web::server::limits::Timeouts;

/// An open connection.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) client: IpAddr,
    pub(super) close: CancellationToken,
    /// The state while there is no request, and its beginning.
    pub(super) rest: (Rest, Instant),
    pub(super) requests: HashMap<u64, Request>,
}

/// The states of a connection without a request, which have different time-outs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// There was no request yet.
    New,
    Idle,
}

#[derive(Debug)]
pub(super) struct Request {
    pub(super) phase: Phase,
    /// The beginning of the phase, or the time of the last piece that the client took.
    pub(super) since: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Checking,
    /// It has a permit, and so its connection is not closed for a new one.
    Admitted,
    Sending(Body),
}

/// The memory of a body. Responses that share it have the same address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Body {
    address: usize,
    pub(super) length: usize,
}

impl Slot {
    pub(super) fn new(client: IpAddr) -> Self {
        Self {
            client,
            close: CancellationToken::new(),
            rest: (Rest::New, Instant::now()),
            requests: HashMap::new(),
        }
    }

    /// The time since which there is no progress.
    pub(super) fn since(&self) -> Instant {
        let of_requests = self.requests.values().map(|request| request.since);
        of_requests.min().unwrap_or(self.rest.1)
    }

    /// The times at which permits were taken.
    pub(super) fn permits(&self) -> impl Iterator<Item = Instant> {
        let requests = self.requests.values();
        let admitted = requests.filter(|request| request.phase == Phase::Admitted);
        admitted.map(|request| request.since)
    }

    /// The bodies that are being sent, each with the time since which nothing of it is taken.
    pub(super) fn sending(&self) -> impl Iterator<Item = (Instant, Body)> {
        let requests = self.requests.values();
        requests.filter_map(|request| match request.phase {
            Phase::Sending(body) => Some((request.since, body)),
            Phase::Checking | Phase::Admitted => None,
        })
    }

    pub(super) fn is_overdue(&self, timeouts: Timeouts) -> bool {
        let (rest, since) = self.rest;
        let limit = match rest {
            Rest::New => timeouts.head,
            Rest::Idle => timeouts.idle,
        };
        let is_resting = self.requests.is_empty() && since.elapsed() >= limit;
        is_resting
            || self
                .sending()
                .any(|(since, _)| since.elapsed() >= timeouts.send)
    }

    /// Gives all time-outs their full time.
    pub(super) fn restart(&mut self) {
        self.rest.1 = Instant::now();
        for request in self.requests.values_mut() {
            request.since = Instant::now();
        }
    }
}

impl Request {
    pub(super) fn new(phase: Phase) -> Self {
        let since = Instant::now();
        Self { phase, since }
    }
}

impl Body {
    pub(super) fn of(bytes: &Bytes) -> Self {
        Self {
            address: bytes.as_ptr().addr(),
            length: bytes.len(),
        }
    }
}
