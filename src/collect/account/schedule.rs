//! The loop that starts the queries for one demand, each as soon as the limits allow.

use std::collections::VecDeque;
use std::future::pending;
use std::pin::{Pin, pin};
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until};

use super::AccountCollector;
use crate::collect::demand::Demand;
use crate::collect::entry::{BlockedBy, ClusterEntry, InFlight, Trigger};

/// The queries for one demand in one account.
#[derive(Debug)]
pub(super) struct Schedule<'a> {
    account: &'a Arc<AccountCollector>,
    demand: &'a Demand,
    /// The queries started, the oldest first.
    started: VecDeque<Arc<InFlight>>,
    /// The timer of the query that has been in flight longest.
    timer: Pin<Box<Sleep>>,
}

impl<'a> Schedule<'a> {
    pub(super) fn new(account: &'a Arc<AccountCollector>, demand: &'a Demand) -> Self {
        Self {
            account,
            demand,
            started: VecDeque::new(),
            timer: Box::pin(sleep_until(demand.since)),
        }
    }

    pub(super) fn demand(&self) -> &'a Demand {
        self.demand
    }

    /// Queries the clusters that are `wanted` and due, each as soon as the limits allow.
    pub(super) async fn query_due(&mut self, wanted: fn(&ClusterEntry) -> bool) {
        let due = self.account.lock().due(self.demand.since, wanted);
        for id in due {
            // Since then a list may have shown the cluster to be idle, or a probe have queried it.
            let Some(calls) = self.account.claim(&id, self.demand) else {
                continue;
            };
            // All calls that it will most likely make, so that it does not wait half-way.
            let tokens = self.account.client().limiter().acquire(calls).await;
            let permit = self.acquire_permit().await;
            let query = self.account.start_query(&id, self.demand, Trigger::Scrape);
            if let Some(query) = query {
                query.in_flight().budget.grant(tokens);
                self.started.push_back(Arc::clone(query.in_flight()));
                self.account.tasks.tracker.spawn(query.run(permit));
            }
        }
    }

    /// Waits for a permit. While there is none, silent queries are cancelled one after another, so
    /// that a few silent clusters do not keep the others from being queried.
    async fn acquire_permit(&mut self) -> OwnedSemaphorePermit {
        let permits = &self.account.permits;
        if let Ok(permit) = Arc::clone(permits).try_acquire_owned() {
            return permit;
        }
        self.account.lock().blocked_by = BlockedBy::Concurrency;
        let mut released = pin!(Arc::clone(permits).acquire_owned());
        let permit = loop {
            tokio::select! {
                // One permit is wanted: the next query is cancelled only if another has taken the
                // permit of this one.
                biased;
                permit = &mut released => break permit,
                () = self.end_oldest() => {}
            }
        };
        self.account.lock().blocked_by = BlockedBy::RateLimit;
        permit.expect("the semaphore is never closed")
    }

    /// Waits for the end of the query that has been in flight longest, and cancels it once it has
    /// had its share.
    async fn end_oldest(&mut self) {
        let Some(oldest) = self.started.front() else {
            return pending().await;
        };
        if !oldest.has_ended() {
            let end = self.account.end_of_share(oldest, self.demand);
            wait_until(self.timer.as_mut(), end).await;
            self.account.cancel(oldest);
            oldest.ended().await;
        }
        self.started.pop_front();
    }
}

impl AccountCollector {
    /// The end of the share that `query` has of the time of `demand`.
    fn end_of_share(&self, query: &InFlight, demand: &Demand) -> Instant {
        let table = self.lock();
        query.started + table.fair_share.share(query.started, demand.length)
    }

    /// Cancels `query`, unless it has ended by itself, perhaps just now.
    fn cancel(&self, query: &InFlight) {
        let mut table = self.lock();
        if query.has_ended() || query.budget.is_cancelled() {
            return;
        }
        query.budget.cancel();
        // A wait for the account's own rate limit proves nothing about the API.
        if !query.budget.has_waited_for_rate_limit() {
            table.fair_share.record_cancelled(query.started);
        }
    }
}

/// Waits until `instant`. The timer may still run for a query that started earlier.
// Most queries end long before, so it is not set anew for each.
async fn wait_until(mut timer: Pin<&mut Sleep>, instant: Instant) {
    while Instant::now() < instant {
        if timer.is_elapsed() || timer.deadline() > instant {
            timer.as_mut().reset(instant);
        }
        timer.as_mut().await;
    }
}

#[cfg(test)]
mod tests;
