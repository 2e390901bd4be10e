//! The answers to one question, so far. Nothing here awaits or locks.

use std::time::Duration;

use tokio::time::Instant;

use crate::snapshot::Failure;

/// The delay after a first failure; it doubles with each failure in a row.
const FIRST_RETRY: Duration = Duration::from_secs(30);

/// Limit of the doublings.
const MAX_DOUBLINGS: u32 = 6;

/// The query in flight, the last attempt to get an answer, and the last answer. `F` is what is
/// known of a query in flight.
#[derive(Debug, Clone)]
pub(super) struct Slot<T, F = ()> {
    /// The time from which on an answer is wanted.
    wanted: Instant,
    in_flight: Option<F>,
    last_attempt: Option<Attempt>,
    last_answer: Option<Answer<T>>,
}

/// The last query that ended.
#[derive(Debug, Clone)]
struct Attempt {
    ended: Instant,
    failure: Option<Failure>,
    /// Failures in a row, this one included.
    failures: u32,
}

#[derive(Debug, Clone)]
struct Answer<T> {
    value: T,
    read: Instant,
    is_first: bool,
}

impl<T, F> Slot<T, F> {
    /// A slot whose first answer is wanted from `now` on.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            wanted: now,
            in_flight: None,
            last_attempt: None,
            last_answer: None,
        }
    }

    /// The attempts and answers so far, for the same subject after a reload.
    pub(super) fn inherited(&self) -> Self
    where
        T: Clone,
        F: Clone,
    {
        Self {
            in_flight: None,
            ..self.clone()
        }
    }

    /// The slot after a change that may let a query succeed that failed: it is due.
    pub(super) fn without_failure(mut self) -> Self {
        self.last_attempt = self.last_attempt.filter(|last| last.failure.is_none());
        self
    }

    /// The last answer, however old.
    pub(super) fn answer(&self) -> Option<&T> {
        self.last_answer.as_ref().map(|answer| &answer.value)
    }

    /// The last answer, to be marked as confirmed by a list.
    pub(super) fn answer_mut(&mut self) -> Option<&mut T> {
        self.last_answer.as_mut().map(|answer| &mut answer.value)
    }

    /// The last answer, unless it is older than `max_age`.
    pub(super) fn answer_within(&self, max_age: Duration, now: Instant) -> Option<&T> {
        let answer = self.last_answer.as_ref()?;
        let age = now.saturating_duration_since(answer.read);
        (age <= max_age).then_some(&answer.value)
    }

    /// True if the last query has got the first answer.
    pub(super) fn has_just_begun(&self) -> bool {
        let is_first = |answer: &Answer<T>| answer.is_first;
        self.last_answer.as_ref().is_some_and(is_first) && self.has_succeeded()
    }

    /// The last query: answered, or failed; None if none has ended.
    pub(super) fn outcome(&self) -> Option<Result<(), &Failure>> {
        let attempt = self.last_attempt.as_ref()?;
        Some(attempt.failure.as_ref().map_or(Ok(()), Err))
    }

    /// True if the last query has been answered.
    pub(super) fn has_succeeded(&self) -> bool {
        matches!(self.outcome(), Some(Ok(())))
    }

    /// The time since the last query ended; zero if none has.
    pub(super) fn since_last_attempt(&self, now: Instant) -> Duration {
        self.ended_at()
            .map_or(Duration::ZERO, |ended| now.saturating_duration_since(ended))
    }

    /// The time at which the last answer was read.
    pub(super) fn answered_at(&self) -> Option<Instant> {
        self.last_answer.as_ref().map(|answer| answer.read)
    }

    /// The time at which the last query ended.
    pub(super) fn ended_at(&self) -> Option<Instant> {
        self.last_attempt.as_ref().map(|attempt| attempt.ended)
    }

    /// The query that has started and not ended.
    pub(super) fn in_flight(&self) -> Option<&F> {
        self.in_flight.as_ref()
    }

    /// The time at which the next query is due, `interval` after the last answer; None while one is
    /// in flight. A query that failed is repeated sooner, and a failure that lasts no sooner than
    /// that.
    pub(super) fn due_at(&self, interval: Duration) -> Option<Instant> {
        if self.in_flight.is_some() {
            return None;
        }
        let Some(attempt) = &self.last_attempt else {
            return Some(self.wanted);
        };
        let delay = match &attempt.failure {
            Some(failure) if !failure.lasting => {
                let doublings = (attempt.failures - 1).min(MAX_DOUBLINGS);
                interval.min(FIRST_RETRY * (1 << doublings))
            }
            Some(_) | None => interval,
        };
        Some(attempt.ended + delay)
    }

    /// Notes that a query starts.
    pub(super) fn start(&mut self, query: F) {
        self.in_flight = Some(query);
    }

    /// Notes that a query has ended without an attempt. It is due as before.
    pub(super) fn put_back(&mut self) {
        self.in_flight = None;
    }

    /// Records a query that ended at `now`.
    pub(super) fn record(&mut self, result: Result<T, Failure>, now: Instant) {
        self.in_flight = None;
        let failures = self
            .last_attempt
            .as_ref()
            .map_or(0, |attempt| attempt.failures);
        let (failure, failures) = match result {
            Ok(value) => {
                self.last_answer = Some(Answer {
                    value,
                    read: now,
                    is_first: self.last_answer.is_none(),
                });
                (None, 0)
            }
            Err(failure) => (Some(failure), failures.saturating_add(1)),
        };
        self.last_attempt = Some(Attempt {
            ended: now,
            failure,
            failures,
        });
    }
}

#[cfg(test)]
mod tests {
    use ack_client::Reason;

    use super::*;
    use crate::collect::fixture::SECOND;

    const INTERVAL: Duration = Duration::from_secs(900);

    fn failure(lasting: bool) -> Failure {
        Failure {
            reason: Reason::Network,
            message: "refused".to_owned(),
            lasting,
        }
    }

    #[test]
    fn a_query_is_due_at_once_and_then_an_interval_after_each_answer() {
        let start = Instant::now();
        let mut slot: Slot<i32> = Slot::new(start);
        assert_eq!(slot.due_at(INTERVAL), Some(start));
        slot.record(Ok(1), start + SECOND);
        assert_eq!(slot.due_at(INTERVAL), Some(start + SECOND + INTERVAL));
    }

    #[test]
    fn a_failure_is_repeated_after_a_delay_that_doubles_up_to_the_interval() {
        let start = Instant::now();
        let mut slot: Slot<i32> = Slot::new(start);
        let delays = [30, 60, 120, 240, 480, 900, 900].map(|delay| {
            slot.record(Err(failure(false)), start);
            assert_eq!(slot.due_at(INTERVAL), Some(start + delay * SECOND));
            delay
        });
        assert_eq!(delays.len(), 7);
        assert_eq!(slot.due_at(SECOND), Some(start + SECOND), "no later");
        slot.record(Err(failure(true)), start);
        assert_eq!(slot.due_at(INTERVAL), Some(start + INTERVAL), "it lasts");
        slot.record(Ok(1), start);
        slot.record(Err(failure(false)), start);
        assert_eq!(slot.due_at(INTERVAL), Some(start + 30 * SECOND));
    }

    #[test]
    fn the_last_answer_stands_while_queries_fail_until_it_is_too_old() {
        let start = Instant::now();
        let mut slot: Slot<i32> = Slot::new(start);
        assert!(slot.outcome().is_none());
        slot.record(Ok(1), start);
        assert_eq!(slot.outcome(), Some(Ok(())));
        assert!(slot.has_just_begun());
        slot.record(Err(failure(false)), start + SECOND);
        assert!(
            !slot.has_just_begun(),
            "a failure is repeated at its own time"
        );
        assert!(matches!(slot.outcome(), Some(Err(_))));
        let within = |after| slot.answer_within(INTERVAL, start + after).copied();
        assert_eq!(within(INTERVAL), Some(1));
        assert_eq!(within(INTERVAL + SECOND), None);
        assert_eq!(slot.answer(), Some(&1));
        slot.record(Ok(2), start + SECOND);
        assert!(!slot.has_just_begun());
    }
}
