//! What the queries of one round share, and how long they have.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::api::{Budget, Deadline};
use crate::collect::record::{Flight, Reader};

/// A query has this long at least, however soon those who wait for it go: a client that hardly waits at all must not make
/// clusters fail for all others.
pub(super) const SHORTEST: Duration = Duration::from_secs(1);

/// One round in one lane.
#[derive(Debug, Clone)]
pub(super) struct Round {
    pub(super) number: u64,
    pub(super) started: Instant,
    /// When those who wait for it go.
    pub(super) deadline: Deadline,
    /// How long they wait, but no less than [`SHORTEST`].
    pub(super) length: Duration,
    /// Cancelled when the collector ends.
    pub(super) stop: CancellationToken,
}

impl Round {
    /// For a list that is read in this round.
    pub(super) fn budget(&self) -> Budget {
        budget(self.deadline.clone(), self.stop.child_token(), Instant::now())
    }

    /// A query of a cluster that `changed` last then, which takes off now for `reader`: until the waiters' deadline or, after it, for as long as the round had.
    pub(super) fn flight(&self, reader: Reader, changed: Option<Timestamp>) -> Flight {
        let now = Instant::now();
        Flight {
            started: now,
            deadline: if now < self.deadline.instant() { self.deadline.clone() } else { Deadline::at(now + self.length) },
            call_off: self.stop.child_token(),
            awaited: Arc::new(AtomicBool::new(reader == Reader::Page)),
            changed,
        }
    }
}

impl Flight {
    /// Until its deadline, which may be put off.
    pub(super) fn budget(&self) -> Budget {
        budget(self.deadline.clone(), self.call_off.clone(), self.started)
    }
}

fn budget(deadline: Deadline, call_off: CancellationToken, started: Instant) -> Budget {
    Budget::new(deadline, call_off).not_before(started + SHORTEST)
}
