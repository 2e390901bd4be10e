//! The cluster list of one region: reading it, and the clusters that it brings in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ack_client::names::{AccountName, ClusterId};
use ack_client::{
    ApiError, Budget, Client, ClusterList, ErrorKind, ListedCluster, Operation, list_clusters,
};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::config::{ListedRegion, Match};
use crate::snapshot::DiscoveryReading;

/// The list of one region.
#[derive(Debug)]
pub(super) struct RegionList {
    account: AccountName,
    pub(super) place: ListedRegion,
    purpose: Purpose,
    /// Held while the list is read and applied.
    reading: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    settled: watch::Sender<bool>,
}

/// The purpose of reading a list.
#[derive(Debug, Clone)]
pub(super) enum Purpose {
    /// To find the clusters that match.
    Discovery(Match),
    /// Only for the versions and states of known clusters.
    Detail,
}

#[derive(Debug, Clone)]
struct State {
    operation: ClusterList,
    succeeded: Option<bool>,
    found: usize,
    /// The list that was read last.
    listing: Option<Arc<[ListedCluster]>>,
    /// The end of the last reading, whether it succeeded or failed.
    ended: Option<Instant>,
}

impl RegionList {
    pub(super) fn new(account: AccountName, place: ListedRegion, purpose: Purpose) -> Self {
        let state = State {
            operation: ClusterList::ForRegion,
            succeeded: None,
            found: 0,
            listing: None,
            ended: None,
        };
        Self {
            account,
            place,
            purpose,
            reading: tokio::sync::Mutex::new(()),
            state: Mutex::new(state),
            settled: watch::Sender::new(false),
        }
    }

    /// Takes over the state of the same list of `earlier`. Returns the list that was read last, if
    /// there is one.
    pub(super) fn inherit(&self, earlier: &[Self]) -> Option<Arc<[ListedCluster]>> {
        let earlier = earlier.iter().find(|earlier| earlier.place == self.place)?;
        let inherited = earlier.lock().clone();
        let listing = inherited.listing.clone();
        *self.lock() = State {
            found: listing
                .as_deref()
                .map_or(0, |clusters| self.selected(clusters).count()),
            ..inherited
        };
        self.settled.send_replace(earlier.is_settled());
        listing
    }

    /// Waits until no other reading of the list is under way, for as long as `budget` lasts.
    // The guard is held until the list has been applied: otherwise a list that was requested earlier
    // could replace one that was requested later.
    pub(super) async fn lock_reading(
        &self,
        budget: &Budget,
    ) -> Result<tokio::sync::MutexGuard<'_, ()>, ApiError> {
        tokio::select! {
            biased;
            guard = self.reading.lock() => Ok(guard),
            () = budget.expired() => {
                let operation = Operation::DescribeClustersForRegion;
                Err(ApiError::local(operation, ErrorKind::Timeout, "another reading of the list is still under way"))
            }
        }
    }

    /// Reads the list: all clusters of the region.
    pub(super) async fn read(
        &self,
        client: &Client,
        budget: &Budget,
    ) -> Result<Arc<[ListedCluster]>, ApiError> {
        let listing = self.fetch(client, budget).await.map(Arc::from);
        self.record_result(listing.as_ref());
        self.settled.send_replace(true);
        listing
    }

    /// The `clusters` of the region that the configuration selects.
    pub(super) fn selected<'a>(
        &self,
        clusters: &'a [ListedCluster],
    ) -> impl Iterator<Item = &'a ListedCluster> {
        clusters.iter().filter(|cluster| match &self.purpose {
            Purpose::Discovery(selector) => {
                selector.wants(&cluster.name, &cluster.tags, &cluster.cluster_type)
            }
            Purpose::Detail => false,
        })
    }

    async fn fetch(
        &self,
        client: &Client,
        budget: &Budget,
    ) -> Result<Vec<ListedCluster>, ApiError> {
        let ListedRegion { region, endpoint } = &self.place;
        let operation = self.lock().operation;
        let error = match list_clusters(client, endpoint, operation, region, budget).await {
            Ok(clusters) => return Ok(clusters),
            Err(error) => error,
        };
        // Old installations know only the account-wide list, new ones only the region's.
        if !matches!(error.kind, ErrorKind::OperationGone | ErrorKind::Rejected) {
            return Err(error);
        }
        let other = match operation {
            ClusterList::ForRegion => ClusterList::V1,
            ClusterList::V1 => ClusterList::ForRegion,
        };
        let clusters = list_clusters(client, endpoint, other, region, budget)
            .await
            .map_err(|_| error)?;
        self.lock().operation = other;
        Ok(clusters)
    }

    /// Records the result of a reading, and logs when success turns into failure or back.
    fn record_result(&self, result: Result<&Arc<[ListedCluster]>, &ApiError>) {
        let mut state = self.lock();
        let region = &self.place.region;
        state.ended = Some(Instant::now());
        match result {
            Ok(listing) => {
                let found = self.selected(listing).count();
                if state.succeeded != Some(true) || state.found != found {
                    tracing::info!(account = %self.account, %region, clusters = found, "cluster list read");
                }
                state.succeeded = Some(true);
                state.found = found;
                state.listing = Some(Arc::clone(listing));
            }
            Err(error) => {
                if state.succeeded != Some(false) {
                    if state.listing.is_some() {
                        tracing::warn!(account = %self.account, %region, %error, "cluster list cannot be read; the last one stands");
                    } else {
                        tracing::warn!(account = %self.account, %region, %error, "cluster list cannot be read");
                    }
                }
                state.succeeded = Some(false);
            }
        }
    }

    /// True if it is time to read the list apart from the scrapes: it has not been read, could not be
    /// read, or is about as old as `interval`.
    pub(super) fn is_due(&self, interval: Duration) -> bool {
        let state = self.lock();
        state.succeeded != Some(true)
            || state
                .ended
                .is_none_or(|ended| ended.elapsed() >= interval.min(MAX_INTERVAL).mul_f64(0.8))
    }

    /// The time left until the list is `interval` old.
    // It counts from the end of the last reading, so that there is a pause however long one takes.
    pub(super) fn remaining(&self, interval: Duration) -> Duration {
        interval.saturating_sub(
            self.lock()
                .ended
                .map_or(Duration::ZERO, |ended| ended.elapsed()),
        )
    }

    /// True if reading the list has succeeded or failed at least once.
    pub(super) fn is_settled(&self) -> bool {
        *self.settled.borrow()
    }

    /// Waits until reading the list has succeeded or failed at least once.
    pub(super) async fn settled(&self) {
        // An error would mean that the sender is gone, and `self` holds it.
        drop(self.settled.subscribe().wait_for(|settled| *settled).await);
    }

    /// The reading of the list for the metrics page; None if it finds no clusters.
    pub(super) fn reading(&self) -> Option<DiscoveryReading> {
        let Purpose::Discovery(_) = self.purpose else {
            return None;
        };
        let state = self.lock();
        Some(DiscoveryReading {
            region: self.place.region.clone(),
            succeeded: state.succeeded?,
            clusters: state.found,
        })
    }

    /// True if the cluster was in the list when it was read last.
    pub(super) fn contains(&self, id: &ClusterId) -> bool {
        self.lock()
            .listing
            .as_ref()
            .is_some_and(|clusters| clusters.iter().any(|cluster| cluster.id == *id))
    }

    /// True if the list has been read at least once, or finds no clusters.
    pub(super) fn has_found(&self) -> bool {
        !matches!(self.purpose, Purpose::Discovery(_)) || self.lock().listing.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Longest interval: practically never, and no overflow.
const MAX_INTERVAL: Duration = Duration::from_secs(365 * 24 * 3600);

/// A delay of about `interval`, a little shorter or longer.
// Instances that started together would otherwise read the lists together.
pub(super) fn with_jitter(interval: Duration) -> Duration {
    interval
        .min(MAX_INTERVAL)
        .mul_f64(0.9 + 0.2 * fastrand::f64())
}
