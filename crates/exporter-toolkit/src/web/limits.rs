//! How often and how many at once: the file's `rate_limit` and the concurrency of
//! `--web.max-requests`.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

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

    /// How it fills.
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

/// The most requests that are worked on at once.
#[derive(Debug, Clone)]
pub struct MaxRequests(Option<Arc<Semaphore>>);

/// A place among the requests that are worked on; free again when dropped, so hold it until the
/// answer is sent.
#[derive(Debug)]
pub struct Place {
    _permit: Option<OwnedSemaphorePermit>,
}

impl MaxRequests {
    /// At most `limit`; 0 is no limit, as in `--web.max-requests=0`.
    pub fn new(limit: u32) -> Self {
        let places = usize::try_from(limit)
            .unwrap_or(usize::MAX)
            .min(Semaphore::MAX_PERMITS);
        Self((limit > 0).then(|| Arc::new(Semaphore::new(places))))
    }

    /// A place, unless all are taken; then the answer is 503.
    pub fn enter(&self) -> Option<Place> {
        match &self.0 {
            None => Some(Place { _permit: None }),
            Some(places) => places.clone().try_acquire_owned().ok().map(|permit| Place {
                _permit: Some(permit),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
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
            "a refusal takes nothing"
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

    #[test]
    fn a_place_is_free_again_once_it_is_left() {
        let requests = MaxRequests::new(1);
        let place = requests.enter().expect("the first");
        assert!(requests.enter().is_none());
        drop(place);
        assert!(requests.enter().is_some());
    }

    #[test]
    fn zero_is_no_limit() {
        let requests = MaxRequests::new(0);
        let places: Vec<_> = (0..1000)
            .map(|_| requests.enter().expect("no limit"))
            .collect();
        assert_eq!(places.len(), 1000);
    }
}
