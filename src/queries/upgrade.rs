//! The state of one cluster's upgrade: two operations that tell it, and the detection of the one
//! that is served.

mod detect;
mod status;
mod tasks;

use std::sync::Arc;

use ack_client::names::{ClusterId, Region};
use ack_client::{ApiError, Client, Operation};
use futures_util::FutureExt as _;

pub use detect::SourceDetector;
pub use tasks::Tasks;

use super::{FetchContext, Query};
use crate::config::{Account, Source};
use crate::upgrade::{SourceName, UpgradeState};

/// The query of the states of upgrades, for one account and region. Clones share what they have
/// found out.
#[derive(Debug, Clone)]
pub enum UpgradeQuery {
    /// Asks `GetUpgradeStatus`.
    UpgradeStatus,
    /// Reads the tasks.
    Tasks(Arc<Tasks>),
    /// Asks `GetUpgradeStatus` while it is served, and reads the tasks where it is not.
    Auto(Arc<SourceDetector>),
    /// Panics, with this source in use.
    #[cfg(test)]
    Panicking(Option<SourceName>),
}

impl UpgradeQuery {
    /// The query for the clusters of `account` in `region`, with the source that the account asks
    /// for. What its detection asks in the background goes through `client`.
    pub fn for_account(account: &Account, region: Option<&Region>, client: &Client) -> Self {
        let tasks = || Tasks::new(account.task_types.clone());
        match account.source {
            Source::UpgradeStatus => Self::UpgradeStatus,
            Source::Tasks => Self::Tasks(Arc::new(tasks())),
            Source::Auto => Self::Auto(Arc::new(SourceDetector::new(
                account.name.clone(),
                region.cloned(),
                client,
                tasks(),
            ))),
        }
    }

    /// The source in use, once that is decided.
    pub fn source_in_use(&self) -> Option<SourceName> {
        match self {
            Self::UpgradeStatus => Some(SourceName::UpgradeStatus),
            Self::Tasks(_) => Some(SourceName::Tasks),
            Self::Auto(detector) => detector.in_use(),
            #[cfg(test)]
            Self::Panicking(source) => *source,
        }
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
        // In boxes: otherwise the task of every query would be as large as the largest of them.
        let query = match self {
            Self::UpgradeStatus => status::fetch(cluster, context).boxed(),
            Self::Tasks(tasks) => tasks.fetch(cluster, context, last).boxed(),
            Self::Auto(detector) => detector.fetch(cluster, context, last).boxed(),
            #[cfg(test)]
            Self::Panicking(_) => panic!("as the test wants it"),
        };
        query.await
    }
}
