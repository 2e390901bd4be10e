//! The cluster lists of an account, and the time at which each is read.

use std::collections::BTreeSet;
use std::time::Duration;

use ack_client::names::Region;
use ack_client::{ApiError, Budget, ErrorKind};
use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::AccountCollector;
use crate::collect::entry::Now;
use crate::collect::region_list::{ListPurpose, RegionList};
use crate::collect::table::IdlePolicy;
use crate::config::{Account, Scrape};
use crate::queries::cluster_list::Listing;

/// Time limit of reading one list, apart from the scrapes.
const LIST_TIMEOUT: Duration = Duration::from_secs(60);

/// Delay until a list that could not be read is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(30);

/// The delay while the list has never been read and the API was not reached. If the process started
/// before its keys or the network were there, the next scrape should find the clusters.
const FIRST_RETRY_DELAY: Duration = Duration::from_secs(5);

/// Longest interval: practically never, and no overflow.
const MAX_INTERVAL: Duration = Duration::from_secs(365 * 24 * 3600);

/// The times at which the lists are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListRefresh {
    /// The age at which they are read apart from the scrapes.
    interval: Duration,
    /// Set if they are read in each scrape too, so that idle clusters need no query.
    pub(super) idle_policy: Option<IdlePolicy>,
}

impl ListRefresh {
    pub(super) fn new(account: &Account, scrape: &Scrape) -> Self {
        Self {
            interval: account.list_interval().unwrap_or(Duration::MAX),
            idle_policy: (!scrape.idle_interval.is_zero()).then_some(IdlePolicy {
                interval: scrape.idle_interval,
            }),
        }
    }
}

/// The lists that have to be read: those of discovery and, if scrapes skip idle clusters or more is
/// asked about them, those of the other clusters' regions.
pub(super) fn lists(account: &Account, refresh: ListRefresh) -> Vec<RegionList> {
    let list = |region: &Region, purpose| {
        let place = account.listed_region(region);
        RegionList::new(account.name.clone(), place, purpose)
    };
    let mut lists = Vec::new();
    let mut listed = BTreeSet::new();
    if let Some(discovery) = &account.discovery {
        for region in &discovery.regions {
            listed.insert(region);
            lists.push(list(
                region,
                ListPurpose::Discovery(discovery.wanted.clone()),
            ));
        }
    }
    if refresh.idle_policy.is_some() || !account.watch.is_empty() {
        for cluster in &account.clusters {
            if let Some(region) = cluster
                .region
                .as_ref()
                .filter(|region| !listed.contains(region))
            {
                listed.insert(region);
                lists.push(list(region, ListPurpose::Detail));
            }
        }
    }
    lists
}

impl AccountCollector {
    /// True if every list that finds clusters has been read at least once.
    pub(in crate::collect) fn has_found(&self) -> bool {
        self.lists.iter().all(RegionList::has_found)
    }

    /// The regions whose lists find clusters and have not been read yet.
    pub(in crate::collect) fn unread(&self) -> impl Iterator<Item = &Region> {
        self.lists
            .iter()
            .filter(|list| !list.has_found())
            .map(|list| &list.place.region)
    }

    /// True if reading every list that finds clusters has succeeded or failed at least once.
    pub(in crate::collect) fn has_tried(&self) -> bool {
        self.lists
            .iter()
            .all(|list| list.has_found() || list.state().is_settled())
    }

    /// Waits until reading every list that finds clusters has succeeded or failed at least once.
    pub(in crate::collect) async fn tried(&self) {
        let unread = self.lists.iter().filter(|list| !list.has_found());
        join_all(unread.map(RegionList::settled)).await;
    }

    /// Reads each list whenever it is due, apart from the scrapes. Returns only if there are none.
    pub(in crate::collect) async fn keep_refreshing(&self) {
        join_all(self.lists.iter().map(|list| self.keep_list_fresh(list))).await;
    }

    async fn keep_list_fresh(&self, list: &RegionList) {
        let interval = self.refresh.interval;
        loop {
            let mut wait = interval;
            if list.state().is_due(interval, Instant::now())
                && let Err(error) = self
                    .refresh_list(list, &Budget::lasting(LIST_TIMEOUT), None)
                    .await
            {
                wait = wait.min(retry_delay(&error, list.has_found()));
            }
            let wait = wait.min(list.state().remaining(interval, Instant::now()));
            sleep(with_jitter(wait)).await;
        }
    }

    /// Reads `list` and applies it. With `skip_for`, the demand of that time skips the clusters in
    /// which no upgrade is running.
    pub(super) async fn refresh_list(
        &self,
        list: &RegionList,
        budget: &Budget,
        skip_for: Option<(Instant, IdlePolicy)>,
    ) -> Result<(), ApiError> {
        let _guard = list.lock_reading(budget).await?;
        let listing = list.read(self.client(), budget).await?;
        self.apply_list(list, &listing, skip_for);
        // After its clusters are there: others wait for the list in order to find them.
        list.record_success(listing);
        self.drop_inherited_once_listed();
        Ok(())
    }

    /// Takes over what the same lists of an earlier collector have read.
    pub(super) fn inherit_lists(&self, earlier: &[RegionList]) {
        for list in &self.lists {
            if let Some(listing) = list.inherit(earlier) {
                self.apply_list(list, &listing, None);
            }
        }
    }

    fn apply_list(
        &self,
        list: &RegionList,
        listing: &Listing,
        skip_for: Option<(Instant, IdlePolicy)>,
    ) {
        let new_targets = list
            .selected(listing)
            .filter_map(|cluster| self.target_resolver.listed(&list.place, cluster))
            .collect();
        let now = Now::of(self.clock);
        self.lock().apply_list(
            &list.place.region,
            &listing.clusters,
            new_targets,
            skip_for,
            now,
        );
    }
}

/// The delay after `error`, which reading a list ended with.
fn retry_delay(error: &ApiError, has_been_read: bool) -> Duration {
    match error.kind {
        ErrorKind::Network
        | ErrorKind::Timeout
        | ErrorKind::Credentials
        | ErrorKind::NoCredentials
            if !has_been_read =>
        {
            FIRST_RETRY_DELAY
        }
        _ => RETRY_DELAY,
    }
}

/// A delay of about `interval`, a little shorter or longer.
// Instances that started together would otherwise read the lists together.
fn with_jitter(interval: Duration) -> Duration {
    interval
        .min(MAX_INTERVAL)
        .mul_f64(0.9 + 0.2 * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use ack_client::Operation;

    use super::*;

    #[test]
    fn a_first_list_is_tried_again_soon_if_the_api_was_not_reached() {
        let delay = |kind, has_been_read| {
            let operation = Operation::DescribeClustersForRegion;
            retry_delay(&ApiError::local(operation, kind, "failed"), has_been_read)
        };
        for kind in [
            ErrorKind::Network,
            ErrorKind::Timeout,
            ErrorKind::Credentials,
            ErrorKind::NoCredentials,
        ] {
            assert_eq!(delay(kind, false), FIRST_RETRY_DELAY, "{kind:?}");
            assert_eq!(delay(kind, true), RETRY_DELAY, "{kind:?}");
        }
        assert_eq!(delay(ErrorKind::Forbidden, false), RETRY_DELAY);
    }

    #[test]
    fn delays_are_a_tenth_longer_or_shorter_than_the_interval_at_most() {
        let interval = Duration::from_secs(100);
        let delays = std::iter::repeat_with(|| with_jitter(interval).as_secs());
        let delays: Vec<_> = delays.take(1000).collect();
        assert!(delays.iter().all(|delay| (90..=110).contains(delay)));
        assert!(delays.iter().any(|delay| *delay < 95));
        assert!(delays.iter().any(|delay| *delay > 105));
        assert!(with_jitter(Duration::MAX) > MAX_INTERVAL / 2);
    }
}
