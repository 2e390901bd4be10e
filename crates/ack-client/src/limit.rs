//! The limits of one account: a token bucket, which slows down while the API throttles, and a
//! maximum of concurrent calls.

mod bucket;

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
    shared: Arc<Shared>,
    priority: Priority,
    concurrency: Arc<Semaphore>,
}

/// The bucket, and the order of those who wait for it.
#[derive(Debug)]
struct Shared {
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
    /// Those that nobody waits for, as long as half a burst is left, and after a long wait any.
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
            shared: Arc::new(Shared {
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
            tracing::warn!(account = %self.shared.account, requests_per_second = rate, "the API throttles; slowing down");
        }
    }

    /// Raises the rate towards the configured one, after the API has served a call.
    pub(super) fn succeeded(&self) {
        if self.lock().succeeded(self.shared.created.elapsed()) {
            tracing::info!(account = %self.shared.account, "the API no longer throttles; at the configured rate again");
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

    /// Takes a token and uses it.
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

    #[test]
    fn an_instance_can_make_its_part_of_a_burst_and_of_what_the_rate_gives() {
        let rate = RateLimit {
            requests_per_second: 20.0,
            burst: NonZeroU32::new(40).expect("not zero"),
        };
        for (millis, instances, expected) in [
            (0, 1, 40.0),
            (10_000, 1, 240.0),
            (10_000, 4, 60.0),
            (10_070, 3, 80.0),
            (1_000, 80, 1.0),
        ] {
            let calls = rate.calls_within(Duration::from_millis(millis), instances);
            assert!((calls - expected).abs() < 1e-9, "{calls}, not {expected}");
        }
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
            let limit = Duration::from_millis(if place % 2 == 0 { 50 } else { 60_000 });
            timeout(limit, spend(&limiter))
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
    async fn calls_that_can_wait_leave_half_a_burst_and_their_turn_to_others() {
        let limiter = limiter(10.0, 10, 1);
        let spare = limiter.spare();
        let spare_tokens =
            async |count| timeout(Duration::from_millis(1), spare.acquire(count)).await;
        let _half = spare_tokens(5).await.expect("half a burst");
        assert!(spare.try_acquire().is_none() && limiter.try_acquire().is_some());

        let limiter = self::limiter(10.0, 10, 1);
        let spare = limiter.spare();
        for _ in 0..8 {
            spend(&limiter).await;
        }
        let start = Instant::now();
        assert!(spare.acquire(1).await.spend());
        let waited = start.elapsed().as_millis();
        assert!((400..=750).contains(&waited), "four tokens later: {waited}");

        // While somebody waits, nothing is spare.
        let _all = limiter.acquire(6).await;
        let both = tokio::join!(
            limiter.acquire(10),
            timeout(Duration::from_secs(1), spare.acquire(1))
        );
        assert!(both.1.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_can_wait_have_half_of_a_lowered_rate_while_nobody_else_calls() {
        let limiter = limiter(20.0, 40, 1);
        limiter.throttled(Instant::now());
        let spare = limiter.spare();
        let minute = Duration::from_secs(60);
        let spent = spent_within(&spare, minute).await;
        assert!((180..=240).contains(&spent), "{spent} of 480");
        limiter.throttled(Instant::now());
        let spent = spent_within(&spare, minute).await;
        assert!((4..=8).contains(&spent), "{spent} of 240 in congestion");
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_can_wait_have_a_small_share_though_others_wait_all_the_time() {
        let limiter = limiter(10.0, 10, 1);
        let spare = limiter.spare();
        let minutes = Duration::from_secs(600);
        let others = join_all((0..8).map(|_| spent_within(&limiter, minutes)));
        let spares = join_all((0..2).map(|_| spent_within(&spare, minutes)));
        let (others, spares) = tokio::join!(others, spares);
        let [others, spares]: [usize; 2] = [others, spares].map(|spent| spent.iter().sum());
        assert_eq!(others + spares, 6010, "no token is lost");
        assert!((300..=400).contains(&spares), "{spares}");
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
