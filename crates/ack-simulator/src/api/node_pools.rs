//! `DescribeClusterNodePools`.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::Serialize;
use serde_json::{Value, json};

use crate::api::OperationCall;
use crate::api::variation::vary;
use crate::error_response::ErrorResponse;
use crate::random::{mix, within};
use crate::world::World;
use crate::world::clock::beijing_nanos;
use crate::world::cluster::Cluster;
use crate::world::cluster_kind::ClusterKind;
use crate::world::node_pools::{NodePool, NodePoolPhase};

/// Size of the longest `user_data` in bytes before its encoding.
const LONGEST_USER_DATA: usize = 24 * 1024;

/// Milliseconds between the starts of two scale-outs of a pool.
const SCALING_PERIOD: u64 = 300_000;

/// Length of a scale-out in milliseconds.
const SCALING_TIME: u64 = 20_000;

/// The fields of `status`.
#[derive(Default, Serialize)]
struct NodePoolStatus {
    state: &'static str,
    total_nodes: u64,
    healthy_nodes: u64,
    failed_nodes: u64,
    initial_nodes: u64,
    offline_nodes: u64,
    removing_nodes: u64,
    serving_nodes: u64,
}

/// The body of the response: all pools, because the operation has no pages.
pub(super) fn list(call: &OperationCall<'_>) -> Result<String, ErrorResponse> {
    let cluster = call.cluster()?;
    let wanted = call.parameter("NodepoolName");
    let pools: Vec<_> = cluster
        .node_pools()
        .iter()
        .filter(|pool| wanted.is_none_or(|wanted| name(pool) == wanted))
        .map(|pool| entry(call.world(), cluster, pool, call.millis))
        .collect();
    Ok(json!({ "nodepools": pools }).to_string())
}

fn entry(world: &World, cluster: &Cluster, pool: &NodePool, millis: i64) -> Value {
    let scales_itself = mix(&[pool.seed, 20]).is_multiple_of(4);
    let mut entry = json!({
        "nodepool_info": info(world, cluster, pool),
        "status": NodePoolStatus::of(cluster, pool, millis),
        "node_components": components(cluster, pool, millis),
        "kubernetes_config": {
            "runtime": "containerd",
            "runtime_version": if pool.position == 0 { "2.1.3" } else { "1.6.39" },
            "unschedulable": false,
            "cpu_policy": "none",
            "labels": [{"key": "pool", "value": name(pool)}],
            "taints": [],
            "user_data": user_data(pool),
        },
        "scaling_group": {
            "image_id": "aliyun_3_x64_20G_alibase_20260831.vhd",
            "image_type": "AliyunLinux3",
            "instance_types": ["ecs.g8i.2xlarge"],
        },
        "management": {
            "enable": !mix(&[pool.seed, 21]).is_multiple_of(4),
            "auto_repair": true,
            "auto_vul_fix": false,
            "auto_upgrade": false,
            "auto_upgrade_policy": {"auto_upgrade_kubelet": false},
            "upgrade_config": {"auto_upgrade": false, "max_unavailable": 1 + pool.position},
        },
        "auto_scaling": {"enable": scales_itself, "min_instances": 0, "max_instances": 100},
        "auto_mode": {"enable": false},
    });
    if !scales_itself {
        // A pool that scales itself has no desired size.
        entry["scaling_group"]["desired_size"] = json!(pool.size);
    }
    vary(&mut entry, pool.seed, &["scaling_group", "runtime_version"]);
    entry
}

fn info(world: &World, cluster: &Cluster, pool: &NodePool) -> Value {
    let created = ClusterKind::of(cluster).created(&world.clock);
    json!({
        "nodepool_id": pool.id,
        "name": name(pool),
        "region_id": cluster.region.as_str(),
        "resource_group_id": "rg-acfm2demo0000000",
        "created": beijing_nanos(created),
        "updated": beijing_nanos(world.clock.at(0)),
        "type": kind(pool),
        "is_default": pool.position == 0,
    })
}

/// `node_components`, with the version of the kubelets. One pool in twelve has none, as in the
/// older models of the API.
fn components(cluster: &Cluster, pool: &NodePool, millis: i64) -> Value {
    if mix(&[pool.seed, 22]).is_multiple_of(12) {
        return Value::Null;
    }
    let kubelet = cluster.kubelet_version(pool, millis).to_string();
    json!([
        {"name": "kubelet", "version": kubelet, "config_revision": "1"},
        {"name": "containerd", "version": "2.1.3"},
    ])
}

fn name(pool: &NodePool) -> String {
    match (pool.position, pool.seed % 3) {
        (0, _) => "default-nodepool".to_owned(),
        (position, 0) => format!("gpu-{position}"),
        (position, 1) => format!("spot-{position}"),
        (position, _) => format!("batch-{position}"),
    }
}

fn kind(pool: &NodePool) -> &'static str {
    match mix(&[pool.seed, 23]) % 12 {
        0 if pool.position > 0 => "lingjun",
        1 if pool.position > 0 => "edge",
        _ => "ess",
    }
}

/// The script that a new node runs, in base64; a long one in one pool out of six.
fn user_data(pool: &NodePool) -> String {
    let script = "#!/bin/sh\necho 'vm.max_map_count = 262144' >>/etc/sysctl.conf\n";
    match mix(&[pool.seed, 24]) % 6 {
        0 => BASE64_STANDARD.encode(script.repeat(LONGEST_USER_DATA / script.len())),
        1 | 2 => BASE64_STANDARD.encode(script),
        _ => String::new(),
    }
}

impl NodePoolStatus {
    fn of(cluster: &Cluster, pool: &NodePool, millis: i64) -> Self {
        let phase = cluster
            .newest_node_pool_upgrade(pool, millis)
            .map(|upgrade| upgrade.phase);
        let serving = match phase {
            Some(NodePoolPhase::Upgrading | NodePoolPhase::Failed) => pool.size.saturating_sub(1),
            _ => pool.size,
        };
        let status = Self {
            state: "active",
            total_nodes: pool.size,
            healthy_nodes: serving,
            serving_nodes: serving,
            ..Self::default()
        };
        let missing = pool.size - serving;
        match phase {
            // The reference has no word for a pool that is being upgraded.
            Some(NodePoolPhase::Upgrading | NodePoolPhase::Paused) => Self {
                state: "updating",
                offline_nodes: missing,
                ..status
            },
            Some(NodePoolPhase::Failed) => Self {
                failed_nodes: missing,
                ..status
            },
            Some(NodePoolPhase::Succeeded) | None if is_scaling(pool, millis) => Self {
                state: "scaling",
                total_nodes: pool.size + 1,
                initial_nodes: 1,
                ..status
            },
            Some(NodePoolPhase::Succeeded) | None => status,
        }
    }
}

/// Returns true while the pool gets one more node.
fn is_scaling(pool: &NodePool, millis: i64) -> bool {
    let lead = within(mix(&[pool.seed, 25]), 0, SCALING_PERIOD);
    let position = (millis.unsigned_abs() + lead) % SCALING_PERIOD;
    position < SCALING_TIME
}
