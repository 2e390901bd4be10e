//! `DescribeClusterDetail`: `GET /clusters/{ClusterId}`.

use super::cluster::{ClusterFields, ListedCluster};
use crate::budget::Budget;
use crate::client::{Call, Client};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::names::ClusterId;
use crate::operation::Operation;

/// Reads one cluster by its ID, with the fields that a list would give. Returns `None` if the
/// response does not name that cluster. Dropping the future cancels the call.
pub async fn describe_cluster(
    client: &Client,
    endpoint: &Endpoint,
    id: &ClusterId,
    budget: &Budget,
) -> Result<Option<ListedCluster>, ApiError> {
    let path = format!("/clusters/{id}");
    let call = Call::new(Operation::DescribeClusterDetail, endpoint, &path);
    let detail: ClusterFields = client.call(&call, budget).await?;
    let mut report = client.unknown_values();
    Ok(detail
        .into_cluster(&mut report)
        .filter(|cluster| cluster.id == *id))
}
