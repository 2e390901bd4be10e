//! The clusters that service discovery offers to Prometheus.

use std::sync::Arc;
use std::time::Duration;

use ack_client::names::{AccountName, Region};
use futures_util::future::join_all;
use tokio::time::timeout;

use super::Collector;
use crate::cluster::ClusterInfo;
use crate::snapshot::AccountReading;

/// Longest wait of service discovery for first lists, if the configuration names clusters.
// Most lists take less, so a start does not leave their clusters out.
const LISTS_TIMEOUT: Duration = Duration::from_secs(5);

impl Collector {
    /// Every cluster of this instance; None before every list was read at least once.
    pub fn clusters(&self) -> Option<Vec<Arc<ClusterInfo>>> {
        let is_known = self.accounts.iter().all(|account| account.has_found());
        is_known.then(|| self.known_clusters())
    }

    /// The reading of each account, in the order of the configuration. Makes no query.
    pub fn accounts(&self) -> Vec<AccountReading> {
        let accounts = self.accounts.iter();
        accounts.map(|account| account.reading()).collect()
    }

    /// The account and region of each list that finds clusters and has not been read yet.
    pub fn unread_lists(&self) -> Vec<(AccountName, Region)> {
        let mut unread = Vec::new();
        for account in &self.accounts {
            for region in account.unread() {
                unread.push((account.name().clone(), region.clone()));
            }
        }
        unread
    }

    /// The clusters for service discovery, once every list has been tried. Configured clusters wait
    /// for the lists no longer than five seconds. If there are no clusters yet, the error is the
    /// lists that have not been read.
    pub async fn targets(&self) -> Result<Vec<Arc<ClusterInfo>>, Vec<(AccountName, Region)>> {
        let has_configured = self.accounts.iter().any(|account| account.has_configured());
        if has_configured {
            self.wait_for_lists(LISTS_TIMEOUT).await;
        }
        let clusters = self.known_clusters();
        let have_tried = self.accounts.iter().all(|account| account.has_tried());
        let unread = self.unread_lists();
        // Prometheus drops a target that a response leaves out, and keeps its targets after an
        // error.
        let is_usable = has_configured || (have_tried && !clusters.is_empty());
        if unread.is_empty() || is_usable {
            Ok(clusters)
        } else {
            Err(unread)
        }
    }

    /// Waits until every list has been tried, but no longer than `limit`.
    pub async fn wait_for_lists(&self, limit: Duration) {
        let tried = join_all(self.accounts.iter().map(|account| account.tried()));
        let tried = timeout(limit, tried);
        drop(self.tasks.stop.run_until_cancelled(tried).await);
    }

    fn known_clusters(&self) -> Vec<Arc<ClusterInfo>> {
        let mut clusters = Vec::new();
        for account in &self.accounts {
            clusters.extend(account.clusters());
        }
        clusters
    }
}
