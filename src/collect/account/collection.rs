//! What the queries of one collection share, and how long they have.

use std::time::Duration;

use ack_client::{Budget, Deadline};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A query has this long at least, however soon those who wait for it go: a client that hardly
/// waits at all must not make clusters fail for all others.
pub(super) const MIN_QUERY_TIME: Duration = Duration::from_secs(1);

/// One collection in one account.
#[derive(Debug, Clone)]
pub(in crate::collect) struct AccountCollection {
    pub(in crate::collect) number: u64,
    pub(in crate::collect) started: Instant,
    /// When those who wait for it go.
    pub(in crate::collect) deadline: Deadline,
    /// How long they wait, but no less than [`MIN_QUERY_TIME`].
    pub(in crate::collect) length: Duration,
    /// Cancelled when the collector ends.
    pub(in crate::collect) stop: CancellationToken,
}

impl AccountCollection {
    /// For a list that is read in this collection.
    pub(super) fn budget(&self) -> Budget {
        Budget::new(self.deadline.clone(), self.stop.child_token()).at_least(MIN_QUERY_TIME)
    }

    /// The deadline of a query that takes off at `now`: the waiters' or, after it, as long as the
    /// collection had.
    pub(super) fn deadline_at(&self, now: Instant) -> Deadline {
        if now < self.deadline.instant() {
            self.deadline.fork()
        } else {
            Deadline::at(now + self.length)
        }
    }
}
