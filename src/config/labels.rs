//! Names of labels.

use serde::de::{Deserialize as _, Deserializer, Error as _};

use super::Metrics;

/// Names that a user's label or the cluster label must not take: the labels of the families about
/// upgrades, and those that Prometheus attaches itself.
pub const RESERVED_LABELS: &[&str] = &[
    "account",
    "cluster",
    "instance",
    "job",
    "le",
    "message",
    "name",
    "next_version",
    "precheck_report_id",
    "quantile",
    "reason",
    "region",
    "source",
    "spec",
    "state",
    "status",
    "step",
    "target_version",
    "task_id",
    "type",
    "version",
];

/// Names that only the cluster label must not take: the other labels beside it, in the families
/// without a user's labels.
pub const LABELS_BESIDE_CLUSTER: &[&str] = &[
    "addon",
    "available_version",
    "channel",
    "condition",
    "image",
    "kubelet_version",
    "node_pool",
    "plan",
    "query",
    "result",
    "runtime",
    "runtime_version",
    "target",
];

/// Reads the name of the label that holds the cluster ID.
pub(super) fn cluster_label<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    let label = String::deserialize(deserializer)?;
    if label != Metrics::default().cluster_label {
        check(&label).map_err(D::Error::custom)?;
        if LABELS_BESIDE_CLUSTER.contains(&label.as_str()) {
            return Err(D::Error::custom(taken(&label)));
        }
    }
    Ok(label)
}

/// Checks that `label` is a label name which is still free.
pub(super) fn check(label: &str) -> Result<(), String> {
    let legal = label.bytes().enumerate().all(|(index, b)| {
        b.is_ascii_alphabetic() || b == b'_' || (index > 0 && b.is_ascii_digit())
    });
    if label.is_empty() || !legal || label.starts_with("__") {
        return Err(format!(
            "{label:?} is not a label name: [a-zA-Z_][a-zA-Z0-9_]*, not starting with __"
        ));
    }
    if RESERVED_LABELS.contains(&label) {
        return Err(taken(label));
    }
    Ok(())
}

/// The complaint about a label whose name is taken.
pub(super) fn taken(label: &str) -> String {
    format!("{label:?} is a label of the exporter's own")
}
