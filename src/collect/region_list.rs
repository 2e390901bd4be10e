//! The cluster list of one region: reading it, and the clusters that it brings in.

mod state;

use std::sync::Arc;

use ack_client::names::{AccountName, ClusterId};
use ack_client::{ApiError, Budget, Client, ErrorKind, ListedCluster, Operation};
use state::ListState;
use tokio::sync::{Mutex, MutexGuard, watch};
use tokio::time::Instant;

use super::fetching::fetch;
use crate::config::{ListedRegion, Match};
use crate::queries::FetchContext;
use crate::queries::cluster_list::{ClusterList, Listing};
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
            state: watch::Sender::new(ListState::new(Instant::now())),
        }
    }

    /// Takes over the state of the same list of `earlier`. Returns the list that was read last, if
    /// there is one.
    pub(super) fn inherit(&self, earlier: &[Self]) -> Option<Arc<Listing>> {
        let earlier = earlier.iter().find(|earlier| earlier.place == self.place)?;
        let earlier = earlier.state();
        let listing = earlier.listing().cloned();
        let found = listing.as_deref().map_or(0, |listing| self.count(listing));
        self.state.send_replace(earlier.inherited(found));
        listing
    }

    /// Waits until no other reading of the list is under way, for as long as `budget` lasts.
    // The guard is held until the list has been applied: otherwise a list that was requested
    // earlier could replace one that was requested later.
    pub(super) async fn lock_reading(
        &self,
        budget: &Budget,
    ) -> Result<MutexGuard<'_, ()>, ApiError> {
        tokio::select! {
            biased;
            guard = self.reading.lock() => Ok(guard),
            () = budget.expired() => {
                let operation = Operation::DescribeClustersForRegion;
                let message = "another reading of the list is still under way";
                Err(ApiError::local(operation, ErrorKind::Timeout, message))
            }
        }
    }

    /// Reads the list: all clusters of the region. Only a failure is recorded.
    pub(super) async fn read(&self, client: &Client, budget: &Budget) -> Result<Listing, ApiError> {
        let ListedRegion { region, endpoint } = &self.place;
        let context = FetchContext::new(client, endpoint, budget);
        let last = self.state().listing().cloned();
        fetch(&ClusterList, region, context, last.as_deref())
            .await
            .inspect_err(|error| self.record_failure(error))
    }

    /// The clusters of `listing` that the configuration selects.
    pub(super) fn selected<'a>(
        &self,
        listing: &'a Listing,
    ) -> impl Iterator<Item = &'a ListedCluster> {
        listing
            .clusters
            .iter()
            .filter(|cluster| match &self.purpose {
                ListPurpose::Discovery(selector) => {
                    selector.wants(&cluster.name, &cluster.tags, &cluster.cluster_type)
                }
                ListPurpose::Detail => false,
            })
    }

    fn count(&self, listing: &Listing) -> usize {
        self.selected(listing).count()
    }

    /// Records the list that was read, and logs it if it is news.
    pub(super) fn record_success(&self, listing: Listing) {
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
        if self.state().listing().is_some() {
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

    /// The readings so far: a copy, so that nobody holds the lock.
    pub(super) fn state(&self) -> ListState {
        self.state.borrow().clone()
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
        let state = self.state();
        Some(DiscoveryReading {
            region: self.place.region.clone(),
            failure: state.slot.outcome()?.err().cloned(),
            clusters: state.found,
        })
    }

    /// True if the cluster was in the list when it was read last.
    pub(super) fn contains(&self, id: &ClusterId) -> bool {
        let state = self.state();
        let mut clusters = state.listing().into_iter().flat_map(|list| &list.clusters);
        clusters.any(|cluster| cluster.id == *id)
    }

    /// True if the list has been read at least once, or finds no clusters.
    pub(super) fn has_found(&self) -> bool {
        !matches!(self.purpose, ListPurpose::Discovery(_)) || self.state().listing().is_some()
    }
}
