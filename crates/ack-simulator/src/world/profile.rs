//! What kind of cluster a cluster is; follows from its seed.

use crate::random::{mix, within};
use crate::world::cluster::Cluster;

/// The kinds that occur: `cluster_type`, `cluster_spec`, and what the vendor calls `profile`.
const KINDS: [(&str, &str, &str); 6] = [
    ("ManagedKubernetes", "ack.pro.small", "Default"),
    ("ManagedKubernetes", "ack.pro.small", "Default"),
    ("ManagedKubernetes", "ack.standard", "Default"),
    ("ManagedKubernetes", "ack.pro.xlarge", "Default"),
    ("ManagedKubernetes", "ack.pro.small", "Serverless"),
    ("Kubernetes", "", "Default"),
];

/// The kind of a cluster.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Profile {
    pub(crate) cluster_type: &'static str,
    pub(crate) cluster_spec: &'static str,
    pub(crate) edition: &'static str,
    /// How many nodes it has.
    pub(crate) size: u64,
    /// How many days ago it was made.
    pub(crate) age_days: u64,
}

impl Profile {
    pub(crate) fn of(cluster: &Cluster) -> Self {
        let seed = cluster.script.seed();
        let kind = within(mix(&[seed, 30]), 0, KINDS.len() as u64);
        let (cluster_type, cluster_spec, edition) =
            KINDS[usize::try_from(kind).unwrap_or_default()];
        Self {
            cluster_type,
            cluster_spec,
            edition,
            size: within(mix(&[seed, 31]), 3, 60),
            age_days: within(mix(&[seed, 32]), 40, 900),
        }
    }
}
