//! One cluster in the body of a response.

use serde::Serialize;

use crate::api::maintenance::{maintenance_window, operation_policy};
use crate::random::mix;
use crate::world::World;
use crate::world::clock::beijing;
use crate::world::cluster::{Cluster, ClusterState};
use crate::world::cluster_kind::ClusterKind;

/// A cluster as lists and details describe it.
#[derive(Serialize)]
pub(crate) struct ClusterBody<'a> {
    cluster_id: &'a str,
    name: String,
    region_id: &'a str,
    state: &'static str,
    cluster_type: &'static str,
    cluster_spec: &'static str,
    profile: &'static str,
    current_version: String,
    init_version: String,
    next_version: String,
    created: String,
    updated: String,
    size: u64,
    deletion_protection: bool,
    resource_group_id: String,
    vpc_id: String,
    vswitch_ids: [String; 1],
    security_group_id: String,
    service_cidr: &'static str,
    container_cidr: &'static str,
    cluster_domain: &'static str,
    proxy_mode: &'static str,
    ip_stack: &'static str,
    timezone: &'static str,
    tags: Vec<Tag>,
    #[serde(flatten)]
    details: Option<Details>,
}

#[derive(Serialize)]
struct Tag {
    key: &'static str,
    value: String,
}

/// The fields that the list of a region leaves out.
#[derive(Serialize)]
struct Details {
    /// JSON inside a string, as the API sends it.
    meta_data: String,
    master_url: String,
    docker_version: &'static str,
    external_loadbalancer_id: String,
    network_mode: &'static str,
    private_zone: bool,
    subnet_cidr: &'static str,
    vswitch_id: String,
    worker_ram_role_name: String,
    zone_id: String,
    operation_policy: serde_json::Value,
    maintenance_window: serde_json::Value,
}

/// The number of fields of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DetailLevel {
    /// The fields in the list of a region.
    Brief,
    /// The fields in the list of an account and in the details of a cluster.
    Full,
}

impl<'a> ClusterBody<'a> {
    pub(crate) fn new(
        world: &World,
        cluster: &'a Cluster,
        state: &ClusterState,
        level: DetailLevel,
    ) -> Self {
        let kind = ClusterKind::of(cluster);
        let name = cluster.name();
        let created = kind.created(&world.clock);
        let updated = match state.upgrade.sequence {
            Some(_) => world.clock.at(state.upgrade.since),
            None => created,
        };
        Self {
            cluster_id: cluster.id.as_str(),
            region_id: cluster.region.as_str(),
            state: if state.upgrade.phase.is_in_progress() {
                "upgrading"
            } else {
                "running"
            },
            cluster_type: kind.cluster_type,
            cluster_spec: kind.cluster_spec,
            profile: kind.profile,
            current_version: state.version.to_string(),
            init_version: state.init_version.to_string(),
            next_version: state
                .next_version
                .map(|version| version.to_string())
                .unwrap_or_default(),
            created: beijing(created),
            updated: beijing(updated),
            size: kind.size,
            deletion_protection: name.contains("prod"),
            resource_group_id: "rg-acfm2demo0000000".to_owned(),
            vpc_id: generate(cluster, "vpc-bp1", 40),
            vswitch_ids: [generate(cluster, "vsw-bp1", 41)],
            security_group_id: generate(cluster, "sg-bp1", 42),
            service_cidr: "172.21.0.0/20",
            container_cidr: "172.20.0.0/16",
            cluster_domain: "cluster.local",
            proxy_mode: "ipvs",
            ip_stack: "ipv4",
            timezone: "Asia/Shanghai",
            tags: tags(&name),
            details: (level == DetailLevel::Full).then(|| Details::new(world, cluster, state)),
            name,
        }
    }
}

impl Details {
    fn new(world: &World, cluster: &Cluster, state: &ClusterState) -> Self {
        Self {
            meta_data: format!(
                "{{\"Addons\":[{{\"name\":\"coredns\"}}],\"KubernetesVersion\":\"{}\"}}",
                state.version
            ),
            master_url: format!(
                "{{\"intranet_api_server_endpoint\":\"https://10.{}.0.1:6443\"}}",
                cluster.schedule.seed() % 256
            ),
            docker_version: "",
            external_loadbalancer_id: generate(cluster, "lb-bp1", 43),
            network_mode: "vpc",
            private_zone: false,
            subnet_cidr: "172.20.0.0/16",
            vswitch_id: generate(cluster, "vsw-bp1", 41),
            worker_ram_role_name: generate(cluster, "KubernetesWorkerRole-", 44),
            zone_id: format!("{}-h", cluster.region),
            operation_policy: operation_policy(cluster),
            maintenance_window: maintenance_window(world, cluster),
        }
    }
}

/// `env` and `app` from the words of the name, and the tag that Alibaba Cloud adds itself.
fn tags(name: &str) -> Vec<Tag> {
    let mut words = name.split('-');
    let application = words.next().unwrap_or_default();
    let environment = words.next().unwrap_or_default();
    [
        ("env", environment),
        ("app", application),
        ("ack.aliyun.com", name),
    ]
    .map(|(key, value)| Tag {
        key,
        value: value.to_owned(),
    })
    .into()
}

fn generate(cluster: &Cluster, prefix: &str, salt: u64) -> String {
    format!("{prefix}{:016x}", mix(&[cluster.schedule.seed(), salt]))
}
