//! Requests a second and at once: `rate_limit` of the web configuration file, and
//! `--web.max-requests`.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// One token each `interval`, of which `burst` can be saved up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The time in which a token comes back; not zero.
    pub interval: Duration,
    /// The most that may come at once.
    pub burst: NonZeroU32,
}

impl RateLimit {
    /// Takes a token from the bucket that is full again at `full`: the instant at which it will be
    /// full then, or, if it is empty, how long until it holds a token.
    pub(crate) fn take(self, full: Instant, now: Instant) -> Result<Instant, Duration> {
        let saved = self.interval.saturating_mul(self.burst.get() - 1);
        let full = full.max(now);
        match full.duration_since(now).saturating_sub(saved) {
            Duration::ZERO => Ok(full.checked_add(self.interval).unwrap_or(full)),
            wait => Err(wait),
        }
    }
}

/// A token bucket that all clients share.
#[derive(Debug)]
pub struct Bucket {
    limit: RateLimit,
    full: Mutex<Instant>,
}

impl Bucket {
    /// A full bucket.
    pub fn new(limit: RateLimit) -> Self {
        Self {
            limit,
            full: Mutex::new(Instant::now()),
        }
    }

    /// The limit that it was made for.
    pub fn limit(&self) -> RateLimit {
        self.limit
    }

    /// Takes a token, or says how long until there is one.
    pub fn take(&self) -> Result<(), Duration> {
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        *full = self.limit.take(*full, Instant::now())?;
        Ok(())
    }
}

/// The time for which a request keeps its permit when others want it.
const FAIR_TIME: Duration = Duration::from_secs(10);

/// The limit of requests that are handled at once.
///
/// When all permits are taken, a client that has fewer than another takes over the oldest of the one
/// that has the most. So does every client, once that one is older than [`FAIR_TIME`]: requests that
/// claim minutes keep nobody out.
#[derive(Debug, Clone)]
pub struct MaxRequests {
    limit: usize,
    taken: Arc<Mutex<Vec<TakenPermit>>>,
}

#[derive(Debug, Clone)]
struct TakenPermit {
    client: IpAddr,
    since: Instant,
    /// Cancelled when another request takes the permit over.
    taken_over: CancellationToken,
}

/// The permit of one request; free again when dropped.
#[derive(Debug)]
pub struct RequestPermit {
    requests: MaxRequests,
    permit: TakenPermit,
}

impl MaxRequests {
    /// At most `limit`; 0 is no limit, as in `--web.max-requests=0`.
    pub fn new(limit: u32) -> Self {
        let limit = match usize::try_from(limit) {
            Ok(limit @ 1..) => limit,
            _ => usize::MAX,
        };
        Self {
            limit,
            taken: Arc::default(),
        }
    }

    /// Returns a permit for `client`, unless all are taken; then the response is a 503.
    pub fn try_acquire(&self, client: IpAddr) -> Option<RequestPermit> {
        let mut taken = self.lock();
        if taken.len() >= self.limit {
            let index = replaceable(&taken, client)?;
            taken.swap_remove(index).taken_over.cancel();
        }
        let permit = TakenPermit {
            client,
            since: Instant::now(),
            taken_over: CancellationToken::new(),
        };
        taken.push(permit.clone());
        Some(RequestPermit {
            requests: self.clone(),
            permit,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<TakenPermit>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The index of the permit that `client` may take over.
fn replaceable(taken: &[TakenPermit], client: IpAddr) -> Option<usize> {
    let mut counts = HashMap::from([(client, 0_usize)]);
    for permit in taken {
        *counts.entry(permit.client).or_default() += 1;
    }
    let order =
        |(_, permit): &(usize, &TakenPermit)| (counts[&permit.client], Reverse(permit.since));
    let (index, permit) = taken.iter().enumerate().max_by_key(order)?;
    // Not if the two would only change places.
    let has_more = counts[&permit.client] > counts[&client] + 1;
    (has_more || permit.since.elapsed() >= FAIR_TIME).then_some(index)
}

impl RequestPermit {
    /// Returns the output of `work`, or None once another request has taken the permit over.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.permit.taken_over.run_until_cancelled(work).await
    }
}

impl Drop for RequestPermit {
    fn drop(&mut self) {
        let own = &self.permit.taken_over;
        // One that is taken over is no longer there.
        self.requests
            .lock()
            .retain(|taken| taken.taken_over != *own);
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::net::Ipv4Addr;

    use super::*;

    fn limit(interval: Duration, burst: u32) -> RateLimit {
        RateLimit {
            interval,
            burst: NonZeroU32::new(burst).expect("above 0"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_gives_its_burst_and_then_one_an_interval() {
        let bucket = Bucket::new(limit(Duration::from_secs(2), 3));
        for _ in 0..3 {
            assert_eq!(bucket.take(), Ok(()));
        }
        assert_eq!(bucket.take(), Err(Duration::from_secs(2)));
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(
            bucket.take(),
            Err(Duration::from_millis(1500)),
            "a rejection takes nothing"
        );
        tokio::time::advance(Duration::from_millis(1500)).await;
        assert_eq!(bucket.take(), Ok(()));
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(
            (0..10).filter(|_| bucket.take().is_ok()).count(),
            3,
            "no more than the burst is saved up"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_interval_does_not_overflow() {
        let bucket = Bucket::new(limit(Duration::MAX, u32::MAX));
        for _ in 0..100 {
            assert_eq!(bucket.take(), Ok(()));
        }
    }

    const ONE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

    #[tokio::test(start_paused = true)]
    async fn a_permit_is_free_again_once_it_is_dropped() {
        let requests = MaxRequests::new(1);
        let permit = requests.try_acquire(ONE).expect("the first");
        assert!(requests.try_acquire(ONE).is_none());
        drop(permit);
        assert!(requests.try_acquire(ONE).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_has_waited_for_long_gives_its_permit_up() {
        let requests = MaxRequests::new(2);
        let first = requests.try_acquire(ONE).expect("the first");
        tokio::time::advance(FAIR_TIME / 2).await;
        let second = requests.try_acquire(ONE).expect("the second");
        assert!(requests.try_acquire(ONE).is_none(), "for how long they ask");
        tokio::time::advance(FAIR_TIME / 2).await;
        let third = requests.try_acquire(ONE).expect("the first has waited");
        assert_eq!(first.run(pending::<()>()).await, None);
        drop(first);
        assert!(requests.try_acquire(ONE).is_none(), "its end frees nothing");
        assert_eq!(second.run(async {}).await, Some(()));
        assert_eq!(third.run(async {}).await, Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_has_all_permits_gives_some_up_for_another() {
        let requests = MaxRequests::new(4);
        let greedy = [(); 4].map(|()| requests.try_acquire(ONE).expect("there are four"));
        let permits = [(); 2].map(|()| requests.try_acquire(OTHER).expect("a fair share"));
        assert!(requests.try_acquire(OTHER).is_none(), "each has half");
        assert!(requests.try_acquire(ONE).is_none(), "each has half");
        let mut left = 0;
        for permit in greedy.iter().chain(&permits) {
            left += usize::from(permit.run(async {}).await.is_some());
        }
        assert_eq!(left, 4);
    }

    #[test]
    fn zero_is_no_limit() {
        let requests = MaxRequests::new(0);
        let permits: Vec<_> = (0..1000)
            .map(|_| requests.try_acquire(ONE).expect("no limit"))
            .collect();
        assert_eq!(permits.len(), 1000);
    }
}
