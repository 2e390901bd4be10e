//! Reading the account's cluster lists, one region at a time.

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
    /// Held while the list is read and taken.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    settled: watch::Sender<bool>,
}

/// What a list is read for.
#[derive(Debug, Clone)]
pub(super) enum Purpose {
    /// To find clusters, those that match.
    Discovery(Match),
    /// Only to learn more of clusters that are known.
    Detail,
}

#[derive(Debug, Clone)]
struct State {
    list: ClusterList,
    succeeded: Option<bool>,
    found: usize,
    /// What it said last.
    listing: Option<Arc<[ListedCluster]>>,
    /// When the last reading ended, however it went.
    ended: Option<Instant>,
}

impl RegionList {
    pub(super) fn new(account: AccountName, place: ListedRegion, purpose: Purpose) -> Self {
        let state = State {
            list: ClusterList::ForRegion,
            succeeded: None,
            found: 0,
            listing: None,
            ended: None,
        };
        Self {
            account,
            place,
            purpose,
            turn: tokio::sync::Mutex::new(()),
            state: Mutex::new(state),
            settled: watch::Sender::new(false),
        }
    }

    /// Takes over what the same list of `earlier` has come to: what it said last, if it ever was
    /// read.
    pub(super) fn inherit(&self, earlier: &[Self]) -> Option<Arc<[ListedCluster]>> {
        let earlier = earlier.iter().find(|earlier| earlier.place == self.place)?;
        let inherited = earlier.lock().clone();
        let listing = inherited.listing.clone();
        *self.lock() = State {
            found: listing
                .as_deref()
                .map_or(0, |clusters| self.wanted(clusters).count()),
            ..inherited
        };
        self.settled.send_replace(earlier.is_settled());
        listing
    }

    /// Waits until no other reading of the list is under way, for as long as `budget` lasts. The
    /// guard is held until what was read has been taken: else a list that was asked for earlier
    /// could replace one that was asked for later.
    pub(super) async fn turn(
        &self,
        budget: &Budget,
    ) -> Result<tokio::sync::MutexGuard<'_, ()>, ApiError> {
        tokio::select! {
            biased;
            turn = self.turn.lock() => Ok(turn),
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
        let listing = self.ask(client, budget).await.map(Arc::from);
        self.note(listing.as_ref());
        self.settled.send_replace(true);
        listing
    }

    /// Of the `clusters` of the region, those to bring in.
    pub(super) fn wanted<'a>(
        &self,
        clusters: &'a [ListedCluster],
    ) -> impl Iterator<Item = &'a ListedCluster> {
        clusters.iter().filter(|cluster| match &self.purpose {
            Purpose::Discovery(wanted) => {
                wanted.wants(&cluster.name, &cluster.tags, &cluster.cluster_type)
            }
            Purpose::Detail => false,
        })
    }

    async fn ask(&self, client: &Client, budget: &Budget) -> Result<Vec<ListedCluster>, ApiError> {
        let ListedRegion { region, endpoint } = &self.place;
        let list = self.lock().list;
        let error = match list_clusters(client, endpoint, list, region, budget).await {
            Ok(clusters) => return Ok(clusters),
            Err(error) => error,
        };
        // Old installations know only the account-wide list, new ones only the region's.
        if !matches!(error.kind, ErrorKind::OperationGone | ErrorKind::Rejected) {
            return Err(error);
        }
        let other = match list {
            ClusterList::ForRegion => ClusterList::V1,
            ClusterList::V1 => ClusterList::ForRegion,
        };
        let clusters = list_clusters(client, endpoint, other, region, budget)
            .await
            .map_err(|_| error)?;
        self.lock().list = other;
        Ok(clusters)
    }

    /// Remembers how it went, with one line in the log when that changes.
    fn note(&self, result: Result<&Arc<[ListedCluster]>, &ApiError>) {
        let mut state = self.lock();
        let region = &self.place.region;
        state.ended = Some(Instant::now());
        match result {
            Ok(listing) => {
                let found = self.wanted(listing).count();
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

    /// Whether it is time to read it apart from the scrapes: it has not been read, could not be, or
    /// is about as old as `interval`.
    pub(super) fn is_due(&self, interval: Duration) -> bool {
        let state = self.lock();
        state.succeeded != Some(true)
            || state
                .ended
                .is_none_or(|ended| ended.elapsed() >= interval.min(LONGEST).mul_f64(0.8))
    }

    /// How long it is good for, if it is to be read every `interval`. Counted from the end of the
    /// last reading, so that there is a pause however long a reading takes.
    pub(super) fn rest(&self, interval: Duration) -> Duration {
        interval.saturating_sub(
            self.lock()
                .ended
                .map_or(Duration::ZERO, |ended| ended.elapsed()),
        )
    }

    /// Whether the list has been read, or could not be, at least once.
    pub(super) fn is_settled(&self) -> bool {
        *self.settled.borrow()
    }

    /// Waits until the list has been read, or could not be, at least once.
    pub(super) async fn settled(&self) {
        // The sender is this very value's.
        drop(self.settled.subscribe().wait_for(|settled| *settled).await);
    }

    /// What the page says of it; nothing for lists that find no clusters.
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

    /// Whether the cluster was in it when it was read last.
    pub(super) fn has(&self, id: &ClusterId) -> bool {
        self.lock()
            .listing
            .as_ref()
            .is_some_and(|clusters| clusters.iter().any(|cluster| cluster.id == *id))
    }

    /// Whether all that it is to find is known: it has been read at least once, whatever it found
    /// and however it went since.
    pub(super) fn has_found(&self) -> bool {
        !matches!(self.purpose, Purpose::Discovery(_)) || self.lock().listing.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As good as never, and no overflow.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// How long to wait before the next reading of the lists: a little sooner or later than `interval`,
/// so that instances do not ask in step.
pub(super) fn next_refresh(interval: Duration) -> Duration {
    interval.min(LONGEST).mul_f64(0.9 + 0.2 * fastrand::f64())
}
