//! What one scrape shows: immutable, shared, and all that the page is made of.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{ApiError, Reason};
use jiff::Timestamp;

use crate::shard::Shard;
use crate::upgrade::UpgradeState;

/// A cluster and what is known of it apart from its upgrade. Text that is not known is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterInfo {
    /// Its ID.
    pub id: ClusterId,
    /// Its name.
    pub name: String,
    /// The account that asks for it.
    pub account: AccountName,
    /// Its region, if it has to be known.
    pub region: Option<Region>,
    /// The vendor's `cluster_type`.
    pub cluster_type: String,
    /// The vendor's `cluster_spec`.
    pub spec: String,
    /// The Kubernetes version it runs.
    pub version: String,
    /// The Kubernetes version it could be upgraded to.
    pub next_version: String,
    /// The vendor's `state`, in lower case, where the cluster list is read.
    pub state: Option<String>,
    /// The operator's own labels.
    pub labels: BTreeMap<String, String>,
}

impl ClusterInfo {
    /// Whether `target`, an ID or a name, means this cluster.
    pub fn is_meant(&self, target: &str) -> bool {
        self.id.is_meant(&self.name, target)
    }
}

/// How the last query of a cluster went, as far as this page is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It answered, or a reading that is young enough stands in.
    Up(Arc<UpgradeState>),
    /// It did not.
    Down(Failure),
    /// It has never been asked.
    NotAsked,
}

/// Why a cluster has no state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The bounded label.
    pub reason: Reason,
    /// For people; no secret in it.
    pub message: String,
    /// Whether it lasts until somebody does something about it, as far as one query can tell.
    pub lasting: bool,
}

impl Failure {
    /// Why a call did not answer.
    pub fn of(error: &ApiError) -> Self {
        Self {
            reason: error.reason(),
            message: error.to_string(),
            lasting: error.kind.is_lasting(),
        }
    }
}

/// One cluster of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterReading {
    /// Which.
    pub cluster: Arc<ClusterInfo>,
    /// The answer.
    pub outcome: Outcome,
    /// How long the last query took, retries included.
    pub duration: Option<Duration>,
    /// When a query last succeeded.
    pub last_success: Option<Timestamp>,
    /// When this process first saw the present status and step.
    pub since: Option<Timestamp>,
}

/// What is known of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountReading {
    /// Which.
    pub account: AccountName,
    /// The credentials' provider, once one has answered.
    pub provider: Option<String>,
    /// When the credentials run out, if they do.
    pub credentials_expiry: Option<Timestamp>,
    /// The source in use, by region; the region is empty where it need not be known.
    pub sources: Vec<(String, &'static str)>,
    /// How the cluster list went, by region; empty where discovery is not configured.
    pub discoveries: Vec<DiscoveryReading>,
}

/// What is known of the cluster list of one account and region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveryReading {
    /// Which.
    pub region: Region,
    /// Whether the last read of the list succeeded.
    pub succeeded: bool,
    /// How many clusters the last good read found and the configuration selects, over all shards.
    pub clusters: usize,
}

/// One collection, as it stood when a waiter took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// When it was taken.
    pub at: Timestamp,
    /// How long the collection had taken by then.
    pub duration: Duration,
    /// How long it may take, so that the page is sent before those who wait give up.
    pub budget: Duration,
    /// Whether every cluster had been asked and had answered or failed.
    pub complete: bool,
    /// The part of all clusters that this is.
    pub shard: Shard,
    /// Every cluster of this instance, ordered by ID.
    pub clusters: Vec<ClusterReading>,
    /// Every account, in the order of the configuration.
    pub accounts: Vec<AccountReading>,
}
