//! Generated clusters, with their IDs and names.

use ack_client::names::ClusterId;

use crate::options::{Options, UpgradingClusters};
use crate::random::mix;
use crate::world::background_tasks::BackgroundTasks;
use crate::world::cluster::Cluster;
use crate::world::cluster_traits::ClusterTraits;
use crate::world::schedule::UpgradeSchedule;

/// The permanent cluster at a position of the account's list.
pub(super) fn generate_cluster(number: usize, options: &Options) -> Cluster {
    let regions = &options.regions;
    // Shifted by one in each round, so that an application has clusters in several regions.
    let region = &regions[(number + number / regions.len()) % regions.len()];
    let is_inactive =
        matches!(options.upgrading, UpgradingClusters::First(count) if number >= count);
    let schedule = if is_inactive {
        UpgradeSchedule::inactive(options.seed, number)
    } else {
        UpgradeSchedule::recurring(options.seed, number)
    };
    let seed = schedule.seed();
    let traits = if is_inactive && seed.is_multiple_of(4) {
        ClusterTraits::up_to_date(seed)
    } else {
        ClusterTraits::of(seed, number)
    };
    Cluster::new(
        cluster_id(options.seed, number),
        region.clone(),
        cluster_name(number),
        schedule,
        BackgroundTasks::of(number, options.task_lists),
        traits,
    )
}

pub(crate) fn cluster_id(seed: u64, index: usize) -> ClusterId {
    let half = |salt| mix(&[seed, index as u64, salt]);
    ClusterId::parse(&format!("c{:016x}{:016x}", half(20), half(21)))
        .expect("hex digits are a cluster ID")
}

const APPLICATIONS: [&str; 12] = [
    "shop",
    "payments",
    "search",
    "orders",
    "inventory",
    "media",
    "billing",
    "analytics",
    "gateway",
    "identity",
    "recommend",
    "logistics",
];

const ENVIRONMENTS: [&str; 4] = ["prod", "staging", "test", "dev"];

/// `shop-prod`, `payments-staging` …, followed by a number when all combinations are used up.
pub(crate) fn cluster_name(index: usize) -> String {
    let application = APPLICATIONS[index % APPLICATIONS.len()];
    let round = index / APPLICATIONS.len();
    let environment = ENVIRONMENTS[(index + round) % ENVIRONMENTS.len()];
    match round / ENVIRONMENTS.len() {
        0 => format!("{application}-{environment}"),
        repetition => format!("{application}-{environment}-{}", repetition + 1),
    }
}
