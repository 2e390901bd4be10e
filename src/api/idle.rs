//! Connections that wait for their next request.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::time::Instant;

/// Longer than a usual scrape interval, so that connections live from scrape to scrape.
const TIMEOUT: Duration = Duration::from_secs(90);

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

/// Connections without a request, by server, the one used last at the end; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Idle(Arc<Mutex<HashMap<Origin, VecDeque<Resting>>>>);

#[derive(Debug)]
struct Resting {
    connection: SendRequest<Full<Bytes>>,
    since: Instant,
}

impl Idle {
    /// The connection to `origin` that was used last: the one least likely to have been closed by the server.
    pub(super) fn take(&self, origin: &Origin) -> Option<SendRequest<Full<Bytes>>> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let resting = idle.get_mut(origin)?;
        std::iter::from_fn(|| resting.pop_back()).find(Resting::is_good).map(|resting| resting.connection)
    }

    /// Keeps `connection` for the next request to `origin`, and lets those go that nobody has needed for long, to whichever
    /// server: one that a reload took away is never asked again.
    pub(super) fn put(&self, origin: Origin, connection: SendRequest<Full<Bytes>>) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.entry(origin).or_default().push_back(Resting { connection, since: Instant::now() });
        idle.retain(|_, resting| {
            while resting.front().is_some_and(|first| !first.is_good()) {
                resting.pop_front();
            }
            !resting.is_empty()
        });
    }
}

#[cfg(test)]
impl Idle {
    /// Connections that are still open.
    pub(super) fn open(&self) -> usize {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.values().flatten().filter(|resting| resting.is_good()).count()
    }
}

impl Resting {
    fn is_good(&self) -> bool {
        self.since.elapsed() < TIMEOUT && !self.connection.is_closed()
    }
}
