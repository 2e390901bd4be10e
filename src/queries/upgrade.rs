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

/// The state of the upgrades of clusters, for one account and region.
#[derive(Debug, Clone)]
pub struct Upgrade(Arc<dyn UpgradeSource>);

/// One query of a source.
#[derive(Debug, Clone, Copy)]
pub struct UpgradeQuery<'a> {
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
    /// Reads the state of one cluster's upgrade within the query's budget. Dropping the future
    /// abandons it.
    fn fetch<'a>(
        &'a self,
        query: UpgradeQuery<'a>,
    ) -> BoxFuture<'a, Result<UpgradeState, ApiError>>;

    /// The source in use, once that is decided.
    fn in_use(&self) -> Option<SourceName>;
}

impl Upgrade {
    /// The query by `source`.
    pub fn by(source: Arc<dyn UpgradeSource>) -> Self {
        Self(source)
    }

    /// The query by the source that `account` asks for, for its clusters in `region`. The source
    /// asks through `client`.
    pub fn of(account: &Account, region: Option<&Region>, client: &Arc<Client>) -> Self {
        let upgrade_status = UpgradeStatus::new(Arc::clone(client));
        let tasks = Tasks::new(Arc::clone(client), account.task_types.clone());
        Self(match account.source {
            Source::UpgradeStatus => Arc::new(upgrade_status),
            Source::Tasks => Arc::new(tasks),
            Source::Auto => Arc::new(SourceDetector::new(
                account.name.clone(),
                region.cloned(),
                client,
                upgrade_status,
                tasks,
            )),
        })
    }

    /// The source in use, once that is decided.
    pub fn source_in_use(&self) -> Option<SourceName> {
        self.0.in_use()
    }
}

impl Query for Upgrade {
    type Subject = ClusterId;
    type Answer = UpgradeState;
    const NAME: &'static str = "upgrade";
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

    fn fetch<'a>(
        &'a self,
        cluster: &'a ClusterId,
        context: FetchContext<'a>,
        last: Option<&'a UpgradeState>,
    ) -> BoxFuture<'a, Result<UpgradeState, ApiError>> {
        self.0.fetch(UpgradeQuery {
            cluster,
            endpoint: context.endpoint,
            budget: context.budget,
            previous: last,
        })
    }
}
