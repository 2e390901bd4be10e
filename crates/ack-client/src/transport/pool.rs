//! Connections that are kept open between requests.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::time::Instant;

/// The time after which an idle connection is closed. It is longer than a usual scrape interval,
/// so that connections last from scrape to scrape.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// The age after which a connection is not used again. A name may have moved to other servers
/// while the old server still responds.
const MAX_AGE: Duration = Duration::from_secs(300);

/// Scheme and authority of a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
}

impl Origin {
    /// The URI of the server's root.
    pub(super) fn uri(&self) -> Uri {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::from_static("/"));
        Uri::from_parts(parts).expect("scheme, authority and path make a URI")
    }
}

/// The pools of a network. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Pools(Arc<PoolsState>);

#[derive(Debug, Default)]
struct PoolsState {
    /// The number of refreshes. A connection that was opened before the last one is not used again,
    /// so that names are resolved anew.
    generation: AtomicU64,
    idle: Mutex<Vec<Weak<IdleConnections>>>,
}

/// Idle connections by server, the most recently used last.
#[derive(Debug, Default)]
struct IdleConnections(Mutex<HashMap<Origin, VecDeque<PooledConnection>>>);

impl IdleConnections {
    fn lock(&self) -> MutexGuard<'_, HashMap<Origin, VecDeque<PooledConnection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pools {
    /// Uses none of the present connections again.
    pub(super) fn refresh(&self) {
        self.0.generation.fetch_add(1, Ordering::Relaxed);
        self.close_idle();
    }

    /// Closes the connections that no request uses.
    pub(super) fn close_idle(&self) {
        for pool in self.lock().iter().filter_map(Weak::upgrade) {
            pool.lock().clear();
        }
    }

    fn add(&self, pool: &Arc<IdleConnections>) {
        let mut pools = self.lock();
        // Those of earlier configurations.
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(Arc::downgrade(pool));
    }

    fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<IdleConnections>>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The idle connections of a transport. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct ConnectionPool {
    idle: Arc<IdleConnections>,
    pools: Pools,
}

/// A connection that serves one request after another.
#[derive(Debug)]
pub(super) struct PooledConnection {
    pub(super) sender: SendRequest<Full<Bytes>>,
    opened: Instant,
    generation: u64,
    /// The end of the last exchange.
    last_used: Instant,
}

// === impl ConnectionPool ===

impl ConnectionPool {
    /// A pool that is one of `pools`.
    pub(super) fn new(pools: Pools) -> Self {
        let idle = Arc::default();
        pools.add(&idle);
        Self { idle, pools }
    }

    /// Wraps a connection that has just been opened. It is in use until [`Self::put`].
    pub(super) fn opened(&self, sender: SendRequest<Full<Bytes>>) -> PooledConnection {
        let now = Instant::now();
        PooledConnection {
            sender,
            opened: now,
            generation: self.pools.generation(),
            last_used: now,
        }
    }

    /// Takes the most recently used connection to `origin`, which the server is least likely to
    /// have closed.
    pub(super) fn take(&self, origin: &Origin) -> Option<PooledConnection> {
        let mut idle = self.idle.lock();
        let connections = idle.get_mut(origin)?;
        while let Some(connection) = connections.pop_back() {
            if self.is_reusable(&connection) {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps `connection` for the next request to `origin`, and closes the connections to all
    /// servers that have been idle for too long.
    pub(super) fn put(&self, origin: Origin, connection: PooledConnection) {
        let mut idle = self.idle.lock();
        idle.entry(origin).or_default().push_back(PooledConnection {
            last_used: Instant::now(),
            ..connection
        });
        // Every server, since one that a reload has removed is never asked again.
        idle.retain(|_, connections| {
            while connections
                .front()
                .is_some_and(|oldest| !self.is_reusable(oldest))
            {
                connections.pop_front();
            }
            !connections.is_empty()
        });
    }

    /// Starts the use of an idle connection to `origin`, which may turn out to be dead.
    pub(super) fn reuse_guard<'a>(&'a self, origin: &'a Origin) -> ReuseGuard<'a> {
        ReuseGuard {
            pool: self,
            origin,
            began: Instant::now(),
            has_responded: false,
        }
    }

    fn is_reusable(&self, connection: &PooledConnection) -> bool {
        connection.last_used.elapsed() < IDLE_TIMEOUT
            && connection.opened.elapsed() < MAX_AGE
            && connection.generation == self.pools.generation()
            && !connection.sender.is_closed()
    }
}

// === impl ReuseGuard ===

/// Closes the idle connections to the same server that have not been used since the guard was
/// made, unless the server has responded. A restart, or a NAT that has forgotten one connection,
/// has broken the others too. The guard also acts when its call is dropped before a response.
pub(super) struct ReuseGuard<'a> {
    pool: &'a ConnectionPool,
    origin: &'a Origin,
    began: Instant,
    has_responded: bool,
}

impl ReuseGuard<'_> {
    /// Notes that the server has responded on the connection.
    pub(super) fn responded(mut self) {
        self.has_responded = true;
    }
}

impl Drop for ReuseGuard<'_> {
    fn drop(&mut self) {
        if self.has_responded {
            return;
        }
        if let Some(connections) = self.pool.idle.lock().get_mut(self.origin) {
            connections.retain(|connection| connection.last_used > self.began);
        }
    }
}

#[cfg(test)]
impl ConnectionPool {
    /// The number of connections that can be used again.
    pub(super) fn open(&self) -> usize {
        self.idle
            .lock()
            .values()
            .flatten()
            .filter(|connection| self.is_reusable(connection))
            .count()
    }
}
