//! The budget of a query: its time, and the tokens that it was given in advance.

mod deadline;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

pub use self::deadline::Deadline;
use crate::error::ApiError;
use crate::limit::Tokens;
use crate::trace::Trace;

/// The time and the tokens of one query, which is one call or several. It expires at a deadline,
/// or earlier when it is cancelled.
#[derive(Debug)]
pub struct Budget {
    deadline: Deadline,
    cancelled: CancellationToken,
    /// The time that a call has at least after it has waited for the rate limit.
    least: Duration,
    progress: Mutex<Progress>,
}

/// The progress of a query.
#[derive(Debug)]
struct Progress {
    /// The budget expires no earlier than this, whenever the deadline is.
    earliest_end: Instant,
    tokens: Option<Tokens>,
    trace: Option<Trace>,
    calls: u32,
    /// The start of the query, or the end of its last wait for the rate limit.
    since: Instant,
    stage: Stage,
    has_waited_for_rate_limit: bool,
}

/// The present state of a query that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// The query waits for a response.
    AwaitingResponse,
    /// The query waits for the account's rate limit.
    AwaitingRateLimit,
    /// The query waits before the next attempt, after this failure.
    BackingOff(ApiError),
}

impl Budget {
    /// A budget that expires at `deadline`, or when `cancelled` is cancelled.
    pub fn new(deadline: Deadline, cancelled: CancellationToken) -> Self {
        let now = Instant::now();
        let progress = Progress {
            earliest_end: now,
            tokens: None,
            trace: None,
            calls: 0,
            since: now,
            stage: Stage::AwaitingResponse,
            has_waited_for_rate_limit: false,
        };
        Self {
            deadline,
            cancelled,
            least: Duration::ZERO,
            progress: Mutex::new(progress),
        }
    }

    /// A budget that expires after `duration`.
    pub fn lasting(duration: Duration) -> Self {
        Self::new(
            Deadline::at(Instant::now() + duration),
            CancellationToken::new(),
        )
    }

    /// Sets a minimum: the budget expires neither before `least` from now nor before `least` after
    /// a wait for the rate limit, whenever the deadline is. Cancelling it still ends it at once.
    #[must_use]
    pub fn at_least(self, least: Duration) -> Self {
        self.progress().earliest_end = Instant::now() + least;
        Self { least, ..self }
    }

    /// Extends the budget to `instant`, unless it expires later already.
    pub fn extend_to(&self, instant: Instant) {
        let mut progress = self.progress();
        progress.earliest_end = progress.earliest_end.max(instant);
    }

    /// Cancels the budget, which expires at once.
    pub fn cancel(&self) {
        self.cancelled.cancel();
    }

    /// Records every request and response from now on in `trace`.
    pub fn record_in(&self, trace: Trace) {
        self.progress().trace = Some(trace);
    }

    /// Gives the query `tokens` for its first calls.
    pub fn grant(&self, tokens: Tokens) {
        self.progress().tokens = Some(tokens);
    }

    /// Returns the unused tokens to the limiter, after the query has ended.
    pub fn release(&self) {
        self.progress().tokens = None;
    }

    /// The trace, if the query has one.
    pub(crate) fn trace(&self) -> Option<Trace> {
        self.progress().trace.clone()
    }

    /// The end of the budget, which may be extended later.
    pub fn end(&self) -> Instant {
        self.deadline.instant().max(self.progress().earliest_end)
    }

    /// Returns true if the budget was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.is_cancelled()
    }

    /// Returns true if the budget was cancelled or its time is over.
    pub fn is_expired(&self) -> bool {
        self.is_cancelled() || Instant::now() >= self.end()
    }

    /// Waits until the budget expires. It may be extended meanwhile.
    pub async fn expired(&self) {
        self.wait(|| self.end()).await;
    }

    /// Waits until the budget expires, but not longer than until `limit`.
    pub async fn expired_by(&self, limit: Instant) {
        self.wait(|| self.end().min(limit)).await;
    }

    /// The number of calls so far, without retries.
    pub fn calls(&self) -> u32 {
        self.progress().calls
    }

    /// Returns true if the query has waited for the account's rate limit at any time.
    pub fn has_waited_for_rate_limit(&self) -> bool {
        self.progress().has_waited_for_rate_limit
    }

    /// The stage of a query that has not ended, and the time that the API has had by `now`: the
    /// time since the query began or its last wait for the rate limit ended.
    pub fn stage(&self, now: Instant) -> (Stage, Duration) {
        let progress = self.progress();
        (
            progress.stage.clone(),
            now.saturating_duration_since(progress.since),
        )
    }

    /// Counts one more call. Returns true if the query had a token for it.
    pub(crate) fn start_call(&self) -> bool {
        let mut progress = self.progress();
        progress.calls += 1;
        // The query may make this call because an earlier one failed.
        progress.stage = Stage::AwaitingResponse;
        progress.tokens.as_mut().is_some_and(Tokens::spend)
    }

    /// Notes that the query waits for the rate limit.
    pub(crate) fn start_rate_limit_wait(&self) {
        let mut progress = self.progress();
        progress.stage = Stage::AwaitingRateLimit;
        progress.has_waited_for_rate_limit = true;
    }

    /// Notes that the query no longer waits for the rate limit. The following call has its minimum
    /// time, however long the wait was.
    pub(crate) fn end_rate_limit_wait(&self) {
        let now = Instant::now();
        let mut progress = self.progress();
        progress.earliest_end = progress.earliest_end.max(now + self.least);
        progress.since = now;
        progress.stage = Stage::AwaitingResponse;
    }

    /// Notes that an attempt ended with `failure`. Another one may follow.
    pub(crate) fn start_backoff(&self, failure: ApiError) {
        self.progress().stage = Stage::BackingOff(failure);
    }

    /// Notes that another attempt begins.
    pub(crate) fn start_retry(&self) {
        self.progress().stage = Stage::AwaitingResponse;
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `end`, which may move, or until the budget is cancelled.
    async fn wait(&self, end: impl Fn() -> Instant) {
        let reached = async {
            while Instant::now() < end() {
                sleep_until(end()).await;
            }
        };
        tokio::select! {
            () = reached => {}
            () = self.cancelled.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::error::ErrorKind;
    use crate::limit::{Limiter, RateLimit};
    use crate::names::AccountName;
    use crate::operation::Operation;

    #[tokio::test(start_paused = true)]
    async fn a_call_that_waited_for_the_rate_limit_has_its_time_afterwards() {
        let second = Duration::from_secs(1);
        let budget = Budget::lasting(2 * second).at_least(second);
        assert!(!budget.has_waited_for_rate_limit());
        budget.start_rate_limit_wait();
        tokio::time::advance(2 * second).await;
        assert!(budget.is_expired());
        assert_eq!(budget.stage(Instant::now()).0, Stage::AwaitingRateLimit);
        budget.end_rate_limit_wait();
        assert_eq!(budget.end(), Instant::now() + second);
        assert!(!budget.is_expired());
        tokio::time::advance(second / 2).await;
        assert_eq!(
            budget.stage(Instant::now()),
            (Stage::AwaitingResponse, second / 2)
        );
        assert!(budget.has_waited_for_rate_limit());
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
        assert_eq!([(); 3].map(|()| budget.start_call()), [true, true, false]);
        assert_eq!(budget.calls(), 3);
        let other = Budget::lasting(Duration::from_secs(1));
        other.grant(limiter.acquire(1).await);
        assert!(limiter.try_acquire().is_none(), "all three are taken");
        other.release();
        assert!(limiter.try_acquire().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_follows_a_deadline_that_is_extended_and_ends_when_it_is_cancelled() {
        let second = Duration::from_secs(1);
        let began = Instant::now();
        let deadline = Deadline::at(began + second);
        let cancelled = CancellationToken::new();
        let budget = Budget::new(deadline.clone(), cancelled.clone());
        let extend = async {
            tokio::time::sleep(second / 2).await;
            deadline.extend_to(began + 3 * second);
        };
        tokio::join!(budget.expired(), extend);
        assert_eq!(began.elapsed(), 3 * second);

        deadline.extend_to(began + 9 * second);
        budget.expired_by(began + 4 * second).await;
        assert_eq!(began.elapsed(), 4 * second, "the limit comes first");
        let cancel = async {
            tokio::time::sleep(second).await;
            cancelled.cancel();
        };
        tokio::join!(budget.expired(), cancel);
        assert_eq!(began.elapsed(), 5 * second);
        assert!(budget.is_cancelled() && budget.is_expired());
    }

    #[tokio::test(start_paused = true)]
    async fn a_budget_expires_at_its_end_and_not_before() {
        let second = Duration::from_secs(1);
        let budget = Budget::lasting(2 * second);
        tokio::time::advance(Duration::from_millis(1999)).await;
        assert!(!budget.is_expired());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(budget.is_expired());
        budget.expired().await;

        let budget = Budget::lasting(second).at_least(3 * second);
        let began = Instant::now();
        budget.expired().await;
        assert_eq!(began.elapsed(), 3 * second, "the minimum is later");
    }

    #[tokio::test(start_paused = true)]
    async fn a_budget_is_extended_with_its_deadline_or_alone() {
        let second = Duration::from_secs(1);
        let began = Instant::now();
        let deadline = Deadline::at(began + second);
        let [one, other] =
            [(); 2].map(|()| Budget::new(deadline.clone(), CancellationToken::new()));
        one.extend_to(began + 3 * second);
        one.extend_to(began + 2 * second);
        assert_eq!(one.end(), began + 3 * second);
        assert_eq!(other.end(), began + second);
        deadline.extend_to(began + 5 * second);
        assert_eq!([one.end(), other.end()], [began + 5 * second; 2]);
        one.cancel();
        assert!(one.is_cancelled() && !other.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_attempt_is_the_stage_of_a_query_until_the_next_attempt_begins() {
        let budget = Budget::lasting(Duration::from_secs(1));
        let stage = || budget.stage(Instant::now()).0;
        assert_eq!(stage(), Stage::AwaitingResponse);
        let operation = Operation::DescribeClusterDetail;
        let failure = ApiError::local(operation, ErrorKind::Network, "refused");
        budget.start_backoff(failure.clone());
        assert_eq!(stage(), Stage::BackingOff(failure.clone()));
        budget.start_retry();
        assert_eq!(stage(), Stage::AwaitingResponse);
        budget.start_backoff(failure);
        budget.start_call();
        assert_eq!(stage(), Stage::AwaitingResponse, "another call");
    }

    #[test]
    fn a_budget_has_a_trace_once_it_is_given_one() {
        let budget = Budget::lasting(Duration::from_secs(1));
        assert!(budget.trace().is_none());
        budget.record_in(Trace::default());
        assert!(budget.trace().is_some());
    }
}
