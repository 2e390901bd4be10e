//! `DescribeClustersForRegion`, `GET /regions/{region}/clusters`, and its predecessor
//! `DescribeClustersV1`, `GET /api/v1/clusters`, which some private clouds offer alone.

use super::cluster::{ClusterFields, ListedCluster};
use super::paging::{self, PageInfo, Paging};
use crate::budget::Budget;
use crate::client::{Call, Client};
use crate::decode::{LenientObject as _, List, lenient_object};
use crate::endpoint::Endpoint;
use crate::error::{ApiError, ErrorKind};
use crate::names::Region;
use crate::operation::Operation;
use crate::response::{KnownKeys, ResponseObject};

/// The length of all texts of a list, in bytes: many times that of the largest account.
const MAX_LENGTH: usize = 16 << 20;

/// The operation that lists clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListOperation {
    /// `DescribeClustersForRegion`.
    ForRegion,
    /// `DescribeClustersV1`, restricted to the region.
    V1,
}

lenient_object! {
    pub(super) struct ClusterPage at "" {
        clusters: List<ClusterFields> = "clusters",
        page_info: PageInfo = "page_info",
    }
}

impl ResponseObject for ClusterPage {
    fn is_recognized(&self, _: KnownKeys) -> bool {
        paging::is_page(&self.clusters, &self.page_info)
    }
}

/// Lists the clusters of `region`, all pages of it. Fails if any page fails, since a part of a list
/// would look as if clusters had been deleted. Dropping the future cancels the call.
pub async fn list_clusters(
    client: &Client,
    endpoint: &Endpoint,
    list: ListOperation,
    region: &Region,
    budget: &Budget,
) -> Result<Vec<ListedCluster>, ApiError> {
    let (operation, path) = match list {
        ListOperation::ForRegion => (
            Operation::DescribeClustersForRegion,
            format!("/regions/{region}/clusters"),
        ),
        ListOperation::V1 => (Operation::DescribeClustersV1, "/api/v1/clusters".to_owned()),
    };
    let mut report = client.unknown_values();
    let mut clusters: Vec<ListedCluster> = Vec::new();
    let mut paging = Paging::default();
    let mut length = 0;
    loop {
        let mut query = paging.next_page().to_vec();
        if list == ListOperation::V1 {
            query.push(("region_id", region.to_string()));
        }
        let call = Call {
            operation,
            endpoint,
            path: &path,
            query: &query,
        };
        let page: ClusterPage = client.call(&call, budget).await?;
        let total = paging::total(&page.page_info);
        let items = paging.items(operation, page.clusters, total)?;
        for fields in items.items {
            fields.report_unexpected_fields(&mut report);
            let Some(cluster) = fields.into_cluster(&mut report) else {
                continue;
            };
            if paging.is_new(cluster.id.as_str()) {
                length += cluster.text_length();
                clusters.push(cluster);
            }
        }
        if length > MAX_LENGTH {
            return Err(ApiError::local(
                operation,
                ErrorKind::Decode,
                "a list of more than 16 MiB",
            ));
        }
        if !paging.has_next(total) {
            return Ok(clusters);
        }
    }
}
