//! The queries that an account asks beside the upgrades.

mod slots;

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use ack_client::Client;
use ack_client::names::{AccountName, Region};
use tokio::time::Instant;

use self::slots::Slots;
use super::entry::{Now, Target};
use super::progress::CollectionProgress;
use crate::cluster::ClusterInfo;
use crate::config;
use crate::queries::addons::{AddonOffers, InstalledAddons};
use crate::queries::maintenance::Maintenance;
use crate::queries::node_pools::NodePools;
use crate::queries::plans::Plans;
use crate::queries::prechecks::Prechecks;
use crate::queries::versions::Versions;
use crate::queries::{Activity, Watched};
use crate::snapshot::QueryReading;

pub(super) use slots::Job;

/// The queries that `settings` name.
pub(super) fn watches(account: &AccountName, settings: &config::Watch) -> Vec<Arc<dyn Watch>> {
    let config::Watch {
        plans,
        versions,
        node_pools,
        addons,
        prechecks,
        maintenance,
    } = settings;
    let mut watches: Vec<Arc<dyn Watch>> = Vec::new();
    if let Some(every) = plans {
        watches.push(Slots::new(account, Plans::new(every.interval)));
    }
    if let Some(every) = versions {
        watches.push(Slots::new(account, Versions::new(every.interval)));
    }
    if let Some(every) = node_pools {
        watches.push(Slots::new(account, NodePools::new(every.interval)));
    }
    if let Some(every) = addons {
        watches.push(Slots::new(account, InstalledAddons::new(every.interval)));
        watches.push(Slots::new(account, AddonOffers::new(every.interval)));
    }
    if let Some(every) = prechecks {
        watches.push(Slots::new(account, Prechecks::new(every.interval)));
    }
    if let Some(every) = maintenance {
        watches.push(Slots::new(account, Maintenance::new(every.interval)));
    }
    watches
}

/// One query and what is known by it, whatever the types of its subjects and answers.
pub(super) trait Watch: Any + Debug + Send + Sync {
    /// Brings the subjects in line with the clusters and with what happens to them. With
    /// `AllKnown`, subjects without a cluster go.
    fn update_subjects(&self, targets: &[(Target, Activity)], knowledge: Knowledge);

    /// The queries that are due at `now`, at most `limit` of them, those that are overdue longest
    /// first.
    fn due<'a>(&'a self, client: &'a Client, now: Instant, limit: usize) -> Vec<Job<'a>>;

    /// The number of subjects, and of those whose query has succeeded or failed.
    fn progress(&self) -> CollectionProgress;

    /// Adds what is known of `cluster` at `now`.
    fn add(&self, cluster: &ClusterInfo, now: Now, watched: &mut Watched);

    /// The outcome of the last query of each region; empty for a query about single clusters.
    fn region_readings(&self) -> Vec<(Region, QueryReading)>;

    /// The outcome of the last query about `cluster`; None for a query about whole regions.
    fn cluster_reading(&self, cluster: &ClusterInfo) -> Option<QueryReading>;

    /// Takes over the slots of `earlier`, if it is the same query.
    fn inherit(&self, earlier: &dyn Watch);
}

/// Whether all clusters of the account are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Knowledge {
    /// A list has not been read yet.
    Partial,
    /// Every list has been read.
    AllKnown,
}
