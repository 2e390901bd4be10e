//! The arithmetic of the token bucket, as pure functions of its state and the time.
//!
//! The state is the time at which the next request would be due if requests came evenly (GCRA), so
//! that no task has to refill the bucket. The rate is halved when the API throttles and rises
//! linearly while calls succeed (additive increase, multiplicative decrease, as in TCP).

use std::time::Duration;

use crate::RateLimit;

/// An upper bound of all durations, which avoids overflow.
const YEAR: Duration = Duration::from_secs(31_536_000);

/// The lowest rate that throttling leads to, in requests per second. One request in four seconds
/// is enough to find out that the API serves again.
const MIN_RATE: f64 = 0.25;

/// The time from a rate of zero to the configured one, in seconds of successful calls.
const RECOVERY_SECONDS: f64 = 20.0;

/// The most that one success counts for, so that the first one after a pause means little.
const MAX_STEP: Duration = Duration::from_secs(1);

/// A token bucket. All times are durations since its creation.
#[derive(Debug)]
pub(super) struct Bucket {
    /// The configured rate, in requests per second.
    limit: f64,
    burst: u32,
    /// The time that a request may come before it is due: a burst at the configured rate, without
    /// the request itself.
    slack: Duration,
    /// The present rate, never above `limit`.
    rate: f64,
    /// The rate falls from this at most, since no more calls run at once.
    concurrency: f64,
    /// The time at which the next request is due.
    due: Duration,
    /// The time at which the rate changed last.
    changed: Duration,
    /// The time at which the rate fell last.
    fell: Option<Duration>,
    /// The number of falls since a call succeeded.
    falls: u32,
}

impl Bucket {
    /// A full bucket with `limit` divided by `share`, for at most `concurrency` calls at once.
    pub(super) fn new(limit: RateLimit, share: u32, concurrency: u32) -> Self {
        let share = share.max(1);
        let rate = (limit.requests_per_second / f64::from(share)).max(1.0 / YEAR.as_secs_f64());
        let burst = (limit.burst.get() / share).max(1);
        let mut bucket = Self {
            limit: rate,
            burst,
            slack: Duration::ZERO,
            rate,
            concurrency: f64::from(concurrency.max(1)),
            due: Duration::ZERO,
            changed: Duration::ZERO,
            fell: None,
            falls: 0,
        };
        bucket.slack = bucket.interval().saturating_mul(burst - 1).min(YEAR);
        bucket
    }

    /// The number of tokens that can be taken at once: a burst, or one while the API throttles.
    pub(super) fn most_at_once(&self) -> u32 {
        if self.is_full_rate() { self.burst } else { 1 }
    }

    /// The time at which `tokens` can be taken, if it is later than `now`. They must be no more
    /// than [`Self::most_at_once`].
    pub(super) fn ready_at(&self, tokens: u32, now: Duration) -> Option<Duration> {
        let last_due = self.due.max(now) + self.time_for(tokens.saturating_sub(1));
        let ready = last_due.saturating_sub(self.present_slack());
        (ready > now).then_some(ready)
    }

    /// True if `tokens` can be taken and half a burst is left then, as far as the bucket is large
    /// enough. At a lowered rate, every second token that is not wanted is one to spare, and if one
    /// call after another is throttled there are none.
    pub(super) fn has_spare(&self, tokens: u32, now: Duration) -> bool {
        if !self.is_full_rate() {
            return !self.is_congested() && self.due + self.interval() <= now;
        }
        let reserve = (self.burst / 2).min(self.burst.saturating_sub(tokens));
        self.ready_at(tokens + reserve, now).is_none()
    }

    /// The time in which the present rate gives `tokens`.
    pub(super) fn time_for(&self, tokens: u32) -> Duration {
        self.interval().saturating_mul(tokens).min(YEAR)
    }

    /// Takes `tokens`, which must be ready.
    pub(super) fn take(&mut self, tokens: u32, now: Duration) {
        self.due = self.due.max(now) + self.time_for(tokens);
    }

    /// Puts unused `tokens` back.
    pub(super) fn put_back(&mut self, tokens: u32) {
        self.due = self
            .due
            .saturating_sub(self.interval().saturating_mul(tokens));
    }

    /// Notes that the API throttled a call that was sent at `sent`. Calls that ran at the same time
    /// count once. Returns true if the rate was the configured one until now.
    pub(super) fn throttled(&mut self, sent: Duration, now: Duration) -> bool {
        if self.fell.is_some_and(|fell| sent <= fell) {
            return false;
        }
        let was_full = self.is_full_rate();
        let next = self.due.saturating_sub(self.present_slack());
        self.rate = (self.rate.min(self.concurrency) / 2.0)
            .max(MIN_RATE)
            .min(self.limit);
        (self.changed, self.fell) = (now, Some(now));
        self.falls = self.falls.saturating_add(1);
        // The rest of the burst is lost.
        self.due = next.max(now + self.interval()) + self.present_slack();
        was_full && !self.is_full_rate()
    }

    /// Notes that a call succeeded. Returns true if the rate is the configured one again.
    pub(super) fn succeeded(&mut self, now: Duration) -> bool {
        self.falls = 0;
        if self.is_full_rate() {
            return false;
        }
        let step = now.saturating_sub(self.changed).min(MAX_STEP);
        self.rate =
            (self.rate + self.limit / RECOVERY_SECONDS * step.as_secs_f64()).min(self.limit);
        self.changed = now;
        let is_back = self.is_full_rate();
        if is_back {
            // The bucket is empty at first, so that no burst follows.
            self.due = self.due.max(now) + self.slack;
        }
        is_back
    }

    /// Returns true if several calls were throttled and none has succeeded since.
    pub(super) fn is_congested(&self) -> bool {
        self.falls > 1
    }

    /// The present rate, in requests per second.
    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    fn is_full_rate(&self) -> bool {
        self.rate >= self.limit
    }

    /// The slack, which is zero while the API throttles.
    fn present_slack(&self) -> Duration {
        if self.is_full_rate() {
            self.slack
        } else {
            Duration::ZERO
        }
    }

    fn interval(&self) -> Duration {
        Duration::from_secs_f64((1.0 / self.rate).min(YEAR.as_secs_f64()))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;

    fn bucket(requests_per_second: f64, burst: u32) -> Bucket {
        Bucket::new(
            RateLimit {
                requests_per_second,
                burst: NonZeroU32::new(burst).expect("not zero"),
            },
            1,
            16,
        )
    }

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Calls that go out from `from` on until `until`, each as soon as there is a token, and each
    /// answered at once by `outcome`.
    fn calls(
        bucket: &mut Bucket,
        from: Duration,
        until: Duration,
        outcome: fn(&mut Bucket, Duration),
    ) -> u32 {
        let (mut now, mut sent) = (from, 0);
        loop {
            now = bucket.ready_at(1, now).unwrap_or(now);
            if now >= until {
                return sent;
            }
            bucket.take(1, now);
            sent += 1;
            outcome(bucket, now);
        }
    }

    fn throttled(bucket: &mut Bucket, now: Duration) {
        bucket.throttled(now, now);
    }

    fn succeeded(bucket: &mut Bucket, now: Duration) {
        bucket.succeeded(now);
    }

    #[test]
    fn calls_that_are_all_throttled_become_one_in_four_seconds() {
        for limit in [0.5, 20.0, 100_000.0] {
            let mut bucket = bucket(limit, 40);
            let first = calls(&mut bucket, at(0), at(10_000), throttled);
            assert!(first <= 12, "{first} at {limit}");
            assert_eq!(
                calls(&mut bucket, at(10_000), at(110_000), throttled),
                25,
                "{limit}"
            );
            assert!(bucket.is_congested());
        }
    }

    #[test]
    fn a_limit_below_the_floor_is_never_raised() {
        let mut bucket = bucket(0.1, 1);
        assert!(!bucket.throttled(at(0), at(0)));
        assert_eq!(calls(&mut bucket, at(0), at(100_000), throttled), 9);
    }

    #[test]
    fn throttling_empties_a_bucket_whose_limit_is_below_the_floor() {
        let mut bucket = bucket(0.1, 5);
        bucket.throttled(at(100_000), at(100_000));
        assert_eq!(bucket.ready_at(1, at(100_000)), Some(at(110_000)));
    }

    #[test]
    fn calls_that_were_under_way_together_slow_the_account_down_once() {
        let mut bucket = bucket(20.0, 40);
        assert!(bucket.throttled(at(100), at(150)), "it was not slow before");
        for sent in [0, 50, 149, 150] {
            assert!(!bucket.throttled(at(sent), at(151)));
        }
        assert!((bucket.rate() - 8.0).abs() < 1e-9, "{}", bucket.rate());
        assert!(!bucket.is_congested());
        assert!(!bucket.throttled(at(151), at(200)), "it is slow already");
        assert!((bucket.rate() - 4.0).abs() < 1e-9);
        assert!(bucket.is_congested());
        bucket.succeeded(at(201));
        assert!(!bucket.is_congested());
        let rate = bucket.rate();
        assert!(
            !bucket.throttled(at(199), at(202)),
            "it was under way with the others"
        );
        assert!((bucket.rate() - rate).abs() < 1e-9);
    }

    #[test]
    fn an_account_that_is_served_again_recovers_in_steps_and_without_a_burst() {
        let mut bucket = bucket(20.0, 40);
        calls(&mut bucket, at(0), at(60_000), throttled);
        let first = calls(&mut bucket, at(60_000), at(65_000), succeeded);
        assert!((1..=5).contains(&first), "{first}");
        let halfway = calls(&mut bucket, at(65_000), at(75_000), succeeded);
        assert!((30..=150).contains(&halfway), "{halfway}");
        calls(&mut bucket, at(75_000), at(90_000), succeeded);
        assert!(bucket.is_full_rate());
        let full = calls(&mut bucket, at(90_000), at(100_000), succeeded);
        assert!((200..=240).contains(&full), "{full}");
        // Rest fills the bucket again.
        assert_eq!(calls(&mut bucket, at(200_000), at(200_001), succeeded), 40);
    }

    #[test]
    fn the_rate_rises_with_the_time_that_passes_between_successes() {
        let mut bucket = bucket(20.0, 40);
        bucket.throttled(at(0), at(0));
        for now in [100, 250, 600] {
            bucket.succeeded(at(now));
        }
        assert!((bucket.rate() - 8.6).abs() < 1e-9, "{}", bucket.rate());
    }

    #[test]
    fn an_account_at_its_configured_rate_again_has_no_burst_at_first() {
        let mut bucket = bucket(20.0, 40);
        bucket.throttled(at(0), at(0));
        let mut now = at(0);
        while !bucket.succeeded(now) {
            now += at(500);
        }
        assert_eq!(bucket.ready_at(1, now), None);
        assert_eq!(bucket.ready_at(2, now), Some(now + at(50)));
    }

    #[test]
    fn the_first_success_after_a_rest_proves_little() {
        let mut bucket = bucket(20.0, 40);
        calls(&mut bucket, at(0), at(60_000), throttled);
        assert!(!bucket.succeeded(at(600_000)));
        assert!(bucket.rate() < 1.5, "{}", bucket.rate());
    }

    /// Milliseconds between two calls: most come close together, some after a rest.
    fn pause() -> impl Strategy<Value = u64> {
        prop_oneof![3 => Just(0), 3 => 0_u64..100, 1 => 0_u64..3_000]
    }

    proptest! {
        /// No window has more than the burst and what the rate gives in it, whatever was taken, put
        /// back, throttled or served.
        #[test]
        fn no_window_lets_more_through_than_the_limit(
            rate in 0.1..200.0_f64,
            burst in 1_u32..50,
            steps in proptest::collection::vec((pause(), 1_u32..5, 0_u32..5, prop::bool::weighted(0.1)), 1..80),
        ) {
            let mut bucket = bucket(rate, burst);
            let mut now = Duration::ZERO;
            let mut used: Vec<(Duration, u32)> = Vec::new();
            for (pause, wanted, unused, is_throttled) in steps {
                now += at(pause);
                let wanted = wanted.min(bucket.most_at_once());
                now = bucket.ready_at(wanted, now).unwrap_or(now);
                bucket.take(wanted, now);
                let unused = unused.min(wanted);
                bucket.put_back(unused);
                used.push((now, wanted - unused));
                if is_throttled {
                    bucket.throttled(now, now);
                } else {
                    bucket.succeeded(now);
                }
                prop_assert!(bucket.rate() <= rate);
            }
            for (first, (from, _)) in used.iter().enumerate() {
                let mut sum = 0;
                for (to, count) in &used[first..] {
                    sum += count;
                    let window = to.saturating_sub(*from);
                    let allowed = f64::from(burst) + window.as_secs_f64() * rate;
                    prop_assert!(f64::from(sum) <= allowed + 1e-3, "{sum} in {window:?} at {rate}/s, burst {burst}");
                }
            }
        }

        /// Whatever background calls take, and in whatever order: a scrape that comes then has half
        /// a burst at once.
        #[test]
        fn background_calls_leave_half_a_burst_to_scrapes(
            rate in 0.1..200.0_f64,
            burst in 2_u32..50,
            steps in proptest::collection::vec((pause(), 1_u32..9, any::<bool>()), 1..80),
        ) {
            let mut bucket = bucket(rate, burst);
            let mut now = Duration::ZERO;
            for (pause, wanted, is_background) in steps {
                now += at(pause);
                let wanted = wanted.min(bucket.most_at_once());
                if !is_background {
                    now = bucket.ready_at(wanted, now).unwrap_or(now);
                    bucket.take(wanted, now);
                } else if bucket.has_spare(wanted, now) {
                    bucket.take(wanted, now);
                    let left = (burst / 2).min(burst - wanted);
                    prop_assert!(left == 0 || bucket.ready_at(left, now).is_none());
                }
            }
        }
    }
}
