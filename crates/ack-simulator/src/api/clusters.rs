//! `DescribeClustersV1`, `DescribeClustersForRegion` and `DescribeClusterDetail`.

use std::sync::Arc;

use ack_client::names::Region;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::error_response::{Refusal, json};
use crate::random::mix;
use crate::request::Received;
use crate::world::clock::beijing;
use crate::world::cluster::{Cluster, Standing};
use crate::world::profile::Profile;
use crate::world::{Page, World};

/// The largest page; who asks for more gets this.
const MAX_PAGE: usize = 100;

#[derive(Serialize)]
struct List<'a> {
    clusters: Vec<Description<'a>>,
    page_info: PageInfo,
}

/// The part of a list that a reply holds.
#[derive(Serialize)]
pub(crate) struct PageInfo {
    page_number: usize,
    page_size: usize,
    total_count: usize,
}

#[derive(Serialize)]
struct Description<'a> {
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
    further: Option<Further>,
}

#[derive(Serialize)]
struct Tag {
    key: &'static str,
    value: String,
}

/// What the list of a region leaves out.
#[derive(Serialize)]
struct Further {
    /// JSON inside a string, as the vendor sends it.
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

/// How much a description tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// What the list of a region tells.
    Brief,
    /// What the list of an account and the detail tell.
    Full,
}

/// The body of `DescribeClustersV1`: the whole account, or the region of the query.
pub(crate) fn account_list(
    world: &World,
    received: &Received,
    millis: i64,
) -> Result<String, Refusal> {
    match received
        .parameter("region_id")
        .filter(|region| !region.is_empty())
    {
        Some(region) => list(
            world,
            Some(&parse_region(region)?),
            received,
            millis,
            Depth::Full,
        ),
        None => list(world, None, received, millis, Depth::Full),
    }
}

/// The body of `DescribeClustersForRegion`.
pub(crate) fn region_list(
    world: &World,
    region: &str,
    received: &Received,
    millis: i64,
) -> Result<String, Refusal> {
    list(
        world,
        Some(&parse_region(region)?),
        received,
        millis,
        Depth::Brief,
    )
}

/// The body of `DescribeClusterDetail`.
pub(crate) fn detail(world: &World, cluster: &Cluster, millis: i64) -> String {
    json(&describe(
        world,
        cluster,
        &cluster.standing(millis),
        Depth::Full,
    ))
}

fn list(
    world: &World,
    region: Option<&Region>,
    received: &Received,
    millis: i64,
    depth: Depth,
) -> Result<String, Refusal> {
    let (number, page) = requested_page(received, 10)?;
    let (total_count, picked) = match filter(received) {
        Some(wanted) => world.page(region, Some(&wanted), page),
        None => world.page(region, None, page),
    };
    let standings: Vec<_> = picked
        .iter()
        .map(|cluster| cluster.standing(millis))
        .collect();
    let describe_all = |clusters: &'_ [Arc<Cluster>]| {
        let clusters = clusters
            .iter()
            .zip(&standings)
            .map(|(cluster, standing)| describe(world, cluster, standing, depth))
            .collect();
        json(&List {
            clusters,
            page_info: PageInfo::new(number, page, total_count),
        })
    };
    Ok(describe_all(&picked))
}

impl PageInfo {
    pub(crate) fn new(page_number: usize, page: Page, total_count: usize) -> Self {
        Self {
            page_number,
            page_size: page.size,
            total_count,
        }
    }
}

/// The page that the query asks for, and its number.
pub(crate) fn requested_page(
    received: &Received,
    default_size: usize,
) -> Result<(usize, Page), Refusal> {
    let number = |name: &str, default| match received.parameter(name) {
        None | Some("") => Ok(default),
        Some(text) => text
            .parse()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| bad_parameter(name, text)),
    };
    let page_number: usize = number("page_number", 1)?;
    let size = number("page_size", default_size)?.min(MAX_PAGE);
    Ok((
        page_number,
        Page {
            skip: (page_number - 1).saturating_mul(size),
            size,
        },
    ))
}

fn bad_parameter(name: &str, text: &str) -> Refusal {
    Refusal::service(
        StatusCode::BAD_REQUEST,
        "InvalidParameter",
        format!("{name} {text:?} is invalid"),
    )
}

fn parse_region(region: &str) -> Result<Region, Refusal> {
    Region::parse(region).map_err(|_| bad_parameter("region_id", region))
}

/// The clusters that the query asks for; `None` if it asks for all.
fn filter(received: &Received) -> Option<impl Fn(&Cluster) -> bool> {
    let given = |name| received.parameter(name).filter(|value| !value.is_empty());
    let (id, name) = (given("cluster_id"), given("name"));
    let (kind, spec, profile) = (
        given("cluster_type"),
        given("cluster_spec"),
        given("profile"),
    );
    [id, name, kind, spec, profile]
        .iter()
        .any(Option::is_some)
        .then_some(move |cluster: &Cluster| {
            let itself = Profile::of(cluster);
            id.is_none_or(|id| cluster.id.as_str() == id)
                && name.is_none_or(|part| cluster.name().contains(part))
                && kind.is_none_or(|kind| itself.cluster_type == kind)
                && spec.is_none_or(|spec| itself.cluster_spec == spec)
                && profile.is_none_or(|profile| itself.edition.eq_ignore_ascii_case(profile))
        })
}

fn describe<'a>(
    world: &World,
    cluster: &'a Cluster,
    standing: &Standing,
    depth: Depth,
) -> Description<'a> {
    let profile = Profile::of(cluster);
    let name = cluster.name();
    let created = days_before(world.clock.at(0), profile.age_days);
    let updated = if standing.moment.episode.is_some() {
        world.clock.at(standing.moment.since)
    } else {
        created
    };
    Description {
        cluster_id: cluster.id.as_str(),
        region_id: cluster.region.as_str(),
        state: if standing.moment.phase.is_in_progress() {
            "upgrading"
        } else {
            "running"
        },
        cluster_type: profile.cluster_type,
        cluster_spec: profile.cluster_spec,
        profile: profile.edition,
        current_version: standing.version.clone(),
        init_version: standing.init_version.clone(),
        next_version: standing.next_version.clone(),
        created: beijing(created),
        updated: beijing(updated),
        size: profile.size,
        deletion_protection: name.contains("prod"),
        resource_group_id: "rg-acfm2demo0000000".to_owned(),
        vpc_id: invent(cluster, "vpc-bp1", 40),
        vswitch_ids: [invent(cluster, "vsw-bp1", 41)],
        security_group_id: invent(cluster, "sg-bp1", 42),
        service_cidr: "172.21.0.0/20",
        container_cidr: "172.20.0.0/16",
        cluster_domain: "cluster.local",
        proxy_mode: "ipvs",
        ip_stack: "ipv4",
        timezone: "Asia/Shanghai",
        tags: tags(&name),
        further: (depth == Depth::Full).then(|| further(cluster, standing)),
        name,
    }
}

fn further(cluster: &Cluster, standing: &Standing) -> Further {
    Further {
        meta_data: format!(
            "{{\"Addons\":[{{\"name\":\"coredns\"}}],\"KubernetesVersion\":\"{}\"}}",
            standing.version
        ),
        master_url: format!(
            "{{\"intranet_api_server_endpoint\":\"https://10.{}.0.1:6443\"}}",
            cluster.script.seed() % 256
        ),
        docker_version: "",
        external_loadbalancer_id: invent(cluster, "lb-bp1", 43),
        network_mode: "vpc",
        private_zone: false,
        subnet_cidr: "172.20.0.0/16",
        vswitch_id: invent(cluster, "vsw-bp1", 41),
        worker_ram_role_name: invent(cluster, "KubernetesWorkerRole-", 44),
        zone_id: format!("{}-h", cluster.region),
        operation_policy: serde_json::json!({"cluster_auto_upgrade": {"enabled": false, "channel": "patch"}}),
        maintenance_window: serde_json::json!({
            "enable": true, "maintenance_time": "2026-01-01T01:00:00.000+08:00", "duration": "3h", "weekly_period": "Thursday", "recurrence": "",
        }),
    }
}

/// `env` from the name's second word, and the vendor's own tag.
fn tags(name: &str) -> Vec<Tag> {
    let mut words = name.split('-');
    let (application, stage) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    vec![
        Tag {
            key: "env",
            value: stage.to_owned(),
        },
        Tag {
            key: "app",
            value: application.to_owned(),
        },
        Tag {
            key: "ack.aliyun.com",
            value: name.to_owned(),
        },
    ]
}

fn invent(cluster: &Cluster, prefix: &str, salt: u64) -> String {
    format!("{prefix}{:016x}", mix(&[cluster.script.seed(), salt]))
}

fn days_before(time: Timestamp, days: u64) -> Timestamp {
    let hours = i64::try_from(days * 24).unwrap_or_default();
    time.checked_sub(SignedDuration::from_hours(hours))
        .unwrap_or(time)
}
