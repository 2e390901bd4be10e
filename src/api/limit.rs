//! The account's own limits: a token bucket and a cap on calls under way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use crate::config::RateLimit;

/// The right to send one request.
#[derive(Debug)]
pub struct Ticket(());

/// What all calls of one account share.
#[derive(Debug)]
pub struct Limiter {
    interval: Duration,
    /// How far the schedule may lag behind the clock: the burst, less the request at hand.
    slack: Duration,
    /// The schedule's zero: a slack before the limiter was made, so that it starts with a full bucket.
    born: Instant,
    /// When, after zero, the next request would be due if requests came evenly.
    next: Mutex<Duration>,
    under_way: Arc<Semaphore>,
}

impl Limiter {
    /// A full bucket that refills at `rate`, of which this instance has one `share`th, and at most `max_concurrency`
    /// calls under way.
    pub fn new(rate: RateLimit, share: u32, max_concurrency: u32) -> Self {
        // A very low rate must not overflow; a year between requests is as good as never.
        let seconds = (f64::from(share.max(1)) / rate.requests_per_second).clamp(0.0, 31_536_000.0);
        let interval = Duration::from_secs_f64(seconds);
        let burst = (rate.burst.get() / share.max(1)).max(1);
        Self {
            interval,
            slack: interval.saturating_mul(burst - 1).min(Duration::from_secs(31_536_000)),
            born: Instant::now(),
            next: Mutex::new(Duration::ZERO),
            under_way: Arc::new(Semaphore::new(max_concurrency as usize)),
        }
    }

    /// Requests a second that the bucket lets through in the long run.
    pub fn requests_per_second(&self) -> f64 {
        if self.interval.is_zero() { f64::INFINITY } else { 1.0 / self.interval.as_secs_f64() }
    }

    /// Waits for a ticket. A wait that is dropped costs none.
    pub async fn admit(&self) -> Ticket {
        match self.reserve(None) {
            Some(reservation) => reservation.redeem().await,
            None => Ticket(()),
        }
    }

    /// Waits for a ticket if there will be one before `end`; otherwise says so at once. A wait that is dropped costs none.
    pub async fn admit_before(&self, end: Instant) -> Option<Ticket> {
        Some(self.reserve(Some(end))?.redeem().await)
    }

    /// Waits until one more call may be under way; the permit's drop ends it.
    pub async fn enter(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.under_way).acquire_owned().await.expect("the semaphore is never closed")
    }

    /// When the next request may go; none is reserved if that is after `end`.
    fn reserve(&self, end: Option<Instant>) -> Option<Reservation<'_>> {
        let mut next = self.lock();
        let since_born = self.born.elapsed();
        // Never further behind than the slack: a bucket that rests does not overflow.
        let due = (*next).max(since_born);
        let wait = due.saturating_sub(since_born + self.slack);
        let at = Instant::now() + wait;
        if end.is_some_and(|end| at > end) {
            return None;
        }
        *next = due + self.interval;
        Some(Reservation { limiter: self, at, is_redeemed: false })
    }

    fn lock(&self) -> MutexGuard<'_, Duration> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A ticket that there will be. Dropped before, it makes room for another: waits that are always given up must not put the
/// next ticket off for ever.
struct Reservation<'a> {
    limiter: &'a Limiter,
    at: Instant,
    is_redeemed: bool,
}

impl Reservation<'_> {
    async fn redeem(mut self) -> Ticket {
        // A timer is a millisecond at the least, which a ticket that is there must not cost.
        if self.at > Instant::now() {
            sleep_until(self.at).await;
        }
        self.is_redeemed = true;
        Ticket(())
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if !self.is_redeemed {
            let mut next = self.limiter.lock();
            *next = next.saturating_sub(self.limiter.interval);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn limiter(requests_per_second: f64, burst: u32, share: u32) -> Limiter {
        Limiter::new(RateLimit { requests_per_second, burst: NonZeroU32::new(burst).expect("not zero") }, share, 16)
    }

    async fn admitted_within(limiter: &Limiter, window: Duration) -> usize {
        let end = Instant::now() + window;
        let mut admitted = 0;
        while limiter.admit_before(end).await.is_some() {
            admitted += 1;
        }
        admitted
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let limiter = limiter(20.0, 40, 1);
        let start = Instant::now();
        for _ in 0..40 {
            limiter.admit().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(admitted_within(&limiter, Duration::from_secs(10)).await, 200);
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_that_rested_holds_one_burst_and_no_more() {
        let limiter = limiter(10.0, 5, 1);
        admitted_within(&limiter, Duration::ZERO).await;
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(admitted_within(&limiter, Duration::ZERO).await, 5);
    }

    #[tokio::test(start_paused = true)]
    async fn shards_divide_the_rate() {
        let shard = limiter(20.0, 40, 4);
        assert_eq!(admitted_within(&shard, Duration::from_secs(60)).await, 10 + 60 * 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_ticket_that_comes_too_late_is_not_taken() {
        let limiter = limiter(1.0, 1, 1);
        assert!(limiter.admit_before(Instant::now()).await.is_some());
        assert!(limiter.admit_before(Instant::now() + Duration::from_millis(500)).await.is_none());
        assert!(limiter.admit_before(Instant::now() + Duration::from_millis(1500)).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn waits_that_are_given_up_do_not_put_the_next_ticket_off() {
        let limiter = limiter(0.1, 1, 1);
        limiter.admit().await;
        let began = Instant::now();
        let mut admitted = 0;
        while began.elapsed() < Duration::from_secs(100) {
            admitted += usize::from(tokio::time::timeout(Duration::from_secs(3), limiter.admit()).await.is_ok());
        }
        assert_eq!(admitted, 10);
    }
}
