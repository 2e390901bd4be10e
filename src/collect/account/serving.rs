//! The demands of scrapes in one account: which clusters are queried, and when.

use std::sync::Arc;

use ack_client::Budget;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::AccountCollector;
use super::schedule::Schedule;
use crate::collect::demand::{Demand, MIN_QUERY_TIME};
use crate::collect::entry::{BlockedBy, ClusterEntry};
use crate::collect::region_list::RegionList;
use crate::collect::table::IdlePolicy;

/// The newest demand that every cluster has been queried for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Served {
    since: Instant,
    at: Instant,
}

impl AccountCollector {
    /// Makes `demand` the one that is served. The queries in flight count for it.
    pub(in crate::collect) fn demand(&self, demand: Demand) {
        self.demand.send_replace(Some(demand));
    }

    /// Waits until every cluster has been queried since `since`.
    pub(in crate::collect) async fn served(&self, since: Instant) {
        let mut served = self.served.subscribe();
        let is_served =
            |served: &Option<Served>| served.is_some_and(|served| served.since >= since);
        // An error would mean that the sender is gone, and `self` holds it.
        drop(served.wait_for(is_served).await);
    }

    /// The time at which every cluster had been queried since `since`; None if one has not.
    pub(in crate::collect) fn served_at(&self, since: Instant) -> Option<Instant> {
        let served = (*self.served.borrow())?;
        (served.since >= since).then_some(served.at)
    }

    /// Serves the newest demand, again and again. Never returns.
    pub(in crate::collect) async fn serve_demands(self: &Arc<Self>) {
        let mut demands = self.demand.subscribe();
        loop {
            let newest = demands.borrow_and_update().clone();
            let serve = async {
                if let Some(demand) = newest {
                    self.serve(&demand).await;
                    self.served.send_replace(Some(Served {
                        since: demand.since,
                        at: Instant::now(),
                    }));
                }
                std::future::pending::<()>().await;
            };
            tokio::select! {
                // A newer demand takes over; what it has in common with the last one is done
                // already or in flight.
                _ = demands.changed() => {}
                () = serve => {}
            }
        }
    }

    async fn serve(self: &Arc<Self>, demand: &Demand) {
        self.cancel_overdue(demand);
        let mut schedule = Schedule::new(self, demand);
        match self.refresh.idle_policy {
            None => self.query_all(&mut schedule).await,
            Some(policy) => self.query_by_lists(&mut schedule, policy).await,
        }
        schedule.query_due(is_any).await;
        let awaited = self.lock().awaited();
        for query in awaited {
            query.ended().await;
        }
    }

    /// Cancels the queries of earlier demands that have had their share of the time.
    fn cancel_overdue(&self, demand: &Demand) {
        let mut table = self.lock();
        table.blocked_by = BlockedBy::RateLimit;
        for query in table.overdue(demand.since, demand.length) {
            query.budget.cancel();
        }
    }

    /// Queries every cluster, those of a first list as soon as it has been read.
    async fn query_all(&self, schedule: &mut Schedule<'_>) {
        schedule.query_due(is_any).await;
        let unsettled = self.lists.iter().filter(|list| !list.state().is_settled());
        let mut settling: FuturesUnordered<_> = unsettled.map(RegionList::settled).collect();
        while settling.next().await.is_some() {
            schedule.query_due(is_any).await;
        }
    }

    /// Reads the lists, and meanwhile queries the clusters that no list could spare.
    async fn query_by_lists(&self, schedule: &mut Schedule<'_>, policy: IdlePolicy) {
        let demand = schedule.demand();
        let lists_read = CancellationToken::new();
        let read_lists = async {
            // The clusters of a list that fails are queried.
            let reading = self.lists.iter().map(async |list| {
                let skip_for = Some((demand.since, policy));
                self.refresh_list(list, &self.list_budget(demand), skip_for)
                    .await
            });
            join_all(reading).await;
            lists_read.cancel();
        };
        let query_clusters = async {
            schedule.query_due(is_upgrading_or_failing).await;
            // So are those of a list that takes too long, while there is time.
            let half = demand.since + demand.length / 2;
            tokio::select! {
                () = lists_read.cancelled() => {}
                () = sleep_until(half) => schedule.query_due(is_any).await,
            }
        };
        tokio::join!(read_lists, query_clusters);
    }

    /// The budget of a list that is read for `demand`.
    fn list_budget(&self, demand: &Demand) -> Budget {
        let stop = self.tasks.stop.child_token();
        Budget::new(demand.deadline.clone(), stop).at_least(MIN_QUERY_TIME)
    }
}

fn is_any(_: &ClusterEntry) -> bool {
    true
}

/// True if a response is known that no list can confirm.
fn is_upgrading_or_failing(entry: &ClusterEntry) -> bool {
    entry.idle_since().is_none() && entry.last_state().is_some()
}
