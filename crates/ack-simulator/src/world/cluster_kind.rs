//! Type and size of a cluster, as a function of its seed.

use jiff::Timestamp;

use crate::random::{mix, within};
use crate::world::clock::{DAY, WorldClock};
use crate::world::cluster::Cluster;

/// Combinations of `cluster_type`, `cluster_spec` and `profile`.
const KINDS: [(&str, &str, &str); 6] = [
    ("ManagedKubernetes", "ack.pro.small", "Default"),
    ("ManagedKubernetes", "ack.pro.small", "Default"),
    ("ManagedKubernetes", "ack.standard", "Default"),
    ("ManagedKubernetes", "ack.pro.xlarge", "Default"),
    ("ManagedKubernetes", "ack.pro.small", "Serverless"),
    ("Kubernetes", "", "Default"),
];

/// Type and size of a cluster.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClusterKind {
    pub(crate) cluster_type: &'static str,
    pub(crate) cluster_spec: &'static str,
    pub(crate) profile: &'static str,
    /// Number of nodes.
    pub(crate) size: u64,
    /// Age in days when the world starts.
    pub(crate) age_days: u64,
}

impl ClusterKind {
    pub(crate) fn of(cluster: &Cluster) -> Self {
        let seed = cluster.schedule.seed();
        let kind = within(mix(&[seed, 30]), 0, KINDS.len() as u64);
        let (cluster_type, cluster_spec, profile) =
            KINDS[usize::try_from(kind).unwrap_or_default()];
        Self {
            cluster_type,
            cluster_spec,
            profile,
            size: within(mix(&[seed, 31]), 3, 60),
            age_days: within(mix(&[seed, 32]), 40, 900),
        }
    }

    /// The creation of the cluster.
    pub(crate) fn created(&self, clock: &WorldClock) -> Timestamp {
        clock.at(-DAY * i64::try_from(self.age_days).unwrap_or_default())
    }
}
