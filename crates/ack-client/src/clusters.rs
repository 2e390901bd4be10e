//! The cluster lists: `DescribeClustersForRegion` (`GET /regions/{region}/clusters`) and, where
//! only that is served, `DescribeClustersV1` (`GET /api/v1/clusters`). And `DescribeClusterDetail`
//! (`GET /clusters/{ClusterId}`), which is asked whether there is such a cluster, and what it is
//! where no list tells.
//!
//! Source: the SDKs' models of CS 2015-12-15. Every field is optional there.

use jiff::Timestamp;

use super::budget::Budget;
use super::client::{Call, Client};
use super::error::{ApiError, ErrorKind};
use super::operation::Operation;
use super::pages::{self, PageInfo, Seen};
use super::reply::{Answer, Fields};
use crate::Endpoint;
use crate::names::{ClusterId, Region};
use crate::outgoing::{Field, List, Object as _, object};
use crate::text::clean_message;

/// How long all texts of a list may be together, in bytes: many times what the largest account has.
const MAX_LENGTH: usize = 16 << 20;

/// The vendor allows 20 of the user's own.
const MAX_TAGS: usize = 64;

/// One cluster of a list. Texts are cleaned, and short; those that the vendor did not give are
/// empty.
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
        let texts = [
            self.id.as_str(),
            &self.name,
            &self.cluster_type,
            &self.spec,
            &self.state,
            &self.version,
            &self.next_version,
        ];
        let tags = self
            .tags
            .iter()
            .flat_map(|(key, value)| [key.as_str(), value]);
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

object! {
    struct WirePage at "" {
        clusters: List<WireCluster> = "clusters",
        page_info: PageInfo = "page_info",
    }
}

object! {
    struct WireCluster at "cluster." {
        cluster_id: String = "cluster_id",
        region_id: String = "region_id",
        name: String = "name",
        cluster_type: String = "cluster_type",
        cluster_spec: String = "cluster_spec",
        state: String = "state",
        current_version: String = "current_version",
        next_version: String = "next_version",
        updated: Timestamp = "updated",
        tags: List<WireTag> = "tags",
    }

    fn is_useful(&self) -> bool {
        self.cluster_id.as_known().is_some()
    }
}

object! {
    struct WireTag at "cluster.tags." {
        key: String = "key" | "Key",
        value: String = "value" | "Value",
    }

    fn is_useful(&self) -> bool {
        self.key.as_known().is_some()
    }
}

/// The names of all fields.
pub(super) const FIELDS: &[&[&str]] = &[WirePage::FIELDS, WireCluster::FIELDS, WireTag::FIELDS];

impl Answer for WirePage {
    fn is_complete(&self, _: Fields) -> bool {
        pages::is_page(&self.clusters, &self.page_info)
    }
}

impl Answer for WireCluster {
    fn is_complete(&self, _: Fields) -> bool {
        self.is_useful()
    }
}

/// Reads all pages of the list of `region`. A page that fails fails the list: half a list would
/// look like deletions.
pub async fn list_clusters(
    client: &Client,
    endpoint: &Endpoint,
    list: ClusterList,
    region: &Region,
    budget: &Budget,
) -> Result<Vec<ListedCluster>, ApiError> {
    let (operation, path) = match list {
        ClusterList::ForRegion => (
            Operation::DescribeClustersForRegion,
            format!("/regions/{region}/clusters"),
        ),
        ClusterList::V1 => (Operation::DescribeClustersV1, "/api/v1/clusters".to_owned()),
    };
    let mut clusters = Vec::new();
    let (mut seen, mut length, mut useless) = (Seen::default(), 0, 0);
    for number in 1.. {
        let mut query = pages::query(number).to_vec();
        if list == ClusterList::V1 {
            query.push(("region_id", region.to_string()));
        }
        let page: WirePage = client
            .call(
                &Call {
                    operation,
                    endpoint,
                    path: &path,
                    query: &query,
                },
                budget,
            )
            .await?;
        let mut odd = |field, value: &str| client.metrics().unknown_value(field, value);
        page.tell_odd_fields(&mut odd);
        let total = pages::total(&page.page_info);
        let listed = pages::items(operation, clusters.len() + useless, page.clusters, total)?;
        let before = clusters.len();
        let known: Vec<_> = listed
            .items
            .into_iter()
            .filter_map(|wire| cluster(wire, &mut odd))
            .collect();
        useless += listed.length - known.len();
        clusters.extend(
            known
                .into_iter()
                .filter(|cluster| seen.insert(cluster.id.as_str())),
        );
        length += clusters[before..]
            .iter()
            .map(ListedCluster::length)
            .sum::<usize>();
        if length > MAX_LENGTH {
            return Err(ApiError::local(
                operation,
                ErrorKind::Decode,
                "a list of more than 16 MiB",
            ));
        }
        if !pages::has_next(
            number,
            listed.length,
            clusters.len() - before,
            clusters.len() + useless,
            total,
        ) {
            break;
        }
    }
    Ok(clusters)
}

/// None for what no other operation could be asked about. Each odd field is told to `odd`.
fn cluster(wire: WireCluster, odd: &mut dyn FnMut(&'static str, &str)) -> Option<ListedCluster> {
    wire.tell_odd_fields(odd);
    let id = wire.cluster_id.known()?;
    let Ok(id) = ClusterId::parse(&id) else {
        odd("cluster.cluster_id", &id);
        return None;
    };
    let text = |text: Field<String>| clean_message(&text.known().unwrap_or_default());
    let mut tags = Vec::new();
    for tag in wire
        .tags
        .known()
        .unwrap_or_default()
        .items
        .into_iter()
        .take(MAX_TAGS)
    {
        tag.tell_odd_fields(odd);
        tags.push((text(tag.key), text(tag.value)));
    }
    Some(ListedCluster {
        id,
        region: wire
            .region_id
            .known()
            .and_then(|region| Region::parse(&region).ok()),
        name: text(wire.name),
        cluster_type: text(wire.cluster_type),
        spec: text(wire.cluster_spec),
        state: text(wire.state).to_ascii_lowercase(),
        version: text(wire.current_version),
        next_version: text(wire.next_version),
        updated: wire.updated.known(),
        tags,
    })
}

/// Reads what a list would say of one cluster; None if the reply does not say which cluster it is
/// about.
pub async fn describe_cluster(
    client: &Client,
    endpoint: &Endpoint,
    id: &ClusterId,
    budget: &Budget,
) -> Result<Option<ListedCluster>, ApiError> {
    let path = format!("/clusters/{id}");
    let call = Call {
        operation: Operation::DescribeClusterDetail,
        endpoint,
        path: &path,
        query: &[],
    };
    let detail: WireCluster = client.call(&call, budget).await?;
    let mut odd = |field, value: &str| client.metrics().unknown_value(field, value);
    Ok(cluster(detail, &mut odd).filter(|detail| detail.id == *id))
}
