//! `DescribeClusterNodePools`, and the tasks that upgrade node pools.

use std::collections::BTreeSet;

use super::*;
use crate::world::cluster::Cluster;
use crate::world::node_pools::{NodePoolPhase, NodePoolUpgrade};

async fn pools(client: &SignedClient, id: &ClusterId) -> Vec<Value> {
    let path = format!("/clusters/{id}/nodepools");
    let body = client.json(Action::DescribeClusterNodePools, &path).await;
    body["nodepools"].as_array().expect("a list").clone()
}

/// The tasks of node pools of a cluster, newest first.
async fn pool_tasks(client: &SignedClient, id: &ClusterId) -> Vec<Value> {
    let path = format!("/clusters/{id}/tasks?page_size=100");
    let list = client.json(Action::DescribeClusterTasks, &path).await;
    let mut tasks = Vec::new();
    for task in list["tasks"].as_array().expect("a list") {
        let kind = task["task_type"].as_str().expect("a type");
        if kind.eq_ignore_ascii_case("nodepool_upgrade") {
            let path = format!("/tasks/{}", task["task_id"].as_str().expect("an ID"));
            tasks.push(client.json(Action::DescribeTaskInfo, &path).await);
        }
    }
    tasks
}

fn kubelet(pool: &Value) -> Option<&str> {
    let components = pool["node_components"].as_array()?;
    components
        .iter()
        .find(|component| component["name"] == "kubelet")?["version"]
        .as_str()
}

/// The newest upgrades of the pools of a cluster.
fn newest_upgrades(cluster: &Cluster, millis: i64) -> Vec<NodePoolUpgrade> {
    let pools = cluster.node_pools();
    pools
        .iter()
        .filter_map(|pool| cluster.newest_node_pool_upgrade(pool, millis))
        .collect()
}

/// Takes a cluster through a successful upgrade that is not one of its schedule.
async fn upgrade(client: &SignedClient, id: &ClusterId) {
    let canceled = Phase::Canceled(UpgradeStage::Precheck);
    for phase in [canceled, Phase::Upgrading, Phase::Succeeded] {
        client.simulator.world().set_phase(id, phase, None);
        tokio::time::advance(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_has_one_to_three_pools_and_one_of_them_is_the_default() {
    let client = SignedClient::new(Options {
        clusters: 60,
        ..Options::default()
    });
    let (mut counts, mut ids, mut longest) = (BTreeSet::new(), BTreeSet::new(), 0);
    for id in client.simulator.world().clusters() {
        let known = client.simulator.world().node_pools(&id);
        let pools = pools(&client, &id).await;
        counts.insert(pools.len());
        for pool in &pools {
            let info = &pool["nodepool_info"];
            assert!(ids.insert(info["nodepool_id"].as_str().expect("an ID").to_owned()));
            assert!(known.iter().any(|id| info["nodepool_id"] == id.as_str()));
            assert_eq!(info["is_default"], *pool == pools[0]);
            let user_data = pool["kubernetes_config"]["user_data"].as_str();
            longest = longest.max(user_data.map_or(0, str::len));
        }
    }
    assert_eq!(counts, BTreeSet::from([1, 2, 3]));
    assert!(longest > 32_000, "{longest}");
}

#[tokio::test(start_paused = true)]
async fn the_pools_follow_the_control_plane_one_after_the_other() {
    let client = SignedClient::with_defaults();
    let world = client.simulator.world();
    let id = world
        .clusters()
        .into_iter()
        .find(|id| world.find(id.as_str()).expect("it").node_pools().len() == 3)
        .expect("a cluster with three pools");
    upgrade(&client, &id).await;
    let path = format!("/clusters/{id}");
    let detail = client.json(Action::DescribeClusterDetail, &path).await;
    let mut states = Vec::new();
    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(3)).await;
        let pools = pools(&client, &id).await;
        let updating = pools.iter().position(|pool| {
            let state = pool["status"]["state"].as_str().expect("a state");
            state.eq_ignore_ascii_case("updating")
        });
        states.push(updating);
        tokio::time::advance(Duration::from_secs(7)).await;
    }
    assert_eq!(states, [Some(0), Some(1), Some(2)]);
    let tasks = pool_tasks(&client, &id).await;
    let newest: BTreeSet<_> = tasks[..3]
        .iter()
        .map(|task| {
            assert_eq!(task["state"], "success");
            assert_eq!(task["target"]["type"], "nodepool");
            assert_eq!(
                task["parameters"]["kubernetes_version"],
                detail["current_version"]
            );
            task["target"]["id"].as_str().expect("an ID").to_owned()
        })
        .collect();
    assert_eq!(newest.len(), 3, "each pool has its own task");
}

#[tokio::test(start_paused = true)]
async fn the_kubelets_keep_their_version_until_the_end_of_their_pools_upgrade() {
    let client = SignedClient::with_defaults();
    let id = client.first();
    let versions = async || -> Vec<String> {
        let pools = pools(&client, &id).await;
        let versions = pools.iter().filter_map(kubelet);
        versions.map(str::to_owned).collect()
    };
    upgrade(&client, &id).await;
    tokio::time::advance(Duration::from_secs(60)).await;
    let before = versions().await;
    upgrade(&client, &id).await;
    assert_eq!(versions().await, before);
    tokio::time::advance(Duration::from_secs(60)).await;
    let after = versions().await;
    assert!(!after.is_empty());
    assert!(before.iter().zip(&after).all(|(old, new)| old != new));
}

#[tokio::test(start_paused = true)]
async fn in_a_dozen_clusters_a_pool_fails_and_one_pauses_within_two_minutes() {
    for seed in 0..6 {
        let client = SignedClient::new(Options {
            seed,
            ..Options::default()
        });
        let world = client.simulator.world();
        let (mut failed, mut paused) = (None, None);
        for _ in 0..240 {
            tokio::time::advance(Duration::from_millis(500)).await;
            for id in world.clusters() {
                let cluster = world.find(id.as_str()).expect("the cluster");
                for upgrade in newest_upgrades(&cluster, world.clock.millis()) {
                    match upgrade.phase {
                        NodePoolPhase::Failed => failed = Some(id.clone()),
                        NodePoolPhase::Paused => paused = Some(id.clone()),
                        _ => {}
                    }
                }
            }
            if failed.is_some() && paused.is_some() {
                break;
            }
        }
        assert!(failed.is_some() && paused.is_some(), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_upgrade_has_an_error_and_a_planned_pause_has_none() {
    let client = SignedClient::with_defaults();
    let world = client.simulator.world();
    let mut seen = BTreeSet::new();
    for _ in 0..60 {
        tokio::time::advance(Duration::from_secs(2)).await;
        for number in [4, 8] {
            for task in pool_tasks(&client, &world.clusters()[number]).await {
                let state = task["state"].as_str().expect("a state").to_owned();
                let message = task["error"]["message"].as_str().unwrap_or_default();
                assert_eq!(!message.is_empty(), state.starts_with("fail"), "{task}");
                if state == "paused" {
                    let policy = &task["parameters"]["rolling_policy"]["pause_policy"];
                    assert_eq!(policy, "FirstBatch");
                }
                seen.insert(state);
            }
        }
    }
    for state in ["running", "success", "paused", "failed"] {
        assert!(seen.contains(state), "{state} is not in {seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_is_left_behind_stays_two_minor_versions_older() {
    let client = SignedClient::with_defaults();
    let world = client.simulator.world();
    let cluster = world.find(world.clusters()[7].as_str()).expect("a cluster");
    let pool = &cluster.node_pools()[0];
    for minutes in [0, 30, 300] {
        let millis = minutes * 60_000;
        let behind =
            cluster.state(millis).version.minor - cluster.kubelet_version(pool, millis).minor;
        assert_eq!(behind, 2);
        assert_eq!(cluster.newest_node_pool_upgrade(pool, millis), None);
    }
}

#[tokio::test(start_paused = true)]
async fn no_upgrade_of_a_pool_overlaps_the_next_one_of_its_cluster() {
    let client = SignedClient::with_defaults();
    let world = client.simulator.world();
    for _ in 0..300 {
        tokio::time::advance(Duration::from_secs(2)).await;
        for id in world.clusters() {
            let cluster = world.find(id.as_str()).expect("the cluster");
            let running: Vec<_> = newest_upgrades(&cluster, world.clock.millis())
                .into_iter()
                .filter(|upgrade| upgrade.phase.is_in_progress())
                .collect();
            assert!(running.len() <= 1, "{running:?}");
            let is_upgrading = world.phase(&id).expect("a phase").is_in_progress();
            assert!(running.is_empty() || !is_upgrading);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn pools_are_selected_by_name() {
    let client = SignedClient::with_defaults();
    let path = format!(
        "/clusters/{}/nodepools?NodepoolName=default-nodepool",
        client.first()
    );
    let body = client.json(Action::DescribeClusterNodePools, &path).await;
    assert_eq!(body["nodepools"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(start_paused = true)]
async fn unusual_spellings_occur_at_a_low_rate() {
    let client = SignedClient::new(Options {
        clusters: 300,
        ..Options::default()
    });
    let (mut total, mut capitals, mut texts, mut without_kubelet) = (0, 0, 0, 0);
    for id in client.simulator.world().clusters() {
        for pool in pools(&client, &id).await {
            let status = &pool["status"];
            let state = status["state"].as_str().expect("a state");
            total += 1;
            capitals += u32::from(state.chars().all(char::is_uppercase));
            texts += u32::from(status["total_nodes"].is_string());
            without_kubelet += u32::from(kubelet(&pool).is_none());
        }
    }
    for count in [capitals, texts, without_kubelet] {
        assert!(count > 0 && count < total / 6, "{count} of {total}");
    }
}
