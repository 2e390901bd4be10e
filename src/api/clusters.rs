//! The cluster lists: `DescribeClustersForRegion` (`GET /regions/{region}/clusters`) and, where only that is served,
//! `DescribeClustersV1` (`GET /api/v1/clusters`). And `DescribeClusterDetail` (`GET /clusters/{ClusterId}`), which is
//! asked whether there is such a cluster, and what it is where no list tells.
//!
//! Source: the SDKs' models of CS 2015-12-15. Every field is optional there.

use jiff::Timestamp;
use serde::Deserialize;

use super::budget::Budget;
use super::client::{Call, Client};
use super::error::{ApiError, ErrorKind};
use super::operation::Operation;
use super::pages::{self, PageInfo, Seen};
use crate::config::Endpoint;
use crate::names::{ClusterId, Region};
use crate::upgrade::clean_message;

/// How long all texts of a list may be together, in bytes: many times what the largest account has.
const MAX_LENGTH: usize = 16 << 20;

/// The vendor allows 20 of the user's own.
const MAX_TAGS: usize = 64;

/// One cluster of a list. Texts are cleaned, and short; those that the vendor did not give are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCluster {
    /// Its ID.
    pub id: ClusterId,
    /// Its region, if the vendor's word for it is one.
    pub region: Option<Region>,
    /// Its name.
    pub name: String,
    /// `cluster_type`, such as `ManagedKubernetes`.
    pub cluster_type: String,
    /// `cluster_spec`, such as `ack.pro.small`.
    pub spec: String,
    /// `state` in lower case, such as `running` or `upgrading`.
    pub state: String,
    /// The Kubernetes version it runs.
    pub version: String,
    /// The version it could be upgraded to.
    pub next_version: String,
    /// When it changed last, whatever that was.
    pub updated: Option<Timestamp>,
    /// Key and value of each tag.
    pub tags: Vec<(String, String)>,
}

impl ListedCluster {
    /// How long its texts are together, in bytes.
    fn length(&self) -> usize {
        let texts = [self.id.as_str(), &self.name, &self.cluster_type, &self.spec, &self.state, &self.version, &self.next_version];
        let tags = self.tags.iter().flat_map(|(key, value)| [key.as_str(), value]);
        texts.into_iter().chain(tags).map(str::len).sum()
    }
}

/// Which list to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterList {
    /// `DescribeClustersForRegion`.
    ForRegion,
    /// `DescribeClustersV1`, narrowed to the region.
    V1,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct WirePage {
    clusters: Option<Vec<WireCluster>>,
    page_info: Option<PageInfo>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct WireCluster {
    cluster_id: Option<String>,
    region_id: Option<String>,
    name: Option<String>,
    cluster_type: Option<String>,
    cluster_spec: Option<String>,
    state: Option<String>,
    current_version: Option<String>,
    next_version: Option<String>,
    updated: Option<String>,
    tags: Option<Vec<WireTag>>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct WireTag {
    #[serde(alias = "Key")]
    key: Option<String>,
    #[serde(alias = "Value")]
    value: Option<String>,
}

/// Reads all pages of the list of `region`. A page that fails fails the list: half a list would look like deletions.
pub async fn list_clusters(
    client: &Client,
    endpoint: &Endpoint,
    list: ClusterList,
    region: &Region,
    budget: &Budget,
) -> Result<Vec<ListedCluster>, ApiError> {
    let (operation, path) = match list {
        ClusterList::ForRegion => (Operation::DescribeClustersForRegion, format!("/regions/{region}/clusters")),
        ClusterList::V1 => (Operation::DescribeClustersV1, "/api/v1/clusters".to_owned()),
    };
    let mut clusters = Vec::new();
    let (mut seen, mut length) = (Seen::default(), 0);
    for number in 1.. {
        let mut query = pages::query(number).to_vec();
        if list == ClusterList::V1 {
            query.push(("region_id", region.to_string()));
        }
        let page: WirePage = client.call(&Call { operation, endpoint, path: &path, query: &query }, budget).await?;
        let listed = page.clusters.unwrap_or_default();
        let (items, before) = (listed.len(), clusters.len());
        clusters.extend(listed.into_iter().filter_map(cluster).filter(|cluster| seen.insert(cluster.id.as_str())));
        length += clusters[before..].iter().map(ListedCluster::length).sum::<usize>();
        if length > MAX_LENGTH {
            return Err(ApiError::local(operation, ErrorKind::Decode, "a list of more than 16 MiB"));
        }
        if !pages::has_next(number, items, clusters.len() - before, clusters.len(), page.page_info) {
            break;
        }
    }
    Ok(clusters)
}

/// None for what no other operation could be asked about, such as a cluster without an ID.
fn cluster(wire: WireCluster) -> Option<ListedCluster> {
    let text = |text: Option<String>| clean_message(&text.unwrap_or_default());
    Some(ListedCluster {
        id: ClusterId::parse(&wire.cluster_id?).ok()?,
        region: wire.region_id.and_then(|region| Region::parse(&region).ok()),
        name: text(wire.name),
        cluster_type: text(wire.cluster_type),
        spec: text(wire.cluster_spec),
        state: text(wire.state).to_ascii_lowercase(),
        version: text(wire.current_version),
        next_version: text(wire.next_version),
        updated: wire.updated.and_then(|time| time.trim().parse().ok()),
        tags: wire.tags.unwrap_or_default().into_iter().take(MAX_TAGS).map(|tag| (text(tag.key), text(tag.value))).collect(),
    })
}

/// Reads what a list would say of one cluster; None if the reply does not say which cluster it is about.
pub async fn describe_cluster(
    client: &Client,
    endpoint: &Endpoint,
    id: &ClusterId,
    budget: &Budget,
) -> Result<Option<ListedCluster>, ApiError> {
    let path = format!("/clusters/{id}");
    let call = Call { operation: Operation::DescribeClusterDetail, endpoint, path: &path, query: &[] };
    let detail: WireCluster = client.call(&call, budget).await?;
    Ok(cluster(detail).filter(|detail| detail.id == *id))
}
