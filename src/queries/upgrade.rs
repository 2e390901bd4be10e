//! The state of one cluster's upgrade: two operations that tell it, and the detection of the one
//! that is served.

mod detect;
mod status;
mod tasks;

use std::fmt::Debug;
use std::sync::Arc;

use ack_client::Endpoint;
use ack_client::names::{ClusterId, Region};
use ack_client::{ApiError, Budget, Client, Operation};
use futures_util::future::BoxFuture;

pub use detect::SourceDetector;
pub use status::UpgradeStatus;
pub use tasks::Tasks;

use super::{FetchContext, Query};
use crate::config::{Account, Source};
use crate::upgrade::{SourceName, UpgradeState};

/// The query of the states of upgrades, for one account and region.
#[derive(Debug, Clone)]
pub struct UpgradeQuery(Arc<dyn UpgradeSource>);

/// What a source reads, and by what means.
#[derive(Debug, Clone, Copy)]
pub struct SourceRequest<'a> {
    /// The client of the account.
    pub client: &'a Client,
    /// The cluster.
    pub cluster: &'a ClusterId,
    /// The server that knows it.
    pub endpoint: &'a Endpoint,
    /// The time that the query may take, and its part of the rate limit.
    pub budget: &'a Budget,
    /// The last state that was read, so that nothing is asked for again that cannot have changed.
    pub previous: Option<&'a UpgradeState>,
}

/// Reads the state of upgrades, for one account and region.
pub trait UpgradeSource: Debug + Send + Sync {
    /// Reads the state of one cluster's upgrade within the request's budget. Dropping the future
    /// abandons it.
    fn fetch<'a>(
        &'a self,
        request: SourceRequest<'a>,
    ) -> BoxFuture<'a, Result<UpgradeState, ApiError>>;

    /// The source in use, once that is decided.
    fn in_use(&self) -> Option<SourceName>;
}

impl UpgradeQuery {
    /// The query that reads `source`.
    pub fn with_source(source: Arc<dyn UpgradeSource>) -> Self {
        Self(source)
    }

    /// The query for the clusters of `account` in `region`, with the source that the account asks
    /// for. What its detection asks in the background goes through `client`.
    pub fn for_account(account: &Account, region: Option<&Region>, client: &Client) -> Self {
        let tasks = Tasks::new(account.task_types.clone());
        Self(match account.source {
            Source::UpgradeStatus => Arc::new(UpgradeStatus),
            Source::Tasks => Arc::new(tasks),
            Source::Auto => Arc::new(SourceDetector::new(
                account.name.clone(),
                region.cloned(),
                client,
                tasks,
            )),
        })
    }

    /// The source in use, once that is decided.
    pub fn source_in_use(&self) -> Option<SourceName> {
        self.0.in_use()
    }
}

impl Query for UpgradeQuery {
    type Subject = ClusterId;
    type Answer = UpgradeState;
    const OPERATIONS: &'static [Operation] = &[
        Operation::GetUpgradeStatus,
        Operation::DescribeClusterTasks,
        Operation::DescribeTaskInfo,
    ];

    fn first_operation(&self) -> Operation {
        match self.source_in_use() {
            Some(SourceName::Tasks) => Operation::DescribeClusterTasks,
            Some(SourceName::UpgradeStatus) | None => Operation::GetUpgradeStatus,
        }
    }

    fn cost(&self, _: Option<&UpgradeState>) -> u32 {
        match self.source_in_use() {
            Some(SourceName::Tasks) => 2,
            Some(SourceName::UpgradeStatus) | None => 1,
        }
    }

    async fn fetch(
        &self,
        cluster: &ClusterId,
        context: FetchContext<'_>,
        last: Option<&UpgradeState>,
    ) -> Result<UpgradeState, ApiError> {
        let request = SourceRequest {
            client: context.client,
            cluster,
            endpoint: context.endpoint,
            budget: context.budget,
            previous: last,
        };
        self.0.fetch(request).await
    }
}
