//! Connections that wait for their next request.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::time::Instant;

/// Longer than a usual scrape interval, so that connections live from scrape to scrape.
const TIMEOUT: Duration = Duration::from_secs(90);

/// How long a connection is used again. A name may have moved to other servers while the old one
/// goes on answering.
const MAX_AGE: Duration = Duration::from_secs(300);

/// The server at the other end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
}

impl Origin {
    /// Its root.
    pub(super) fn uri(&self) -> Uri {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::from_static("/"));
        Uri::from_parts(parts).expect("scheme, authority and path make a URI")
    }
}

/// Counts reloads, after which names are looked up again: connections of an earlier generation are
/// not used again. Clones share the count.
#[derive(Debug, Clone, Default)]
pub(super) struct Generation(Arc<AtomicU64>);

impl Generation {
    /// Begins another.
    pub(super) fn advance(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn number(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Connections without a request, by server, the one used last at the end; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Idle {
    connections: Arc<Mutex<HashMap<Origin, VecDeque<Kept>>>>,
    generation: Generation,
}

/// A connection that serves one request after another.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) connection: SendRequest<Full<Bytes>>,
    opened: Instant,
    generation: u64,
    /// The end of its last exchange.
    since: Instant,
}

impl Idle {
    pub(super) fn new(generation: Generation) -> Self {
        Self {
            connections: Arc::default(),
            generation,
        }
    }

    /// A connection that has just been opened.
    pub(super) fn opened(&self, connection: SendRequest<Full<Bytes>>) -> Kept {
        let now = Instant::now();
        Kept {
            connection,
            opened: now,
            generation: self.generation.number(),
            since: now,
        }
    }

    /// The connection to `origin` that was used last: the one least likely to have been closed by
    /// the server.
    pub(super) fn take(&self, origin: &Origin) -> Option<Kept> {
        let mut connections = self.lock();
        let kept = connections.get_mut(origin)?;
        std::iter::from_fn(|| kept.pop_back()).find(|kept| self.is_good(kept))
    }

    /// Keeps a connection for the next request to `origin`, and lets those go that nobody has
    /// needed for long, to whichever server: one that a reload took away is never asked again.
    pub(super) fn put(&self, origin: Origin, kept: Kept) {
        let mut connections = self.lock();
        connections.entry(origin).or_default().push_back(Kept {
            since: Instant::now(),
            ..kept
        });
        connections.retain(|_, kept| {
            while kept.front().is_some_and(|first| !self.is_good(first)) {
                kept.pop_front();
            }
            !kept.is_empty()
        });
    }

    /// The suspicion that a kept connection to `origin`, which is about to be used, is dead.
    pub(super) fn suspicion<'a>(&'a self, origin: &'a Origin) -> Suspicion<'a> {
        Suspicion {
            idle: self,
            origin,
            began: Instant::now(),
            is_lifted: false,
        }
    }

    fn is_good(&self, kept: &Kept) -> bool {
        kept.since.elapsed() < TIMEOUT
            && kept.opened.elapsed() < MAX_AGE
            && kept.generation == self.generation.number()
            && !kept.connection.is_closed()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Origin, VecDeque<Kept>>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Unless it is lifted, lets the idle connections to the same server go that have not been used
/// since: whatever killed one, a restart or a NAT that forgot, has killed them, too. A call that is
/// dropped in the middle is suspect as well.
pub(super) struct Suspicion<'a> {
    idle: &'a Idle,
    origin: &'a Origin,
    began: Instant,
    is_lifted: bool,
}

impl Suspicion<'_> {
    /// The connection has answered.
    pub(super) fn lift(mut self) {
        self.is_lifted = true;
    }
}

impl Drop for Suspicion<'_> {
    fn drop(&mut self) {
        if !self.is_lifted
            && let Some(kept) = self.idle.lock().get_mut(self.origin)
        {
            kept.retain(|kept| kept.since > self.began);
        }
    }
}

#[cfg(test)]
impl Idle {
    /// Connections that are still open.
    pub(super) fn open(&self) -> usize {
        self.lock()
            .values()
            .flatten()
            .filter(|kept| self.is_good(kept))
            .count()
    }
}
