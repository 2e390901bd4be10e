//! The limits of one account: a token bucket, which slows down while the API throttles, and a
//! maximum of concurrent calls.

mod bucket;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};

use self::bucket::Bucket;
use crate::names::AccountName;

/// The settings of a token bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    /// Tokens per second; finite and above zero.
    pub requests_per_second: f64,
    /// Tokens that the bucket holds.
    pub burst: NonZeroU32,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            requests_per_second: 20.0,
            burst: NonZeroU32::new(40).expect("40 is not zero"),
        }
    }
}

impl RateLimit {
    /// The number of calls that one of `instances`, which divide the limit, can make within `time`
    /// from a full bucket.
    pub fn calls_within(&self, time: Duration, instances: u32) -> f64 {
        let burst = (self.burst.get() / instances).max(1);
        (self.requests_per_second / f64::from(instances) * time.as_secs_f64()).floor()
            + f64::from(burst)
    }
}

/// The limits that all calls of one account share.
#[derive(Debug)]
pub struct Limiter {
    shared: Arc<SharedBucket>,
    priority: Priority,
    concurrency: Arc<Semaphore>,
}

/// The bucket, and the order of those who wait for it.
#[derive(Debug)]
struct SharedBucket {
    account: AccountName,
    created: Instant,
    bucket: Mutex<Bucket>,
    /// Held by the caller that is next, so that tokens are given in the order of the requests. A
    /// wait that is dropped takes no token.
    queue: tokio::sync::Mutex<()>,
}

/// The tokens that calls may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Priority {
    /// Any.
    First,
    /// Tokens that nobody waits for, as long as half a burst is left, and after a long wait any.
    Spare,
}

/// The time after which calls that take spare tokens look for them again.
const SPARE_PAUSE: Duration = Duration::from_millis(250);

/// Calls that can wait join the others once the bucket has given out this many tokens for each one
/// that they want. Two of them wait at once, so they take a fifteenth of all tokens at most.
const SPARE_WAIT_TOKENS: u32 = 30;

/// Calls with spare tokens that run at once.
const SPARE_CONCURRENCY: usize = 2;

impl Limiter {
    /// Limits of `account` with a full bucket. The bucket refills at `rate` divided by `share`, the
    /// number of instances that share it. At most `max_concurrency` calls run at once.
    pub fn new(
        account: AccountName,
        rate: RateLimit,
        share: u32,
        max_concurrency: u32,
    ) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::new(SharedBucket {
                account,
                created: Instant::now(),
                bucket: Mutex::new(Bucket::new(rate, share, max_concurrency)),
                queue: tokio::sync::Mutex::new(()),
            }),
            priority: Priority::First,
            concurrency: Arc::new(Semaphore::new(max_concurrency as usize)),
        })
    }

    /// The same bucket for calls that can wait: they take tokens while nobody else waits and half a
    /// burst is left, or after a long wait, and two of them run at once, beside all others.
    pub(super) fn spare(&self) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::clone(&self.shared),
            priority: Priority::Spare,
            concurrency: Arc::new(Semaphore::new(SPARE_CONCURRENCY)),
        })
    }

    /// Separate limits of the same account for background calls: five a second, ten at once.
    pub(super) fn background(&self) -> Arc<Self> {
        let rate = RateLimit {
            requests_per_second: 5.0,
            burst: NonZeroU32::MIN.saturating_add(9),
        };
        Self::new(self.shared.account.clone(), rate, 1, rate.burst.get())
    }

    /// Waits for `count` tokens, or for as many as the bucket can hold now. Each token allows one
    /// request. Dropping the future takes no token.
    pub async fn acquire(self: &Arc<Self>, count: u32) -> Tokens {
        if self.priority == Priority::Spare
            && let Some(tokens) = self.acquire_spare(count).await
        {
            return tokens;
        }
        let _place = self.shared.queue.lock().await;
        loop {
            match self.take_first(count) {
                Ok(tokens) => return tokens,
                // Tried again then, since the rate may have changed.
                Err(ready) => sleep_until(ready).await,
            }
        }
    }

    /// Waits for `count` tokens that nobody else needs; None after a long wait without any.
    async fn acquire_spare(self: &Arc<Self>, count: u32) -> Option<Tokens> {
        let start = Instant::now();
        loop {
            if let Some(tokens) = self.take_spare(count) {
                return Some(tokens);
            }
            if start.elapsed()
                >= self
                    .lock()
                    .time_for(count.saturating_mul(SPARE_WAIT_TOKENS))
            {
                return None;
            }
            sleep(SPARE_PAUSE).await;
        }
    }

    /// Takes a token if there is one and no caller waits.
    pub(super) fn try_acquire(self: &Arc<Self>) -> Option<Tokens> {
        if self.priority == Priority::Spare {
            return self.take_spare(1);
        }
        let _place = self.shared.queue.try_lock().ok()?;
        self.take_first(1).ok()
    }

    /// Waits until one more call may run. The call has ended when the permit is dropped.
    pub async fn enter(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.concurrency)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed")
    }

    /// Lowers the rate, after the API has throttled a call that was sent at `sent`.
    pub(super) fn throttled(&self, sent: Instant) {
        let mut bucket = self.lock();
        let has_slowed = bucket.throttled(
            sent.saturating_duration_since(self.shared.created),
            self.shared.created.elapsed(),
        );
        let rate = bucket.rate();
        drop(bucket);
        if has_slowed {
            tracing::warn!(
                account = %self.shared.account,
                requests_per_second = rate,
                "the API throttles; slowing down"
            );
        }
    }

    /// Raises the rate towards the configured one, after the API has served a call.
    pub(super) fn succeeded(&self) {
        if self.lock().succeeded(self.shared.created.elapsed()) {
            tracing::info!(
                account = %self.shared.account,
                "the API no longer throttles; at the configured rate again"
            );
        }
    }

    /// Returns true while the API throttles one call after another.
    pub(super) fn is_congested(&self) -> bool {
        self.lock().is_congested()
    }

    /// Takes `count` tokens, or as many as the bucket can hold now. The error is the time at which
    /// they will be there.
    fn take_first(self: &Arc<Self>, count: u32) -> Result<Tokens, Instant> {
        let now = self.shared.created.elapsed();
        let mut bucket = self.lock();
        let count = count.min(bucket.most_at_once());
        if let Some(ready) = bucket.ready_at(count, now) {
            return Err(self.shared.created + ready);
        }
        bucket.take(count, now);
        Ok(self.tokens(count))
    }

    /// Takes `count` tokens, or as many as the bucket can hold now, if nobody else needs them.
    fn take_spare(self: &Arc<Self>, count: u32) -> Option<Tokens> {
        let _place = self.shared.queue.try_lock().ok()?;
        let now = self.shared.created.elapsed();
        let mut bucket = self.lock();
        let count = count.min(bucket.most_at_once());
        bucket.has_spare(count, now).then(|| {
            bucket.take(count, now);
            self.tokens(count)
        })
    }

    fn tokens(self: &Arc<Self>, left: u32) -> Tokens {
        Tokens {
            limiter: Arc::clone(self),
            left,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        let bucket = &self.shared.bucket;
        bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tokens taken from a [`Limiter`]. The unused ones go back to the bucket when this is dropped.
#[derive(Debug)]
pub struct Tokens {
    limiter: Arc<Limiter>,
    left: u32,
}

impl Tokens {
    /// Uses one token. Returns false if none is left.
    pub(super) fn spend(&mut self) -> bool {
        let is_left = self.left > 0;
        self.left -= u32::from(is_left);
        is_left
    }
}

impl Drop for Tokens {
    fn drop(&mut self) {
        if self.left > 0 {
            self.limiter.lock().put_back(self.left);
        }
    }
}
