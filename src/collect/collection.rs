//! The collection that scrapes share.

use std::sync::Arc;
use std::time::Duration;

use ack_client::Deadline;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::snapshot::Snapshot;

/// One collection that scrapes share.
#[derive(Debug, Clone)]
pub(super) struct Collection {
    pub(super) number: u64,
    pub(super) started: Instant,
    /// The deadline of the scrape that started it, until which others may join.
    open_until: Instant,
    /// The latest deadline of those who wait.
    pub(super) deadline: Deadline,
    /// Cancelled when the next collection takes over.
    pub(super) superseded: CancellationToken,
    /// The complete snapshot, once there is one.
    done: watch::Receiver<Option<Arc<Snapshot>>>,
}

/// The way in which a scrape is served.
#[derive(Debug)]
pub(super) enum Admission {
    /// It waits for the collection in progress.
    Join,
    /// The finished collection is young enough.
    Cached(Arc<Snapshot>),
    /// It starts a collection.
    Start,
}

impl Collection {
    /// Collection `number`, for a scrape that waits until `deadline`. The sender takes the complete
    /// snapshot.
    pub(super) fn new(
        number: u64,
        now: Instant,
        deadline: Instant,
        superseded: CancellationToken,
    ) -> (Self, watch::Sender<Option<Arc<Snapshot>>>) {
        let (finished, done) = watch::channel(None);
        let collection = Self {
            number,
            started: now,
            open_until: deadline,
            deadline: Deadline::at(deadline),
            superseded,
            done,
        };
        (collection, finished)
    }

    /// Waits for the complete snapshot; None if another collection takes over before there is one.
    pub(super) async fn completed(&mut self) -> Option<Arc<Snapshot>> {
        let done = self.done.wait_for(Option::is_some).await;
        done.ok()?.clone()
    }

    /// Decides how a scrape that begins at `now` is served.
    pub(super) fn admit(&self, now: Instant, cache_ttl: Duration) -> Admission {
        match &*self.done.borrow() {
            // Nobody joins later: scrapes that always overlap would keep a collection with a silent
            // cluster open for ever, and see the others as they were at its start.
            None if now < self.open_until => Admission::Join,
            Some(done) if done.complete && now < self.started + done.duration + cache_ttl => {
                Admission::Cached(Arc::clone(done))
            }
            None | Some(_) => Admission::Start,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::shard::Shard;

    const SECOND: Duration = Duration::from_secs(1);

    fn snapshot(complete: bool) -> Arc<Snapshot> {
        Arc::new(Snapshot {
            at: Timestamp::UNIX_EPOCH,
            duration: 2 * SECOND,
            budget: 10 * SECOND,
            complete,
            shard: Shard::default(),
            clusters: Vec::new(),
            accounts: Vec::new(),
        })
    }

    #[test]
    fn a_collection_in_progress_is_joined_until_the_deadline_of_its_first_scrape() {
        let now = Instant::now();
        let (collection, _finished) =
            Collection::new(1, now, now + 10 * SECOND, CancellationToken::new());
        collection.deadline.extend_to(now + 60 * SECOND);
        let admission = |after| collection.admit(now + after, 5 * SECOND);
        assert!(matches!(admission(Duration::ZERO), Admission::Join));
        assert!(matches!(
            admission(Duration::from_millis(9_999)),
            Admission::Join
        ));
        assert!(matches!(admission(10 * SECOND), Admission::Start));
    }

    #[test]
    fn a_complete_snapshot_is_served_until_it_is_as_old_as_the_cache_allows() {
        let now = Instant::now();
        let (collection, finished) =
            Collection::new(1, now, now + 10 * SECOND, CancellationToken::new());
        finished.send_replace(Some(snapshot(true)));
        let admission = |after| collection.admit(now + after, 5 * SECOND);
        assert!(matches!(
            admission(Duration::from_millis(6_999)),
            Admission::Cached(_)
        ));
        assert!(
            matches!(admission(7 * SECOND), Admission::Start),
            "two seconds of the collection and five of the cache"
        );
        finished.send_replace(Some(snapshot(false)));
        assert!(matches!(admission(2 * SECOND), Admission::Start));
    }
}
