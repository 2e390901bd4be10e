//! The clusters of a region: `DescribeClustersForRegion`, or `DescribeClustersV1` on old
//! installations.

use ack_client::names::Region;
use ack_client::{ApiError, ErrorKind, ListOperation, ListedCluster, Operation, list_clusters};

use super::{FetchContext, Query};

/// The query of the cluster list of a region.
#[derive(Debug)]
pub struct ClusterList;

/// The clusters of a region.
#[derive(Debug, Clone)]
pub struct Listing {
    /// All clusters, whichever the configuration selects.
    pub clusters: Vec<ListedCluster>,
    /// The operation that served the list.
    pub operation: ListOperation,
}

impl Query for ClusterList {
    type Subject = Region;
    type Answer = Listing;
    const OPERATIONS: &'static [Operation] = &[
        Operation::DescribeClustersForRegion,
        Operation::DescribeClustersV1,
    ];

    async fn fetch(
        &self,
        region: &Region,
        context: FetchContext<'_>,
        last: Option<&Listing>,
    ) -> Result<Listing, ApiError> {
        let operation = last.map_or(ListOperation::ForRegion, |last| last.operation);
        match Self::list(operation, region, context).await {
            // Old installations know only the account-wide list, new ones only the region's.
            Err(error) if matches!(error.kind, ErrorKind::OperationGone | ErrorKind::Rejected) => {
                let listing = Self::list(other(operation), region, context).await;
                listing.map_err(|_| error)
            }
            result => result,
        }
    }
}

impl ClusterList {
    async fn list(
        operation: ListOperation,
        region: &Region,
        context: FetchContext<'_>,
    ) -> Result<Listing, ApiError> {
        let clusters = list_clusters(
            context.client,
            context.endpoint,
            operation,
            region,
            context.budget,
        )
        .await?;
        Ok(Listing {
            clusters,
            operation,
        })
    }
}

fn other(operation: ListOperation) -> ListOperation {
    match operation {
        ListOperation::ForRegion => ListOperation::V1,
        ListOperation::V1 => ListOperation::ForRegion,
    }
}
