//! The immutable result of one scrape, from which every page is rendered.

use std::sync::Arc;
use std::time::Duration;

use ack_client::names::{AccountName, Region};
use ack_client::{ApiError, Reason};
use jiff::Timestamp;

use crate::cluster::ClusterInfo;
use crate::queries::Watched;
use crate::shard::Shard;
use crate::upgrade::UpgradeState;

/// The result of a cluster's last query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The query succeeded, or a cached state is young enough.
    Up(Arc<UpgradeState>),
    /// The query failed.
    Down(Failure),
    /// No query has ended yet.
    NotAsked,
}

/// The failure of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The value of the label, one of a fixed set.
    pub reason: Reason,
    /// Text for people, without secrets.
    pub message: String,
    /// True if the failure probably lasts until an operator mends its cause.
    pub lasting: bool,
}

impl Failure {
    /// The failure that `error` stands for.
    pub fn of(error: &ApiError) -> Self {
        Self {
            reason: error.reason(),
            message: error.to_string(),
            lasting: error.kind.is_lasting(),
        }
    }
}

/// A cluster and the result of its last query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterReading {
    pub cluster: Arc<ClusterInfo>,
    pub outcome: Outcome,
    /// The duration of the last query, retries included.
    pub duration: Option<Duration>,
    /// The time of the last successful query.
    pub last_success: Option<Timestamp>,
    /// The time at which this process first saw the present status and step.
    pub since: Option<Timestamp>,
    /// Everything that is known beside the upgrade.
    pub watched: Watched,
    /// The outcomes of the queries about this cluster, apart from that of the upgrade.
    pub queries: Vec<QueryReading>,
}

/// The outcome of the last query of one name and subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryReading {
    /// The name of the query, as in the label `query`.
    pub query: &'static str,
    /// The reason and the message, if it failed.
    pub failure: Option<Failure>,
}

impl QueryReading {
    pub fn new(query: &'static str, failure: Option<&Failure>) -> Self {
        Self {
            query,
            failure: failure.cloned(),
        }
    }
}

/// The credentials, sources and cluster lists of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountReading {
    pub account: AccountName,
    /// The provider of the credentials; None until they have been obtained once.
    pub provider: Option<String>,
    /// The time at which the credentials expire, if they do.
    pub credentials_expiry: Option<Timestamp>,
    /// The source in use, by region; the region is empty where the endpoint needs none.
    pub sources: Vec<(String, &'static str)>,
    /// The cluster lists, by region; empty where discovery is not configured.
    pub discoveries: Vec<DiscoveryReading>,
    /// The outcomes of the queries about whole regions.
    pub queries: Vec<(Region, QueryReading)>,
}

/// The last read of the cluster list of one account and region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveryReading {
    pub region: Region,
    /// The reason and the message, if it failed.
    pub failure: Option<Failure>,
    /// The number of clusters that the last successful read found and the configuration selects,
    /// over all shards.
    pub clusters: usize,
}

impl DiscoveryReading {
    pub fn has_succeeded(&self) -> bool {
        self.failure.is_none()
    }
}

/// The state of a collection when a scrape took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The time at which it was taken.
    pub at: Timestamp,
    /// The time that the collection had taken by then.
    pub duration: Duration,
    /// The time that the collection may take, so that the page is sent before Prometheus gives up.
    pub budget: Duration,
    /// True if the query of every cluster had succeeded or failed.
    pub complete: bool,
    /// The shard that `clusters` belong to.
    pub shard: Shard,
    /// Every cluster of this instance, in the order of their IDs.
    pub clusters: Vec<ClusterReading>,
    /// Every account, in the order of the configuration.
    pub accounts: Vec<AccountReading>,
}
