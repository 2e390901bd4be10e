//! Generated IDs and names of clusters.

use ack_client::names::ClusterId;

use crate::random::mix;

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
