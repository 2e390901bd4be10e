//! The cluster list of one region: reading it, and the clusters that it brings in.

mod state;

use std::sync::Arc;
use std::time::Duration;

use ack_client::names::{AccountName, ClusterId};
use ack_client::{
    ApiError, Budget, Client, ClusterList, ErrorKind, ListedCluster, Operation, list_clusters,
};
use state::ListState;
use tokio::sync::{Mutex, MutexGuard, watch};
use tokio::time::Instant;

use crate::config::{ListedRegion, Match};
use crate::snapshot::{DiscoveryReading, Failure};

/// The list of one region.
#[derive(Debug)]
pub(super) struct RegionList {
    account: AccountName,
    pub(super) place: ListedRegion,
    purpose: ListPurpose,
    /// Held while the list is read and applied.
    reading: Mutex<()>,
    state: watch::Sender<ListState>,
}

/// The purpose of reading a list.
#[derive(Debug, Clone)]
pub(super) enum ListPurpose {
    /// To find the clusters that match.
    Discovery(Match),
    /// Only for the versions and states of known clusters.
    Detail,
}

impl RegionList {
    pub(super) fn new(account: AccountName, place: ListedRegion, purpose: ListPurpose) -> Self {
        Self {
            account,
            place,
            purpose,
            reading: Mutex::new(()),
            state: watch::Sender::new(ListState::new()),
        }
    }

    /// Takes over the state of the same list of `earlier`. Returns the list that was read last, if
    /// there is one.
    pub(super) fn inherit(&self, earlier: &[Self]) -> Option<Arc<[ListedCluster]>> {
        let earlier = earlier.iter().find(|earlier| earlier.place == self.place)?;
        let mut state = earlier.state.borrow().clone();
        let listing = state.listing.clone();
        state.found = listing.as_deref().map_or(0, |list| self.count(list));
        self.state.send_replace(state);
        listing
    }

    /// Waits until no other reading of the list is under way, for as long as `budget` lasts.
    // The guard is held until the list has been applied: otherwise a list that was requested earlier
    // could replace one that was requested later.
    pub(super) async fn lock_reading(
        &self,
        budget: &Budget,
    ) -> Result<MutexGuard<'_, ()>, ApiError> {
        tokio::select! {
            biased;
            guard = self.reading.lock() => Ok(guard),
            () = budget.expired() => {
                let operation = Operation::DescribeClustersForRegion;
                Err(ApiError::local(operation, ErrorKind::Timeout, "another reading of the list is still under way"))
            }
        }
    }

    /// Reads the list: all clusters of the region. Only a failure is recorded.
    pub(super) async fn read(
        &self,
        client: &Client,
        budget: &Budget,
    ) -> Result<Arc<[ListedCluster]>, ApiError> {
        let read = self.fetch(client, budget).await;
        read.map(Arc::from)
            .inspect_err(|error| self.record_failure(error))
    }

    /// The `clusters` of the region that the configuration selects.
    pub(super) fn selected<'a>(
        &self,
        clusters: &'a [ListedCluster],
    ) -> impl Iterator<Item = &'a ListedCluster> {
        clusters.iter().filter(|cluster| match &self.purpose {
            ListPurpose::Discovery(selector) => {
                selector.wants(&cluster.name, &cluster.tags, &cluster.cluster_type)
            }
            ListPurpose::Detail => false,
        })
    }

    fn count(&self, clusters: &[ListedCluster]) -> usize {
        self.selected(clusters).count()
    }

    async fn fetch(
        &self,
        client: &Client,
        budget: &Budget,
    ) -> Result<Vec<ListedCluster>, ApiError> {
        let ListedRegion { region, endpoint } = &self.place;
        let operation = self.state.borrow().operation;
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
        self.state.send_modify(|state| state.operation = other);
        Ok(clusters)
    }

    /// Records the list that was read, and logs it if it is news.
    pub(super) fn record_success(&self, listing: Arc<[ListedCluster]>) {
        let found = self.count(&listing);
        let mut is_news = false;
        self.state.send_modify(|state| {
            is_news = state.record_success(listing, found, Instant::now());
        });
        if is_news {
            tracing::info!(
                account = %self.account,
                region = %self.place.region,
                clusters = found,
                "cluster list read"
            );
        }
    }

    /// Records that the list could not be read, and logs it if it is news.
    fn record_failure(&self, error: &ApiError) {
        let region = &self.place.region;
        let mut is_news = false;
        self.state.send_modify(|state| {
            is_news = state.record_failure(Failure::of(error), Instant::now());
        });
        if !is_news {
            return;
        }
        if self.state.borrow().listing.is_some() {
            tracing::warn!(
                account = %self.account,
                %region,
                %error,
                "cluster list cannot be read; the last one stands"
            );
        } else {
            tracing::warn!(account = %self.account, %region, %error, "cluster list cannot be read");
        }
    }

    /// True if it is time to read the list apart from the scrapes.
    pub(super) fn is_due(&self, interval: Duration) -> bool {
        self.state.borrow().is_due(interval, Instant::now())
    }

    /// The time left until the list is `interval` old.
    pub(super) fn remaining(&self, interval: Duration) -> Duration {
        self.state.borrow().remaining(interval, Instant::now())
    }

    /// True if reading the list has succeeded or failed at least once.
    pub(super) fn is_settled(&self) -> bool {
        self.state.borrow().is_settled()
    }

    /// Waits until reading the list has succeeded or failed at least once.
    pub(super) async fn settled(&self) {
        let mut state = self.state.subscribe();
        // An error would mean that the sender is gone, and `self` holds it.
        drop(state.wait_for(ListState::is_settled).await);
    }

    /// The reading of the list for the metrics page; None if it finds no clusters.
    pub(super) fn reading(&self) -> Option<DiscoveryReading> {
        let ListPurpose::Discovery(_) = self.purpose else {
            return None;
        };
        let state = self.state.borrow();
        Some(DiscoveryReading {
            region: self.place.region.clone(),
            failure: state.last_reading.as_ref()?.failure.clone(),
            clusters: state.found,
        })
    }

    /// True if the cluster was in the list when it was read last.
    pub(super) fn contains(&self, id: &ClusterId) -> bool {
        let state = self.state.borrow();
        let mut clusters = state.listing.iter().flat_map(|listing| listing.iter());
        clusters.any(|cluster| cluster.id == *id)
    }

    /// True if the list has been read at least once, or finds no clusters.
    pub(super) fn has_found(&self) -> bool {
        !matches!(self.purpose, ListPurpose::Discovery(_)) || self.state.borrow().listing.is_some()
    }
}
