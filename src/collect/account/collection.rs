//! One collection in one account: which clusters it queries, and when.

use std::sync::Arc;
use std::time::Duration;

use ack_client::{Budget, Deadline};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::AccountCollector;
use super::schedule::Schedule;
use crate::collect::entry::{BlockedBy, ClusterEntry};
use crate::collect::region_list::RegionList;
use crate::collect::table::IdlePolicy;

/// Least time of a query, however soon its waiters go: a client that hardly waits must not make
/// clusters fail for all others.
pub(in crate::collect) const MIN_QUERY_TIME: Duration = Duration::from_secs(1);

/// A request to start a collection.
#[derive(Debug)]
pub(in crate::collect) struct CollectionRequest<'a> {
    /// The number of the collection; later ones have higher numbers.
    pub(in crate::collect) number: u64,
    /// The time at which the waiters go.
    pub(in crate::collect) deadline: &'a Deadline,
    /// Cancelled when the next collection takes over.
    pub(in crate::collect) superseded: &'a CancellationToken,
    /// The tracker of the tasks.
    pub(in crate::collect) tasks: &'a TaskTracker,
    /// Cancelled when the collector ends.
    pub(in crate::collect) stop: &'a CancellationToken,
}

/// One collection in one account.
#[derive(Debug, Clone)]
pub(in crate::collect) struct AccountCollection {
    pub(in crate::collect) number: u64,
    pub(in crate::collect) started: Instant,
    /// The time at which the waiters go.
    pub(in crate::collect) deadline: Deadline,
    /// The time that the waiters have, but no less than [`MIN_QUERY_TIME`].
    pub(in crate::collect) length: Duration,
    /// Cancelled when the collector ends.
    pub(in crate::collect) stop: CancellationToken,
}

impl AccountCollection {
    /// A collection that starts at `now`.
    pub(super) fn new(request: &CollectionRequest<'_>, now: Instant) -> Self {
        let length = request.deadline.instant().saturating_duration_since(now);
        Self {
            number: request.number,
            started: now,
            deadline: request.deadline.clone(),
            length: length.max(MIN_QUERY_TIME),
            stop: request.stop.clone(),
        }
    }

    /// The budget of a list that is read in this collection.
    fn budget(&self) -> Budget {
        Budget::new(self.deadline.clone(), self.stop.child_token()).at_least(MIN_QUERY_TIME)
    }

    /// The deadline of a query that starts at `now`: that of the waiters or, once it is over, as long
    /// as the collection had.
    pub(in crate::collect) fn deadline_at(&self, now: Instant) -> Deadline {
        if now < self.deadline.instant() {
            self.deadline.fork()
        } else {
            Deadline::at(now + self.length)
        }
    }
}

impl AccountCollector {
    /// Starts a collection of every cluster. It takes over from the one that still runs: the queries
    /// in flight count for this one, but for those that are overdue, which are cancelled. The task ends
    /// when every query has ended, or when another collection takes over.
    pub(in crate::collect) fn start_collection(
        self: &Arc<Self>,
        request: &CollectionRequest<'_>,
    ) -> JoinHandle<()> {
        let now = Instant::now();
        let collection = AccountCollection::new(request, now);
        {
            let mut table = self.lock();
            table.blocked_by = BlockedBy::RateLimit;
            for query in table.overdue(now, collection.length) {
                query.cancel.cancel();
            }
        }
        let account = Arc::clone(self);
        let tasks = request.tasks.clone();
        let superseded = request.superseded.clone();
        request.tasks.spawn(async move {
            tokio::select! {
                () = account.run_collection(&collection, &tasks) => {}
                () = superseded.cancelled() => {}
            }
        })
    }

    async fn run_collection(self: &Arc<Self>, collection: &AccountCollection, tasks: &TaskTracker) {
        let mut schedule = Schedule::new(self, collection, tasks);
        match self.refresh.idle_policy {
            None => self.collect_all(&mut schedule).await,
            Some(policy) => self.collect_by_lists(&mut schedule, policy).await,
        }
        schedule.query_due(is_any).await;
        let awaited = self.lock().awaited();
        for query in awaited {
            query.ended().await;
        }
    }

    /// Queries every cluster, those of a first list as soon as it has been read.
    async fn collect_all(&self, schedule: &mut Schedule<'_>) {
        schedule.query_due(is_any).await;
        let unsettled = self.lists.iter().filter(|list| !list.is_settled());
        let mut settling: FuturesUnordered<_> = unsettled.map(RegionList::settled).collect();
        while settling.next().await.is_some() {
            schedule.query_due(is_any).await;
        }
    }

    /// Reads the lists, and meanwhile queries the clusters that no list could spare.
    async fn collect_by_lists(&self, schedule: &mut Schedule<'_>, policy: IdlePolicy) {
        let collection = schedule.collection();
        let lists_read = CancellationToken::new();
        let read_lists = async {
            // The clusters of a list that fails are queried.
            let reading = self.lists.iter().map(|list| {
                self.refresh_list(list, collection.budget(), Some((collection.number, policy)))
            });
            join_all(reading).await;
            lists_read.cancel();
        };
        let query_clusters = async {
            schedule.query_due(is_upgrading_or_failing).await;
            // So are those of a list that takes too long, while there is time.
            let half = collection.started + collection.length / 2;
            tokio::select! {
                () = lists_read.cancelled() => {}
                () = sleep_until(half) => schedule.query_due(is_any).await,
            }
        };
        tokio::join!(read_lists, query_clusters);
    }
}

fn is_any(_: &ClusterEntry) -> bool {
    true
}

/// True if a response is known that no list can confirm.
fn is_upgrading_or_failing(entry: &ClusterEntry) -> bool {
    entry.idle_since().is_none() && entry.last_state().is_some()
}
