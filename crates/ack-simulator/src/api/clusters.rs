//! `DescribeClustersV1`, `DescribeClustersForRegion` and `DescribeClusterDetail`.

use ack_client::names::Region;
use serde::Serialize;

use crate::api::cluster_body::{ClusterBody, DetailLevel};
use crate::api::pages::{PageInfo, RequestedPage};
use crate::api::{OperationCall, invalid_parameter};
use crate::error_response::{ErrorResponse, json};
use crate::request::ReceivedRequest;
use crate::world::cluster::Cluster;
use crate::world::cluster_kind::ClusterKind;

#[derive(Serialize)]
struct ClusterList<'a> {
    clusters: Vec<ClusterBody<'a>>,
    page_info: PageInfo,
}

/// The body of `DescribeClustersV1`: the clusters of the account, or of the query's region.
pub(super) fn account_list(call: &OperationCall<'_>) -> Result<String, ErrorResponse> {
    let region = call.parameter("region_id").map(parse_region).transpose()?;
    list(call, region.as_ref(), DetailLevel::Full)
}

/// The body of `DescribeClustersForRegion`.
pub(super) fn region_list(call: &OperationCall<'_>) -> Result<String, ErrorResponse> {
    let region = parse_region(call.ids.at("region"))?;
    list(call, Some(&region), DetailLevel::Brief)
}

/// The body of `DescribeClusterDetail`.
pub(super) fn detail(call: &OperationCall<'_>) -> Result<String, ErrorResponse> {
    let cluster = call.cluster()?;
    let state = cluster.state(call.millis);
    let body = ClusterBody::new(call.world(), cluster, &state, DetailLevel::Full);
    Ok(json(&body))
}

fn list(
    call: &OperationCall<'_>,
    region: Option<&Region>,
    level: DetailLevel,
) -> Result<String, ErrorResponse> {
    let world = call.world();
    let listed = call.millis.saturating_sub(call.simulator.list_lag);
    let requested = RequestedPage::of(call.request)?;
    let filter = filter(call.request);
    let filter = filter
        .as_ref()
        .map(|filter| filter as &dyn Fn(&Cluster) -> bool);
    let page = world.page(region, filter, requested.page());
    let clusters = page
        .clusters
        .iter()
        .map(|cluster| ClusterBody::new(world, cluster, &cluster.state(listed), level))
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
        let kind = ClusterKind::of(cluster);
        id.is_none_or(|id| cluster.id.as_str() == id)
            && name.is_none_or(|part| cluster.name().contains(part))
            && cluster_type.is_none_or(|wanted| kind.cluster_type == wanted)
            && cluster_spec.is_none_or(|wanted| kind.cluster_spec == wanted)
            && profile.is_none_or(|wanted| kind.profile.eq_ignore_ascii_case(wanted))
    })
}
