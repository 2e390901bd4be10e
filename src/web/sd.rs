//! `/sd`: the clusters as targets of Prometheus' HTTP service discovery.

use std::collections::BTreeMap;
use std::sync::Arc;

use ack_client::names::{AccountName, Region};
use ack_client::text::clean_message;
use serde::Serialize;

use crate::cluster::ClusterInfo;

/// The prefix of every label. Prometheus drops such labels unless a relabelling rule keeps them.
const PREFIX: &str = "__meta_cs_";

/// One entry of the list: a group with one target.
#[derive(Serialize)]
struct TargetGroup<'a> {
    targets: [&'a str; 1],
    labels: BTreeMap<String, String>,
}

/// Renders the body of `/sd`: a JSON list with one group per cluster.
///
/// The target is the cluster ID, which a relabelling rule makes the `target` of `/probe`. The
/// labels are `__meta_cs_cluster_id`, `_cluster_name`, `_account`, `_region`, `_cluster_type`,
/// `_spec`, `_version`, and `__meta_cs_label_<name>` for each label of the configuration. Unknown
/// values are empty; all values are those of the metrics.
#[expect(
    clippy::missing_panics_doc,
    reason = "lists and maps of text always become JSON"
)]
pub fn targets(clusters: &[Arc<ClusterInfo>]) -> String {
    let groups: Vec<TargetGroup<'_>> = clusters.iter().map(|cluster| group(cluster)).collect();
    serde_json::to_string(&groups).expect("strings in lists and maps are JSON")
}

/// Renders the body of an error: the cluster lists that have not been read, one per line.
pub fn unread(lists: &[(AccountName, Region)]) -> String {
    let line = |(account, region): &(AccountName, Region)| {
        format!("the cluster list of account {account} in {region} has not been read yet\n")
    };
    lists.iter().map(line).collect()
}

fn group(cluster: &ClusterInfo) -> TargetGroup<'_> {
    let known = [
        ("cluster_id", cluster.id.to_string()),
        ("cluster_name", clean_message(&cluster.name)),
        ("account", cluster.account.to_string()),
        (
            "region",
            cluster
                .region
                .as_ref()
                .map(Region::to_string)
                .unwrap_or_default(),
        ),
        ("cluster_type", clean_message(&cluster.cluster_type)),
        ("spec", clean_message(&cluster.spec)),
        ("version", clean_message(&cluster.version)),
    ];
    let own = cluster
        .labels
        .iter()
        .map(|(name, value)| (format!("{PREFIX}label_{name}"), value.clone()));
    let labels = known
        .into_iter()
        .map(|(name, value)| (format!("{PREFIX}{name}"), value))
        .chain(own)
        .collect();
    TargetGroup {
        targets: [cluster.id.as_str()],
        labels,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::snapshot::Outcome;
    use crate::web::fixture;

    #[test]
    fn each_cluster_is_a_group_of_one_target_with_labels_that_are_strings() {
        let known = fixture::cluster("c1", Outcome::NotAsked).cluster;
        let cluster = ClusterInfo {
            name: "shop \"升\"\n".to_owned(),
            ..ClusterInfo::clone(&known)
        };
        let bare = ClusterInfo {
            region: None,
            labels: BTreeMap::new(),
            version: String::new(),
            ..cluster.clone()
        };
        let body: Value =
            serde_json::from_str(&targets(&[Arc::new(cluster), Arc::new(bare)])).unwrap();
        let expected = json!({
            "targets": ["c1"],
            "labels": {
                "__meta_cs_account": "prod",
                "__meta_cs_cluster_id": "c1",
                "__meta_cs_cluster_name": "shop \"升\"",
                "__meta_cs_cluster_type": "ManagedKubernetes",
                "__meta_cs_label_team": "payments",
                "__meta_cs_region": "cn-hangzhou",
                "__meta_cs_spec": "ack.pro.small",
                "__meta_cs_version": "1.30.1-aliyun.1",
            }
        });
        assert_eq!(body[0], expected);
        assert_eq!(body[1]["labels"]["__meta_cs_region"], "");
        assert_eq!(body[1]["labels"]["__meta_cs_version"], "");
    }

    #[test]
    fn no_clusters_are_an_empty_list() {
        assert_eq!(targets(&[]), "[]");
    }
}
