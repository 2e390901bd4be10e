//! The state of one cluster's upgrade: two operations that tell it, and the detection of the one
//! that is served.

mod detect;
mod status;
mod tasks;

use std::fmt::Debug;
use std::sync::Arc;

use ack_client::Endpoint;
use ack_client::names::{ClusterId, Region};
use ack_client::{ApiError, Budget, Client};
use futures_util::future::BoxFuture;

pub use detect::SourceDetector;
pub use status::UpgradeStatus;
pub use tasks::Tasks;

use crate::config::{Account, Source};
use crate::upgrade::{SourceName, UpgradeState};

/// A query for the state of one cluster's upgrade.
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

/// The source that `account` asks for, for its clusters in `region`.
pub fn source(
    account: &Account,
    region: Option<&Region>,
    client: &Arc<Client>,
) -> Arc<dyn UpgradeSource> {
    let upgrade_status = UpgradeStatus::new(Arc::clone(client));
    let tasks = Tasks::new(Arc::clone(client), account.task_types.clone());
    match account.source {
        Source::UpgradeStatus => Arc::new(upgrade_status),
        Source::Tasks => Arc::new(tasks),
        Source::Auto => Arc::new(SourceDetector::new(
            account.name.clone(),
            region.cloned(),
            client,
            upgrade_status,
            tasks,
        )),
    }
}
