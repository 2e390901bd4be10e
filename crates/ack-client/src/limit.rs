//! The account's own limits: a token bucket, which slows down while the API throttles, and a cap on
//! calls under way.

mod bucket;

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use self::bucket::Bucket;
use crate::names::AccountName;

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    /// Tokens a second; finite and above zero.
    pub requests_per_second: f64,
    /// Tokens that may be saved up.
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
    /// The calls within `time` that it lets one of `instances` make which divide it, with a full
    /// bucket at the start.
    pub fn calls_within(&self, time: Duration, instances: u32) -> f64 {
        let burst = (self.burst.get() / instances).max(1);
        (self.requests_per_second / f64::from(instances) * time.as_secs_f64()).floor()
            + f64::from(burst)
    }
}

/// What all calls of one account share.
#[derive(Debug)]
pub struct Limiter {
    account: AccountName,
    made: Instant,
    bucket: Mutex<Bucket>,
    /// Held by whoever is next, so that tokens are given first come, first served. A wait that is
    /// dropped takes nothing.
    turn: tokio::sync::Mutex<()>,
    under_way: Arc<Semaphore>,
}

impl Limiter {
    /// A full bucket of `account` that refills at `rate`, of which this instance has one `share`th,
    /// and at most `max_concurrency` calls under way.
    pub fn new(
        account: AccountName,
        rate: RateLimit,
        share: u32,
        max_concurrency: u32,
    ) -> Arc<Self> {
        Arc::new(Self {
            account,
            made: Instant::now(),
            bucket: Mutex::new(Bucket::new(rate, share, max_concurrency)),
            turn: tokio::sync::Mutex::new(()),
            under_way: Arc::new(Semaphore::new(max_concurrency as usize)),
        })
    }

    /// Limits of their own for the few calls of the same account that nobody waits for: five a
    /// second, ten at once.
    pub(super) fn background(&self) -> Arc<Self> {
        let rate = RateLimit {
            requests_per_second: 5.0,
            burst: NonZeroU32::MIN.saturating_add(9),
        };
        Self::new(self.account.clone(), rate, 1, rate.burst.get())
    }

    /// Waits for `count` tokens, each the right to send one request, or for as many as there can be
    /// at once. Those that are not used go back. Dropping the future costs none.
    pub async fn acquire(self: &Arc<Self>, count: u32) -> Tokens {
        let _turn = self.turn.lock().await;
        loop {
            match self.try_take(count) {
                Ok(tokens) => return tokens,
                // Once more then, since the rate may have changed.
                Err(ready) => sleep_until(ready).await,
            }
        }
    }

    /// Takes a token if there is one and nobody waits.
    pub(super) fn try_acquire(self: &Arc<Self>) -> Option<Tokens> {
        let _turn = self.turn.try_lock().ok()?;
        self.try_take(1).ok()
    }

    /// Waits until one more call may be under way; the permit's drop ends it.
    pub async fn enter(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.under_way)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed")
    }

    /// Slows the account down: the API throttled a call that was sent at `sent`.
    pub(super) fn throttled(&self, sent: Instant) {
        let mut bucket = self.lock();
        let has_slowed = bucket.throttled(
            sent.saturating_duration_since(self.made),
            self.made.elapsed(),
        );
        let rate = bucket.rate();
        drop(bucket);
        if has_slowed {
            tracing::warn!(account = %self.account, requests_per_second = rate, "the API throttles; slowing down");
        }
    }

    /// Lets the account recover: the API served a call.
    pub(super) fn succeeded(&self) {
        if self.lock().succeeded(self.made.elapsed()) {
            tracing::info!(account = %self.account, "the API no longer throttles; at the configured rate again");
        }
    }

    /// True while the API throttles call after call.
    pub(super) fn is_congested(&self) -> bool {
        self.lock().is_congested()
    }

    /// Takes `count` tokens, or as many as there can be at once; or says when they will be there.
    fn try_take(self: &Arc<Self>, count: u32) -> Result<Tokens, Instant> {
        let now = self.made.elapsed();
        let mut bucket = self.lock();
        let count = count.min(bucket.most_at_once());
        if let Some(ready) = bucket.ready_at(count, now) {
            return Err(self.made + ready);
        }
        bucket.take(count, now);
        Ok(Tokens {
            limiter: Arc::clone(self),
            left: count,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rights to send requests. Those that are left when it is dropped go back to the bucket.
#[derive(Debug)]
pub struct Tokens {
    limiter: Arc<Limiter>,
    left: u32,
}

impl Tokens {
    /// Uses one, if one is left.
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio::time::{advance, timeout, timeout_at};

    use super::*;

    fn limiter(requests_per_second: f64, burst: u32, share: u32) -> Arc<Limiter> {
        let rate = RateLimit {
            requests_per_second,
            burst: NonZeroU32::new(burst).expect("not zero"),
        };
        Limiter::new(AccountName::parse("a").expect("a name"), rate, share, 16)
    }

    /// Takes a token for good.
    async fn spend(limiter: &Arc<Limiter>) {
        assert!(limiter.acquire(1).await.spend());
    }

    async fn spent_within(limiter: &Arc<Limiter>, window: Duration) -> usize {
        let end = Instant::now() + window;
        let mut spent = 0;
        while timeout_at(end, spend(limiter)).await.is_ok() {
            spent += 1;
        }
        spent
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let limiter = limiter(20.0, 40, 1);
        let start = Instant::now();
        for _ in 0..40 {
            spend(&limiter).await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(
            spent_within(&limiter, Duration::from_millis(10_001)).await,
            200
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_that_rested_holds_one_burst_and_no_more() {
        let limiter = limiter(10.0, 5, 1);
        spent_within(&limiter, Duration::from_millis(1)).await;
        advance(Duration::from_secs(3600)).await;
        assert_eq!(spent_within(&limiter, Duration::from_millis(1)).await, 5);
    }

    #[tokio::test(start_paused = true)]
    async fn shards_divide_the_rate() {
        let shard = limiter(20.0, 40, 4);
        assert_eq!(
            spent_within(&shard, Duration::from_millis(60_001)).await,
            10 + 60 * 5
        );
    }

    #[tokio::test(start_paused = true)]
    async fn waits_that_are_given_up_neither_put_the_next_token_off_nor_bring_it_forward() {
        let slow = limiter(0.1, 1, 1);
        spend(&slow).await;
        let began = Instant::now();
        let mut spent = 0;
        while began.elapsed() < Duration::from_secs(100) {
            spent += usize::from(timeout(Duration::from_secs(3), spend(&slow)).await.is_ok());
        }
        assert_eq!(spent, 10);

        // Of twenty who wait, ten go, and ten others come.
        let limiter = limiter(10.0, 1, 1);
        spend(&limiter).await;
        let began = Instant::now();
        let waits = (0..20).map(|place| {
            let patience = Duration::from_millis(if place % 2 == 0 { 50 } else { 60_000 });
            timeout(patience, spend(&limiter))
        });
        let late = async {
            tokio::time::sleep(Duration::from_millis(60)).await;
            join_all((0..10).map(|_| spend(&limiter))).await;
        };
        let (waited, ()) = tokio::join!(join_all(waits), late);
        assert_eq!(waited.into_iter().flatten().count(), 10);
        assert_eq!(
            began.elapsed().as_millis(),
            2000,
            "twenty tokens at ten a second"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_that_were_not_used_go_back() {
        let limiter = limiter(1.0, 3, 1);
        let mut tokens = limiter.acquire(3).await;
        assert!(tokens.spend());
        drop(tokens);
        assert_eq!(spent_within(&limiter, Duration::from_millis(1)).await, 2);
        let mut more = limiter.acquire(5).await;
        assert_eq!(
            (0..9).filter(|_| more.spend()).count(),
            3,
            "no more than a burst at once"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_slows_the_account_and_call_after_call_is_congestion() {
        let limiter = limiter(20.0, 40, 1);
        assert!(!limiter.is_congested());
        limiter.throttled(Instant::now());
        assert!(!limiter.is_congested());
        assert_eq!(
            spent_within(&limiter, Duration::from_millis(1001)).await,
            8,
            "half of what may be under way"
        );
        limiter.throttled(Instant::now());
        assert!(limiter.is_congested());
        limiter.succeeded();
        assert!(!limiter.is_congested());
    }
}
