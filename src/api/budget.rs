//! How long a query may take.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::trace::Trace;

/// A point in time that may be put off, never brought forward, while others wait for it.
#[derive(Debug, Clone)]
pub struct Deadline(Arc<Mutex<Instant>>);

impl Deadline {
    /// A deadline at `instant`.
    pub fn at(instant: Instant) -> Self {
        Self(Arc::new(Mutex::new(instant)))
    }

    /// When it is, as far as is known now.
    pub fn instant(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts it off to `instant`, unless it is later already.
    pub fn put_off(&self, instant: Instant) {
        let mut at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *at = instant.max(*at);
    }

    /// Waits until it has passed.
    pub async fn passed(&self) {
        while Instant::now() < self.instant() {
            sleep_until(self.instant()).await;
        }
    }
}

/// What one query may use: the time until a deadline, unless it is called off before.
#[derive(Debug, Clone)]
pub struct Budget {
    deadline: Deadline,
    floor: Instant,
    called_off: CancellationToken,
    trace: Option<Trace>,
}

impl Budget {
    /// The time until `deadline`, or until `called_off` is cancelled.
    pub fn new(deadline: Deadline, called_off: CancellationToken) -> Self {
        Self { deadline, floor: Instant::now(), called_off, trace: None }
    }

    /// The same, but not over before `instant`, whenever the deadline is.
    #[must_use]
    pub fn not_before(self, instant: Instant) -> Self {
        Self { floor: instant, ..self }
    }

    /// `duration` from now.
    pub fn lasting(duration: Duration) -> Self {
        Self::new(Deadline::at(Instant::now() + duration), CancellationToken::new())
    }

    /// The same, with every exchange noted in `trace`.
    #[must_use]
    pub fn traced(self, trace: Trace) -> Self {
        Self { trace: Some(trace), ..self }
    }

    /// Where exchanges are noted, if somebody wants to see them.
    pub(super) fn trace(&self) -> Option<&Trace> {
        self.trace.as_ref()
    }

    /// When it ends at the latest, as far as is known now.
    pub fn end(&self) -> Instant {
        self.deadline.instant().max(self.floor)
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
