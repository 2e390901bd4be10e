//! The addresses of host names.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::client::legacy::connect::dns::Name;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tower_service::Service;

/// The time limit of a caller. A working name server responds within a second, and a query with no
/// more than its share of a default scrape has time to report the failure.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

/// The lifetime of addresses that came after all callers had timed out. A resolver whose first
/// server is down may need more than [`LOOKUP_TIMEOUT`] for every single lookup.
const LATE_RESULT_LIFETIME: Duration = Duration::from_secs(10);

/// Addresses with port 0, or the reason why there are none. All callers of one lookup share it.
type LookupResult = Result<Arc<[SocketAddr]>, LookupError>;

/// The future of one lookup.
pub type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Looks up host names, each name once at a time: callers share a lookup that is in flight. Clones
/// share all lookups.
///
/// The system's lookup blocks a thread until the name server responds, which may take tens of
/// seconds. One lookup for each connection would use up the thread pool, which files and passwords
/// need too. Results are not cached, since only the system knows how long they are valid.
#[derive(Clone)]
pub struct Lookup(Arc<SharedLookups>);

struct SharedLookups {
    resolve: Box<dyn Fn(String) -> LookupFuture + Send + Sync>,
    state: Mutex<LookupState>,
}

#[derive(Debug, Default)]
struct LookupState {
    in_flight: HashMap<String, watch::Receiver<Option<LookupResult>>>,
    /// Names whose last lookup was slower than [`LOOKUP_TIMEOUT`].
    slow: HashSet<String>,
    /// Addresses that came after all callers had timed out, and the time at which they came.
    late: HashMap<String, (Instant, Arc<[SocketAddr]>)>,
}

/// The reason why a name has no address.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
struct LookupError {
    kind: io::ErrorKind,
    message: Arc<str>,
}

impl Lookup {
    /// Lookups by the system's resolver.
    pub fn system() -> Self {
        Self::from_fn(|host| {
            Box::pin(
                async move { Ok(tokio::net::lookup_host((host.as_str(), 0)).await?.collect()) },
            )
        })
    }

    /// Lookups by `resolve`.
    pub fn from_fn(resolve: impl Fn(String) -> LookupFuture + Send + Sync + 'static) -> Self {
        Self(Arc::new(SharedLookups {
            resolve: Box::new(resolve),
            state: Mutex::default(),
        }))
    }

    /// Returns the addresses of `host` with port 0, or an error of the kind `TimedOut` after two
    /// seconds. The lookup goes on after a timeout or if the future is dropped, and later callers
    /// wait for the same one.
    pub async fn addresses(&self, host: &str) -> io::Result<Arc<[SocketAddr]>> {
        if let Some(addresses) = self.late_result(host) {
            return Ok(addresses);
        }
        let mut in_flight = self.join_or_start(host);
        let Ok(finished) = timeout(LOOKUP_TIMEOUT, in_flight.wait_for(Option::is_some)).await
        else {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no name server answers for {host}"),
            ));
        };
        let result = finished.ok().and_then(|result| result.clone());
        let result = result.ok_or_else(|| io::Error::other("the lookup was given up"))?;
        result.map_err(|error| io::Error::new(error.kind, error))
    }

    /// The lookup of `host` that is in flight, or a new one.
    fn join_or_start(&self, host: &str) -> watch::Receiver<Option<LookupResult>> {
        let mut state = self.lock();
        if let Some(in_flight) = state.in_flight.get(host) {
            return in_flight.clone();
        }
        let (sender, receiver) = watch::channel(None);
        state.in_flight.insert(host.to_owned(), receiver.clone());
        let guard = InFlightGuard {
            lookup: self.clone(),
            host: host.to_owned(),
        };
        tokio::spawn(async move {
            let result = guard.lookup.resolve(&guard.host).await;
            let (lookup, host) = (guard.lookup.clone(), guard.host.clone());
            // Callers that come from now on need a new lookup.
            drop(guard);
            if sender.is_closed()
                && let Ok(addresses) = &result
            {
                lookup
                    .lock()
                    .late
                    .insert(host, (Instant::now(), Arc::clone(addresses)));
            }
            sender.send_replace(Some(result));
        });
        receiver
    }

    fn late_result(&self, host: &str) -> Option<Arc<[SocketAddr]>> {
        let mut state = self.lock();
        state
            .late
            .retain(|_, (since, _)| since.elapsed() < LATE_RESULT_LIFETIME);
        let (_, addresses) = state.late.get(host)?;
        Some(Arc::clone(addresses))
    }

    async fn resolve(&self, host: &str) -> LookupResult {
        let mut resolving = (self.0.resolve)(host.to_owned());
        let resolved = if let Ok(resolved) = timeout(LOOKUP_TIMEOUT, &mut resolving).await {
            if self.lock().slow.remove(host) {
                tracing::info!(host, "name server answers in time again");
            }
            resolved
        } else {
            if self.lock().slow.insert(host.to_owned()) {
                tracing::warn!(host, "name server is slow");
            }
            resolving.await
        };
        resolved.map(Arc::from).map_err(|error| LookupError {
            kind: error.kind(),
            message: error.to_string().into(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, LookupState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lookup").field(&*self.lock()).finish()
    }
}

/// Removes a lookup from those in flight, even if it panics or the runtime ends.
struct InFlightGuard {
    lookup: Lookup,
    host: String,
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.lookup.lock().in_flight.remove(&self.host);
    }
}

/// The interface of hyper-util's connector.
impl Service<Name> for Lookup {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let lookup = self.clone();
        Box::pin(async move { Ok(lookup.addresses(name.as_str()).await?.to_vec().into_iter()) })
    }
}

/// The interface of reqwest's client.
impl reqwest::dns::Resolve for Lookup {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let lookup = self.clone();
        Box::pin(async move {
            let addresses = lookup.addresses(name.as_str()).await?.to_vec();
            Ok(Box::new(addresses.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
