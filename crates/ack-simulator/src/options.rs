//! What a stand-in is made from.

use std::time::Duration;

use ack_client::names::Region;
use jiff::Timestamp;

use crate::auth::keys::KeyPair;
use crate::faults::Rule;
use crate::identity::Identities;
use crate::retirement::Retired;
use crate::world::{TaskLists, Upgrading};

/// What a stand-in is like.
#[derive(Debug, Clone)]
pub struct Options {
    /// All that is invented follows from this number.
    pub seed: u64,
    /// How many clusters there are all the time.
    pub clusters: usize,
    /// How many more come and go.
    pub guests: usize,
    /// How many of those that stay keep being upgraded.
    pub upgrading: Upgrading,
    /// How long their lists of tasks are.
    pub task_lists: TaskLists,
    /// Where they are.
    pub regions: Vec<Region>,
    /// The keys of the account.
    pub keys: Vec<KeyPair>,
    /// Who may become whom.
    pub identities: Identities,
    /// The time of day when the world begins.
    pub start: Timestamp,
    /// How far the date of a call may be off to either side.
    pub clock_tolerance: Duration,
    /// How long every answer takes.
    pub latency: Duration,
    /// How far the lists lag behind the clusters.
    pub list_lag: Duration,
    /// What goes wrong from the beginning.
    pub faults: Vec<Rule>,
    /// What the old operations say, in all regions, if they have been switched off.
    pub retired: Option<Retired>,
    /// How many of the last calls are kept.
    pub calls_kept: usize,
}

impl Default for Options {
    fn default() -> Self {
        let regions = ["cn-hangzhou", "cn-shanghai", "ap-southeast-1"]
            .map(|region| Region::parse(region).expect("a region of the vendor"));
        Self {
            seed: 7,
            clusters: 12,
            guests: 0,
            upgrading: Upgrading::All,
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
