//! A deadline that can be extended while others wait for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

/// A point in time that can be extended and is never shortened. Clones share it.
#[derive(Debug, Clone)]
pub struct Deadline(Arc<Mutex<Instant>>);

impl Deadline {
    /// A deadline at `instant`.
    pub fn at(instant: Instant) -> Self {
        Self(Arc::new(Mutex::new(instant)))
    }

    /// The instant, which may be extended later.
    pub fn instant(&self) -> Instant {
        *self.lock()
    }

    /// Extends the deadline to `instant`, unless it is later already.
    pub fn extend_to(&self, instant: Instant) {
        let mut at = self.lock();
        *at = instant.max(*at);
    }

    fn lock(&self) -> MutexGuard<'_, Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_deadline_is_extended_for_all_clones_and_never_shortened() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let deadline = Deadline::at(now + second);
        let clone = deadline.clone();
        deadline.extend_to(now + 3 * second);
        deadline.extend_to(now + 2 * second);
        assert_eq!(clone.instant(), now + 3 * second);
    }
}
