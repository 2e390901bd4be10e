//! The clusters of an account: the order of their queries, and the results. Nothing here awaits.

mod listing;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::ClusterId;
use ack_client::{ApiError, ErrorKind};
use tokio::time::Instant;

pub(super) use listing::{IdlePolicy, merge_listing};

use super::entry::{BlockedBy, CachedResults, ClusterEntry, InFlight, Now, Recorded, Target};
use super::fair_share::FairShare;
use super::progress::CollectionProgress;
use crate::snapshot::Failure;
use crate::upgrade::UpgradeState;

/// The clusters of an account, and the progress of their queries.
#[derive(Debug)]
pub(super) struct ClusterTable {
    pub(super) entries: BTreeMap<ClusterId, ClusterEntry>,
    /// The results of an earlier configuration for clusters that are not in the table. A list may
    /// still bring them in.
    inherited: HashMap<ClusterId, CachedResults>,
    pub(super) blocked_by: BlockedBy,
    pub(super) fair_share: FairShare,
    last_query_number: u64,
}

impl ClusterTable {
    pub(super) fn new(targets: Vec<Target>) -> Self {
        let entries = targets
            .into_iter()
            .map(|target| {
                let id = target.info.id.clone();
                (id, ClusterEntry::new(target, CachedResults::default()))
            })
            .collect();
        Self {
            entries,
            inherited: HashMap::new(),
            blocked_by: BlockedBy::RateLimit,
            fair_share: FairShare::default(),
            last_query_number: 0,
        }
    }

    /// The clusters that are `wanted` and have not served the demand of `since`, in the order in
    /// which they are to be queried.
    pub(super) fn due(
        &self,
        since: Instant,
        wanted: impl Fn(&ClusterEntry) -> bool,
    ) -> Vec<ClusterId> {
        let mut due: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, entry)| !entry.has_served(since) && wanted(entry))
            .collect();
        // Those that the last demand did not reach come first. Among equals those that respond do:
        // a silent cluster must not cost the others their query.
        due.sort_by_key(|(_, entry)| (entry.served, entry.is_failing()));
        due.into_iter().map(|(id, _)| id.clone()).collect()
    }

    /// The queries that have by `now` been in flight for longer than their share of a demand of
    /// `length`.
    pub(super) fn overdue(
        &self,
        now: Instant,
        length: Duration,
    ) -> impl Iterator<Item = &InFlight> {
        self.entries
            .values()
            .filter_map(|entry| entry.in_flight().map(|query| &**query))
            .filter(move |query| {
                let elapsed = now.saturating_duration_since(query.started);
                elapsed > self.fair_share.share(query.started, length)
            })
    }

    /// The queries in flight that a demand waits for.
    pub(super) fn awaited(&self) -> Vec<Arc<InFlight>> {
        let awaited = self.entries.values().filter_map(ClusterEntry::awaited);
        awaited.cloned().collect()
    }

    /// A number that no other query of the account has.
    pub(super) fn next_query_number(&mut self) -> u64 {
        self.last_query_number += 1;
        self.last_query_number
    }

    /// Records the result of the query `in_flight` of `id`, which took `duration` until `now`.
    /// `is_stopping` is set if all queries are being ended.
    ///
    /// Returns None if there is no result to keep: the cluster has left the list, or has left it
    /// and come back; the query was ended with all others; or it was only a wait for the account's
    /// own rate limit.
    pub(super) fn record_result(
        &mut self,
        id: &ClusterId,
        in_flight: &InFlight,
        result: Result<UpgradeState, ApiError>,
        duration: Duration,
        now: Now,
        is_stopping: bool,
    ) -> Option<(&ClusterEntry, Recorded)> {
        drop(in_flight.end.set(()));
        let entry = self
            .entries
            .get_mut(id)
            .filter(|entry| entry.has_in_flight(in_flight.number))?;
        match &result {
            Ok(_) if !in_flight.budget.has_waited_for_rate_limit() => {
                self.fair_share.record_response(duration);
            }
            Ok(_) => self.fair_share.record_contact(),
            Err(error) if error.status.is_some() => self.fair_share.record_contact(),
            Err(_) => {}
        }
        match &result {
            Err(_) if is_stopping => {
                entry.put_back();
                return None;
            }
            Err(error) if error.kind == ErrorKind::RateLimited => {
                // It is first in the order again.
                entry.put_back();
                entry.served = in_flight.previously_served;
                return None;
            }
            Ok(_) | Err(_) => {}
        }
        let result = result.map_err(|error| Failure::of(&error));
        let recorded = entry.record_result(result, in_flight, duration, now);
        Some((entry, recorded))
    }

    /// True if every cluster has served the demand of `since`, and no demand waits for a query.
    pub(super) fn is_complete(&self, since: Instant) -> bool {
        let mut entries = self.entries.values();
        entries.all(|entry| entry.is_complete(since))
    }

    /// The number of clusters, and of those that have served the demand of `since`.
    pub(super) fn progress(&self, since: Instant) -> CollectionProgress {
        let entries = self.entries.values();
        CollectionProgress::of(entries.map(|entry| entry.is_complete(since)))
    }

    /// The results of all clusters, inherited ones included.
    pub(super) fn cached_results(&self) -> HashMap<ClusterId, CachedResults> {
        let inherited = self.inherited.iter();
        let mut results: HashMap<_, _> = inherited
            .map(|(id, cached)| (id.clone(), cached.inherited()))
            .collect();
        for (id, entry) in &self.entries {
            results.insert(id.clone(), entry.cached().inherited());
        }
        results
    }

    /// Takes over the results of an earlier table.
    pub(super) fn inherit(&mut self, mut earlier: HashMap<ClusterId, CachedResults>) {
        for (id, entry) in &mut self.entries {
            if let Some(cached) = earlier.remove(id) {
                *entry = ClusterEntry::new(entry.target.clone(), cached);
            }
        }
        self.inherited = earlier;
    }

    /// Drops the inherited results of clusters that no list has brought in.
    pub(super) fn drop_inherited(&mut self) {
        self.inherited = HashMap::new();
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
