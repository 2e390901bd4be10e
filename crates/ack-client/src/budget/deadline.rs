//! A deadline that can be extended while others wait for it.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

/// A point in time that can be extended and is never shortened. Clones share it.
#[derive(Debug, Clone)]
pub struct Deadline {
    at: Arc<Mutex<Instant>>,
    /// Another deadline, which this one is never before.
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

    /// A second deadline, which is extended together with this one and can be extended alone.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            at: Arc::new(Mutex::new(self.instant())),
            base: Some(Arc::clone(&self.at)),
        }
    }

    /// The instant, which may be extended later.
    pub fn instant(&self) -> Instant {
        let read = |at: &Mutex<Instant>| *at.lock().unwrap_or_else(PoisonError::into_inner);
        let own = read(&self.at);
        self.base.as_ref().map_or(own, |base| own.max(read(base)))
    }

    /// Extends the deadline to `instant`, unless it is later already.
    pub fn extend_to(&self, instant: Instant) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        *at = instant.max(*at);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_forked_deadline_follows_its_base_and_can_be_extended_alone() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let base = Deadline::at(now + second);
        let fork = base.fork();
        fork.extend_to(now + 3 * second);
        assert_eq!(
            (base.instant(), fork.instant()),
            (now + second, now + 3 * second)
        );
        base.extend_to(now + 5 * second);
        assert_eq!(
            (base.instant(), fork.instant()),
            (now + 5 * second, now + 5 * second)
        );
        assert_eq!(base.fork().instant(), now + 5 * second);
    }
}
