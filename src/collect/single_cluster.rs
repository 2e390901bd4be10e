//! Requests about single clusters, apart from the scrapes.

use std::collections::HashMap;
use std::sync::Arc;

use ack_client::names::ClusterId;
use ack_client::{ApiError, Budget, Deadline, ExplainedRequest, Trace};
use futures_util::future::join_all;
use tokio::time::Instant;

use super::Collector;
use super::account::{AccountCollector, Probe};
use crate::cluster::ClusterInfo;
use crate::snapshot::{ClusterReading, Failure};
use crate::upgrade::SourceName;

impl Collector {
    /// True if a cluster of this instance has this ID or name. Makes no query.
    pub fn knows(&self, target: &str) -> bool {
        self.find(target).is_some()
    }

    /// The cluster of this instance with this ID or name. Makes no query.
    pub fn cluster(&self, target: &str) -> Option<Arc<ClusterInfo>> {
        let (account, id) = self.find(target)?;
        account.cluster(&id)
    }

    /// Queries one cluster of this instance, by ID or name, and returns its reading by `deadline`;
    /// None if there is no such cluster. A query in flight is waited for rather than repeated.
    /// Exchanges are noted in `trace`.
    pub async fn probe(
        &self,
        target: &str,
        deadline: Instant,
        trace: Option<&Trace>,
    ) -> Option<ClusterReading> {
        let (account, id) = self.find(target)?;
        let probe = Probe {
            deadline,
            max_age: self.settings.max_age,
            trace,
        };
        account.probe(&id, &probe).await
    }

    /// Refreshes the version and the state of `clusters`, from the lists that have them and from
    /// `DescribeClusterDetail` for the others.
    pub async fn refresh_details(
        &self,
        clusters: &[ClusterId],
        deadline: Instant,
    ) -> HashMap<ClusterId, Result<Arc<ClusterInfo>, Failure>> {
        let budget = Budget::new(Deadline::at(deadline), self.tasks.stop.child_token());
        let each = join_all(
            self.accounts
                .iter()
                .map(|account| account.refresh_details(clusters, &budget)),
        )
        .await;
        each.into_iter()
            .flatten()
            .map(|(id, read)| (id, read.map_err(|error| Failure::of(&error))))
            .collect()
    }

    /// The request that a query of one cluster, by ID or name, would send now to `source`; None if
    /// there is no such cluster.
    pub async fn explain(
        &self,
        target: &str,
        source: SourceName,
    ) -> Option<Result<ExplainedRequest, ApiError>> {
        let (account, id) = self.find(target)?;
        account.explain(&id, source).await
    }

    /// The cluster with this ID or, if there is none, with this name, and its account.
    fn find(&self, target: &str) -> Option<(&Arc<AccountCollector>, ClusterId)> {
        for account in &self.accounts {
            if let Some(id) = account.find_by_id(target) {
                return Some((account, id));
            }
        }
        for account in &self.accounts {
            if let Some(id) = account.find_by_name(target) {
                return Some((account, id));
            }
        }
        None
    }
}
