//! The loop that starts the queries of one collection, each as soon as the limits allow.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;

use ack_client::names::ClusterId;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::TaskTracker;

use super::{AccountCollection, AccountCollector};
use crate::collect::entry::{BlockedBy, ClusterEntry, InFlight, Trigger};

/// The queries of one collection in one account.
#[derive(Debug)]
pub(super) struct Schedule<'a> {
    account: &'a Arc<AccountCollector>,
    collection: &'a AccountCollection,
    tasks: &'a TaskTracker,
    /// The queries started, the oldest first.
    started: VecDeque<(ClusterId, Arc<InFlight>)>,
}

impl<'a> Schedule<'a> {
    pub(super) fn new(
        account: &'a Arc<AccountCollector>,
        collection: &'a AccountCollection,
        tasks: &'a TaskTracker,
    ) -> Self {
        Self {
            account,
            collection,
            tasks,
            started: VecDeque::new(),
        }
    }

    pub(super) fn collection(&self) -> &'a AccountCollection {
        self.collection
    }

    /// Queries the clusters that are `wanted` and due, each as soon as the limits allow.
    pub(super) async fn query_due(&mut self, wanted: fn(&ClusterEntry) -> bool) {
        let due = self.account.lock().due(self.collection.number, wanted);
        for id in due {
            // Since then a list may have shown the cluster to be idle, or a probe have queried it.
            let Some(calls) = self.account.claim(&id, self.collection) else {
                continue;
            };
            // All calls that it will most likely make, so that it does not wait half-way.
            let tokens = self.account.client().limiter().acquire(calls).await;
            let permit = self.acquire_permit().await;
            let query = self
                .account
                .start_query(&id, self.collection, Trigger::Scrape);
            if let Some(query) = query {
                query.in_flight().budget.grant(tokens);
                self.started.push_back((id, Arc::clone(query.in_flight())));
                self.tasks.spawn(query.run(None, permit));
            }
        }
    }

    /// Waits for a permit. While there is none, the query that has been in flight longest is cancelled
    /// once it has had its share, so that a few silent clusters do not keep the others from being
    /// queried.
    async fn acquire_permit(&mut self) -> OwnedSemaphorePermit {
        let permits = &self.account.permits;
        if let Ok(permit) = Arc::clone(permits).try_acquire_owned() {
            return permit;
        }
        self.account.lock().blocked_by = BlockedBy::Concurrency;
        let mut released = pin!(Arc::clone(permits).acquire_owned());
        let permit = loop {
            let Some((id, query)) = self.started.pop_front() else {
                break released.await;
            };
            tokio::select! {
                biased;
                permit = &mut released => {
                    self.started.push_front((id, query));
                    break permit;
                }
                // One permit is wanted, so the next query is cancelled only once this one has ended
                // and another has taken its permit.
                () = self.account.cancel_after_share(&id, &query, self.collection) => {}
            }
        };
        self.account.lock().blocked_by = BlockedBy::RateLimit;
        permit.expect("the semaphore is never closed")
    }
}

impl AccountCollector {
    /// Cancels `query` of `id` once it has had its share of `collection`, and waits until it has
    /// ended. Returns early if it is found to have ended by itself.
    async fn cancel_after_share(
        &self,
        id: &ClusterId,
        query: &InFlight,
        collection: &AccountCollection,
    ) {
        let Some(end) = self.end_of_share(id, query, collection) else {
            return;
        };
        sleep_until(end).await;
        // Subscribed before the cancellation, so that its end is not missed.
        let mut query_ends = self.progress.query_ends();
        if !self.cancel_silent(id, query) {
            return;
        }
        while self.lock().is_in_flight(id, query) {
            query_ends.next().await;
        }
    }

    /// The end of the share that `query` has of `collection`; None if it is not in flight any more.
    fn end_of_share(
        &self,
        id: &ClusterId,
        query: &InFlight,
        collection: &AccountCollection,
    ) -> Option<Instant> {
        let table = self.lock();
        let share = table.fair_share.share(query.started, collection.length);
        table.is_in_flight(id, query).then(|| query.started + share)
    }

    /// Cancels `query`. Returns false if it has ended by itself, perhaps just now.
    fn cancel_silent(&self, id: &ClusterId, query: &InFlight) -> bool {
        let mut table = self.lock();
        if !table.is_in_flight(id, query) {
            return false;
        }
        query.cancel.cancel();
        // A wait for the account's own rate limit proves nothing about the API.
        if !query.budget.has_waited_for_rate_limit() {
            table.fair_share.record_cancelled(query.started);
        }
        true
    }
}

#[cfg(test)]
mod tests;
