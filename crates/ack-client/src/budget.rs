//! What a query may use: time, and the requests that were granted before it began.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::error::ApiError;
use super::limit::Tokens;
use super::trace::Trace;

/// A point in time that may be put off, never brought forward, while others wait for it. Clones
/// share it.
#[derive(Debug, Clone)]
pub struct Deadline {
    at: Arc<Mutex<Instant>>,
    /// The one that this one is never before.
    base: Option<Arc<Mutex<Instant>>>,
}

impl Deadline {
    /// A deadline at `instant`.
    pub fn at(instant: Instant) -> Self {
        Self {
            at: Arc::new(Mutex::new(instant)),
            base: None,
        }
    }

    /// A deadline that is put off whenever this one is, and can be put off alone.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            at: Arc::new(Mutex::new(self.instant())),
            base: Some(Arc::clone(&self.at)),
        }
    }

    /// The instant, as far as is known now.
    pub fn instant(&self) -> Instant {
        let read = |at: &Arc<Mutex<Instant>>| *at.lock().unwrap_or_else(PoisonError::into_inner);
        let own = read(&self.at);
        self.base.as_ref().map_or(own, |base| own.max(read(base)))
    }

    /// Puts it off to `instant`, unless it is later already.
    pub fn put_off(&self, instant: Instant) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        *at = instant.max(*at);
    }
}

/// What one query may use: the time until a deadline, unless it is called off before, and the
/// tokens that it was given. Clones share all of it.
#[derive(Debug, Clone)]
pub struct Budget {
    deadline: Deadline,
    called_off: CancellationToken,
    trace: Option<Trace>,
    /// How long a call has at least, once it may be made.
    least: Duration,
    progress: Arc<Mutex<Progress>>,
}

/// How far a query is.
#[derive(Debug)]
struct Progress {
    /// Not over before this, whenever the deadline is.
    floor: Instant,
    tokens: Option<Tokens>,
    calls: u32,
    /// When it began, or when its last wait for the rate limit was over.
    since: Instant,
    stage: Stage,
    was_held_up: bool,
}

/// Where a query that has not ended is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// It waits for a response.
    Asking,
    /// It waits for the account's own rate limit.
    HeldUp,
    /// It waits before it tries again after this failure.
    Retrying(ApiError),
}

impl Budget {
    /// The time until `deadline`, or until `called_off` is cancelled.
    pub fn new(deadline: Deadline, called_off: CancellationToken) -> Self {
        let now = Instant::now();
        let progress = Progress {
            floor: now,
            tokens: None,
            calls: 0,
            since: now,
            stage: Stage::Asking,
            was_held_up: false,
        };
        Self {
            deadline,
            called_off,
            trace: None,
            least: Duration::ZERO,
            progress: Arc::new(Mutex::new(progress)),
        }
    }

    /// The same, but not over before `least` from now, nor before `least` after a wait for the rate
    /// limit, whenever the deadline is.
    #[must_use]
    pub fn at_least(self, least: Duration) -> Self {
        self.progress().floor = Instant::now() + least;
        Self { least, ..self }
    }

    /// `duration` from now.
    pub fn lasting(duration: Duration) -> Self {
        Self::new(
            Deadline::at(Instant::now() + duration),
            CancellationToken::new(),
        )
    }

    /// The same, with every exchange noted in `trace`.
    #[must_use]
    pub fn traced(self, trace: Trace) -> Self {
        Self {
            trace: Some(trace),
            ..self
        }
    }

    /// Gives the query `tokens` for its first calls.
    pub fn grant(&self, tokens: Tokens) {
        self.progress().tokens = Some(tokens);
    }

    /// Lets the tokens that are left go back: the query has ended.
    pub fn release(&self) {
        self.progress().tokens = None;
    }

    /// Where exchanges are noted, if somebody wants to see them.
    pub(super) fn trace(&self) -> Option<&Trace> {
        self.trace.as_ref()
    }

    /// When it ends at the latest, as far as is known now.
    pub fn end(&self) -> Instant {
        self.deadline.instant().max(self.progress().floor)
    }

    /// Whether somebody has called it off before its time.
    pub fn is_called_off(&self) -> bool {
        self.called_off.is_cancelled()
    }

    /// Whether nothing is left.
    pub fn is_spent(&self) -> bool {
        self.is_called_off() || Instant::now() >= self.end()
    }

    /// Waits until nothing is left.
    pub async fn spent(&self) {
        self.wait(|| self.end()).await;
    }

    /// Waits until nothing is left, or until `limit` if that is before.
    pub async fn spent_by(&self, limit: Instant) {
        self.wait(|| self.end().min(limit)).await;
    }

    /// Calls made so far, retries not counted.
    pub fn calls(&self) -> u32 {
        self.progress().calls
    }

    /// True if the query has waited for the account's own rate limit since it began.
    pub fn was_held_up(&self) -> bool {
        self.progress().was_held_up
    }

    /// Where the query, which has not ended yet, is, and for how long the API has had it by `now`:
    /// what the rate limit has taken does not count.
    pub fn stage(&self, now: Instant) -> (Stage, Duration) {
        let progress = self.progress();
        (
            progress.stage.clone(),
            now.saturating_duration_since(progress.since),
        )
    }

    /// Counts one more call. Returns true if a token was left for it.
    pub(super) fn begin_call(&self) -> bool {
        let mut progress = self.progress();
        progress.calls += 1;
        // The failure of an earlier call may have been the reason for this one.
        progress.stage = Stage::Asking;
        progress.tokens.as_mut().is_some_and(Tokens::spend)
    }

    /// Notes that the query waits for the rate limit.
    pub(super) fn hold_up(&self) {
        let mut progress = self.progress();
        progress.stage = Stage::HeldUp;
        progress.was_held_up = true;
    }

    /// Notes that the wait for the rate limit is over: the call that follows has its time whatever
    /// the wait has taken.
    pub(super) fn go_on(&self) {
        let now = Instant::now();
        let mut progress = self.progress();
        progress.floor = progress.floor.max(now + self.least);
        (progress.since, progress.stage) = (now, Stage::Asking);
    }

    /// Notes that the query waits before it tries again after `failure`.
    pub(super) fn back_off(&self, failure: ApiError) {
        self.progress().stage = Stage::Retrying(failure);
    }

    /// Notes that the query tries again.
    pub(super) fn retry(&self) {
        self.progress().stage = Stage::Asking;
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wait(&self, end: impl Fn() -> Instant) {
        let over = async {
            while Instant::now() < end() {
                sleep_until(end()).await;
            }
        };
        tokio::select! {
            () = over => {}
            () = self.called_off.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::super::limit::Limiter;
    use super::*;
    use crate::RateLimit;
    use crate::names::AccountName;

    #[tokio::test(start_paused = true)]
    async fn a_forked_deadline_follows_its_base_and_can_be_put_off_alone() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let base = Deadline::at(now + second);
        let fork = base.fork();
        fork.put_off(now + 3 * second);
        assert_eq!(
            (base.instant(), fork.instant()),
            (now + second, now + 3 * second)
        );
        base.put_off(now + 5 * second);
        assert_eq!(
            (base.instant(), fork.instant()),
            (now + 5 * second, now + 5 * second)
        );
        assert_eq!(base.fork().instant(), now + 5 * second);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_waited_for_the_rate_limit_has_its_time_afterwards() {
        let second = Duration::from_secs(1);
        let budget = Budget::lasting(2 * second).at_least(second);
        budget.hold_up();
        tokio::time::advance(2 * second).await;
        assert!(budget.is_spent());
        assert_eq!(budget.stage(Instant::now()).0, Stage::HeldUp);
        budget.go_on();
        assert_eq!(budget.end(), Instant::now() + second);
        assert!(!budget.is_spent());
        tokio::time::advance(second / 2).await;
        assert_eq!(budget.stage(Instant::now()), (Stage::Asking, second / 2));
        assert!(budget.was_held_up());
    }

    #[tokio::test(start_paused = true)]
    async fn calls_use_up_the_tokens_that_were_granted_and_the_rest_goes_back() {
        let rate = RateLimit {
            requests_per_second: 1.0,
            burst: NonZeroU32::MIN.saturating_add(2),
        };
        let limiter = Limiter::new(AccountName::parse("a").expect("a name"), rate, 1, 16);
        let budget = Budget::lasting(Duration::from_secs(1));
        budget.grant(limiter.acquire(2).await);
        assert_eq!([(); 3].map(|()| budget.begin_call()), [true, true, false]);
        assert_eq!(budget.calls(), 3);
        let other = Budget::lasting(Duration::from_secs(1));
        other.grant(limiter.acquire(1).await);
        assert!(limiter.try_acquire().is_none(), "all three are taken");
        other.release();
        assert!(limiter.try_acquire().is_some());
    }
}
