//! Where the state of an upgrade is read: two sources of the same truth, and one that finds out
//! which is served.

mod auto;
mod tasks;
mod upgrade_status;

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use ack_client::Endpoint;
use ack_client::names::{ClusterId, Region};
use ack_client::{ApiError, Budget, Client};

pub use auto::Auto;
pub use tasks::Tasks;
pub use upgrade_status::UpgradeStatus;

use crate::config::{Account, Source};
use crate::upgrade::{SourceName, UpgradeState};

/// What is asked of a source.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The cluster.
    pub cluster: &'a ClusterId,
    /// The server that knows it.
    pub endpoint: &'a Endpoint,
    /// How long the answer may take, and what it may use of the rate limit.
    pub budget: &'a Budget,
    /// What the source answered last, so that it need not ask again for what cannot have changed.
    pub known: Option<&'a UpgradeState>,
}

/// The future of [`UpgradeSource::read`].
pub type Reading<'a> = Pin<Box<dyn Future<Output = Result<UpgradeState, ApiError>> + Send + 'a>>;

/// Reads the state of upgrades, for one account and region.
pub trait UpgradeSource: Debug + Send + Sync {
    /// Reads the state of one cluster's upgrade within the question's budget. Dropping the future
    /// abandons it.
    fn read<'a>(&'a self, question: Question<'a>) -> Reading<'a>;

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
        Source::Auto => Arc::new(Auto::new(
            account.name.clone(),
            region.cloned(),
            client,
            upgrade_status,
            tasks,
        )),
    }
}
