//! Requests a second: `rate_limit` of the web configuration file.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

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
}
