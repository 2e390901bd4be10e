//! Options of a simulator.

use std::time::Duration;

use ack_client::names::Region;
use jiff::Timestamp;

use crate::auth::keys::KeyPair;
use crate::faults::Rule;
use crate::identity::Identities;
use crate::retirement::RetiredResponse;

/// The properties of a [`Simulator`](crate::Simulator).
#[derive(Debug, Clone)]
pub struct Options {
    /// The seed of everything that is generated.
    pub seed: u64,
    /// Number of permanent clusters.
    pub clusters: usize,
    /// Largest number of clusters with a short lifetime.
    pub ephemeral_clusters: usize,
    /// The permanent clusters that are upgraded again and again.
    pub upgrading: UpgradingClusters,
    /// The length of the clusters' task lists.
    pub task_lists: TaskLists,
    /// The regions of the clusters.
    pub regions: Vec<Region>,
    /// The keys of the account.
    pub keys: Vec<KeyPair>,
    /// The rules of STS and the metadata service.
    pub identities: Identities,
    /// The time of day at which the world starts.
    pub start: Timestamp,
    /// The largest accepted difference of a call's date, to either side.
    pub clock_tolerance: Duration,
    /// Time before every response.
    pub latency: Duration,
    /// Time by which the lists lag behind the clusters.
    pub list_lag: Duration,
    /// Faults from the start on.
    pub faults: Vec<Rule>,
    /// The response of `GetUpgradeStatus` and `DescribeClustersV1` if they have been switched off
    /// in all regions.
    pub retired: Option<RetiredResponse>,
    /// Number of last calls that are kept.
    pub calls_kept: usize,
}

/// The number of tasks in the clusters' task lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskLists {
    /// All tasks of a cluster fit on one page of fifty.
    Short,
    /// The same, but one cluster in a dozen has several hundred tasks.
    LongForSome,
}

/// The clusters that are upgraded again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpgradingClusters {
    /// All but one in a dozen, which is never upgraded.
    All,
    /// The first ones in the account's list; the others never change.
    First(usize),
}

impl Default for Options {
    fn default() -> Self {
        let regions = ["cn-hangzhou", "cn-shanghai", "ap-southeast-1"]
            .map(|region| Region::parse(region).expect("the name of a region"));
        Self {
            seed: 7,
            clusters: 12,
            ephemeral_clusters: 0,
            upgrading: UpgradingClusters::All,
            task_lists: TaskLists::LongForSome,
            regions: regions.to_vec(),
            keys: vec![KeyPair::demo()],
            identities: Identities::default(),
            start: Timestamp::now(),
            clock_tolerance: Duration::from_secs(15 * 60),
            latency: Duration::ZERO,
            list_lag: Duration::ZERO,
            faults: Vec::new(),
            retired: None,
            calls_kept: 4096,
        }
    }
}
