//! Host names and their addresses, as the system tells them.

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

/// How long an answer is waited for, after which the name server counts as silent. One that is
/// there answers within a second, and a query that has no more than its share of a default scrape
/// should hear of it.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long an address is good for that came when nobody waited for it any more. Resolvers may need
/// longer than anybody waits, each time anew: two seconds and a little where the first of their
/// servers is gone.
const LATE: Duration = Duration::from_secs(10);

/// Addresses with port 0, or why there are none. Everyone who waits gets the same.
type Answer = Result<Arc<[SocketAddr]>, Unknown>;

/// A lookup under way.
pub type Finding = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Looks names up, each once at a time, however many connections want its server. The system's
/// lookup holds a thread until the name server answers, for tens of seconds if it is silent; one
/// for each connection would be all the threads there are, and pages, passwords and files need some
/// too. Nothing that somebody heard is kept: the system knows how long an answer is good. Clones
/// share.
#[derive(Clone)]
pub struct Lookup(Arc<Shared>);

struct Shared {
    find: Box<dyn Fn(String) -> Finding + Send + Sync>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The lookups under way.
    flights: HashMap<String, watch::Receiver<Option<Answer>>>,
    /// Names whose last lookup was waited for in vain.
    slow: HashSet<String>,
    /// Addresses that came too late for those who waited, and when.
    late: HashMap<String, (Instant, Arc<[SocketAddr]>)>,
}

/// Why a name has no address.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
struct Unknown {
    kind: io::ErrorKind,
    message: Arc<str>,
}

impl Lookup {
    /// Asks the system.
    pub fn system() -> Self {
        Self::by(|host| {
            Box::pin(
                async move { Ok(tokio::net::lookup_host((host.as_str(), 0)).await?.collect()) },
            )
        })
    }

    /// Asks `find`, in place of the system.
    pub fn by(find: impl Fn(String) -> Finding + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared {
            find: Box::new(find),
            state: Mutex::default(),
        }))
    }

    /// The addresses of `host`, with port 0, or an error of the kind `TimedOut` after two seconds.
    /// The system's lookup goes on meanwhile, and who asks again waits for the same one. So it does
    /// if the future is dropped.
    pub async fn addresses(&self, host: &str) -> io::Result<Arc<[SocketAddr]>> {
        if let Some(addresses) = self.late(host) {
            return Ok(addresses);
        }
        let mut flight = self.join(host);
        let Ok(landed) = timeout(PATIENCE, flight.wait_for(Option::is_some)).await else {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no name server answers for {host}"),
            ));
        };
        let answer = landed.ok().and_then(|answer| answer.clone());
        let answer = answer.ok_or_else(|| io::Error::other("the lookup was given up"))?;
        answer.map_err(|unknown| io::Error::new(unknown.kind, unknown))
    }

    /// The lookup of `host` that is under way, or a new one.
    fn join(&self, host: &str) -> watch::Receiver<Option<Answer>> {
        let mut state = self.lock();
        if let Some(flight) = state.flights.get(host) {
            return flight.clone();
        }
        let (teller, flight) = watch::channel(None);
        state.flights.insert(host.to_owned(), flight.clone());
        let landing = Landing {
            lookup: self.clone(),
            host: host.to_owned(),
        };
        tokio::spawn(async move {
            let answer = landing.lookup.find(&landing.host).await;
            let (lookup, host) = (landing.lookup.clone(), landing.host.clone());
            // Whoever asks from now on may be told otherwise.
            drop(landing);
            if let (Ok(addresses), true) = (&answer, teller.is_closed()) {
                lookup
                    .lock()
                    .late
                    .insert(host, (Instant::now(), Arc::clone(addresses)));
            }
            teller.send_replace(Some(answer));
        });
        flight
    }

    /// What came when nobody waited for it any more, a moment ago.
    fn late(&self, host: &str) -> Option<Arc<[SocketAddr]>> {
        let mut state = self.lock();
        state.late.retain(|_, (since, _)| since.elapsed() < LATE);
        state
            .late
            .get(host)
            .map(|(_, addresses)| Arc::clone(addresses))
    }

    async fn find(&self, host: &str) -> Answer {
        let mut finding = (self.0.find)(host.to_owned());
        let found = if let Ok(found) = timeout(PATIENCE, &mut finding).await {
            if self.lock().slow.remove(host) {
                tracing::info!(host, "name server answers in time again");
            }
            found
        } else {
            if self.lock().slow.insert(host.to_owned()) {
                tracing::warn!(host, "name server is slow");
            }
            finding.await
        };
        found.map(Arc::from).map_err(|error| Unknown {
            kind: error.kind(),
            message: error.to_string().into(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lookup").field(&*self.lock()).finish()
    }
}

/// Takes a lookup off the list, even if it panics or the runtime ends.
struct Landing {
    lookup: Lookup,
    host: String,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.lookup.lock().flights.remove(&self.host);
    }
}

/// As hyper's connector wants it.
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

/// As reqwest's client wants it.
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
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use tokio::time::sleep;

    use super::*;

    const ADDRESS: SocketAddr =
        SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

    /// A lookup that takes `seconds` and knows nothing of `nowhere`, and how often it was asked.
    fn taking(seconds: u64) -> (Lookup, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let lookup = Lookup::by(move |host| {
            count.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move {
                sleep(Duration::from_secs(seconds)).await;
                assert_ne!(host, "panic");
                if host == "nowhere" {
                    Err(io::Error::new(io::ErrorKind::NotFound, "no such host"))
                } else {
                    Ok(vec![ADDRESS])
                }
            })
        });
        (lookup, asked)
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_want_a_name_at_once_share_one_lookup_and_the_next_makes_another() {
        let (lookup, asked) = taking(1);
        for round in 1..=3 {
            for found in join_all((0..1000).map(|_| lookup.addresses("cs.aliyuncs.com"))).await {
                assert_eq!(*found.expect("an address"), [ADDRESS]);
            }
            assert_eq!(asked.load(Ordering::Relaxed), round);
        }
        join_all(["a", "b", "a"].map(|host| lookup.addresses(host))).await;
        assert_eq!(asked.load(Ordering::Relaxed), 5, "each name has its own");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_name_server_is_waited_for_once_by_many_who_go_and_come() {
        let (lookup, asked) = taking(60);
        let began = Instant::now();
        for _ in 0..20 {
            assert!(
                timeout(Duration::from_secs(1), lookup.addresses("cs.aliyuncs.com"))
                    .await
                    .is_err()
            );
        }
        for _ in 0..19 {
            let error = lookup
                .addresses("cs.aliyuncs.com")
                .await
                .expect_err("no address");
            assert_eq!(
                (error.kind(), error.to_string().as_str()),
                (
                    io::ErrorKind::TimedOut,
                    "no name server answers for cs.aliyuncs.com"
                )
            );
        }
        assert_eq!(lookup.lock().slow.len(), 1);
        sleep(Duration::from_secs(2)).await;
        lookup
            .addresses("cs.aliyuncs.com")
            .await
            .expect("an address, late");
        assert_eq!(
            (asked.load(Ordering::Relaxed), began.elapsed().as_secs()),
            (1, 60)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_comes_too_late_is_kept_for_whoever_asks_next() {
        let (lookup, asked) = taking(4);
        assert_eq!(
            lookup
                .addresses("cs.aliyuncs.com")
                .await
                .expect_err("too late")
                .kind(),
            io::ErrorKind::TimedOut
        );
        sleep(Duration::from_secs(5)).await;
        assert_eq!(
            *lookup
                .addresses("cs.aliyuncs.com")
                .await
                .expect("it has come"),
            [ADDRESS]
        );
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        sleep(LATE).await;
        assert!(lookup.addresses("cs.aliyuncs.com").await.is_err());
        assert_eq!(asked.load(Ordering::Relaxed), 2, "it is not good for ever");
    }

    #[tokio::test(start_paused = true)]
    async fn everyone_who_waits_is_told_of_a_failure_or_a_panic_and_nothing_is_left() {
        let (lookup, _) = taking(1);
        for found in join_all((0..3).map(|_| lookup.addresses("nowhere"))).await {
            let error = found.expect_err("no such host");
            assert_eq!(
                (error.kind(), error.to_string().as_str()),
                (io::ErrorKind::NotFound, "no such host")
            );
        }
        assert_eq!(
            lookup
                .addresses("panic")
                .await
                .expect_err("no answer")
                .to_string(),
            "the lookup was given up"
        );
        assert!(lookup.lock().flights.is_empty());
    }

    #[tokio::test]
    async fn the_system_knows_this_machine() {
        let found = Lookup::system()
            .addresses("localhost")
            .await
            .expect("an address");
        assert!(
            found
                .iter()
                .all(|address| address.ip().is_loopback() && address.port() == 0),
            "{found:?}"
        );
    }
}
