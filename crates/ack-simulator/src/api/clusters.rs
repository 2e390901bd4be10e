//! `DescribeClustersV1`, `DescribeClustersForRegion` and `DescribeClusterDetail`.

use ack_client::names::Region;
use serde::Serialize;

use crate::api::cluster_body::{ClusterBody, DetailLevel};
use crate::api::pages::{PageInfo, RequestedPage, invalid_parameter};
use crate::error_response::{ErrorResponse, json};
use crate::request::ReceivedRequest;
use crate::world::World;
use crate::world::cluster::Cluster;
use crate::world::profile::ClusterProfile;

#[derive(Serialize)]
struct ClusterList<'a> {
    clusters: Vec<ClusterBody<'a>>,
    page_info: PageInfo,
}

/// The body of `DescribeClustersV1`: the clusters of the account, or of the query's region.
pub(crate) fn account_list(
    world: &World,
    request: &ReceivedRequest,
    millis: i64,
) -> Result<String, ErrorResponse> {
    let region = match request.parameter("region_id") {
        None | Some("") => None,
        Some(region) => Some(parse_region(region)?),
    };
    list(world, region.as_ref(), request, millis, DetailLevel::Full)
}

/// The body of `DescribeClustersForRegion`.
pub(crate) fn region_list(
    world: &World,
    region: &str,
    request: &ReceivedRequest,
    millis: i64,
) -> Result<String, ErrorResponse> {
    let region = parse_region(region)?;
    list(world, Some(&region), request, millis, DetailLevel::Brief)
}

/// The body of `DescribeClusterDetail`.
pub(crate) fn detail(world: &World, cluster: &Cluster, millis: i64) -> String {
    let state = cluster.state(millis);
    json(&ClusterBody::new(world, cluster, &state, DetailLevel::Full))
}

fn list(
    world: &World,
    region: Option<&Region>,
    request: &ReceivedRequest,
    millis: i64,
    level: DetailLevel,
) -> Result<String, ErrorResponse> {
    let requested = RequestedPage::of(request)?;
    let filter = filter(request);
    let filter = filter
        .as_ref()
        .map(|filter| filter as &dyn Fn(&Cluster) -> bool);
    let page = world.page(region, filter, requested.page());
    let clusters = page
        .clusters
        .iter()
        .map(|cluster| ClusterBody::new(world, cluster, &cluster.state(millis), level))
        .collect();
    Ok(json(&ClusterList {
        clusters,
        page_info: requested.info(page.total_count),
    }))
}

fn parse_region(region: &str) -> Result<Region, ErrorResponse> {
    Region::parse(region).map_err(|_| invalid_parameter("region_id", region))
}

/// The filter of the query; `None` if it asks for all clusters.
fn filter(request: &ReceivedRequest) -> Option<impl Fn(&Cluster) -> bool> {
    let given = |name| request.parameter(name).filter(|value| !value.is_empty());
    let (id, name) = (given("cluster_id"), given("name"));
    let cluster_type = given("cluster_type");
    let cluster_spec = given("cluster_spec");
    let profile = given("profile");
    if [id, name, cluster_type, cluster_spec, profile]
        .iter()
        .all(Option::is_none)
    {
        return None;
    }
    Some(move |cluster: &Cluster| {
        let actual = ClusterProfile::of(cluster);
        id.is_none_or(|id| cluster.id.as_str() == id)
            && name.is_none_or(|part| cluster.name().contains(part))
            && cluster_type.is_none_or(|wanted| actual.cluster_type == wanted)
            && cluster_spec.is_none_or(|wanted| actual.cluster_spec == wanted)
            && profile.is_none_or(|wanted| actual.profile.eq_ignore_ascii_case(wanted))
    })
}
