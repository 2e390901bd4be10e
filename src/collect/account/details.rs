//! Versions and states of clusters, refreshed for a client that can't wait for the next list.

use std::collections::HashMap;
use std::sync::Arc;

use ack_client::names::{ClusterId, Region};
use ack_client::{ApiError, Budget, ErrorKind, Operation, describe_cluster};
use futures_util::future::join_all;

use super::AccountCollector;
use crate::cluster::ClusterInfo;
use crate::collect::entry::{Origin, Target};
use crate::collect::region_list::RegionList;
use crate::collect::table::merge_listing;

impl AccountCollector {
    /// Refreshes the version and the state of those of `clusters` that are this account's: from the
    /// list of their region or, where no list has them, one by one.
    pub(in crate::collect) async fn refresh_details(
        &self,
        clusters: &[ClusterId],
        budget: &Budget,
    ) -> Vec<(ClusterId, Result<Arc<ClusterInfo>, ApiError>)> {
        let targets: Vec<_> = {
            let table = self.lock();
            clusters
                .iter()
                .filter_map(|id| Some(table.entries.get(id)?.target.clone()))
                .collect()
        };
        let is_needed = |list: &&RegionList| {
            targets
                .iter()
                .any(|target| target.info.region.as_ref() == Some(&list.place.region))
        };
        let read = self.lists.iter().filter(is_needed).map(async |list| {
            let read = self.refresh_list(list, budget, None).await;
            (&list.place.region, read.map(|()| list))
        });
        let lists: HashMap<_, _> = join_all(read).await.into_iter().collect();
        join_all(targets.iter().map(async |target| {
            (
                target.info.id.clone(),
                self.refresh_one(target, &lists, budget).await,
            )
        }))
        .await
    }

    async fn refresh_one(
        &self,
        target: &Target,
        lists: &HashMap<&Region, Result<&RegionList, ApiError>>,
        budget: &Budget,
    ) -> Result<Arc<ClusterInfo>, ApiError> {
        let id = &target.info.id;
        match target
            .info
            .region
            .as_ref()
            .and_then(|region| lists.get(region))
        {
            Some(Err(error)) => return Err(error.clone()),
            Some(Ok(list)) if list.contains(id) => {}
            Some(Ok(_)) if target.origin == Origin::Discovered => return Err(gone()),
            Some(Ok(_)) | None => self.refresh_detail(target, budget).await?,
        }
        // A list may have removed the cluster meanwhile.
        self.lock()
            .entries
            .get(id)
            .map(|entry| Arc::clone(&entry.target.info))
            .ok_or_else(gone)
    }

    async fn refresh_detail(&self, target: &Target, budget: &Budget) -> Result<(), ApiError> {
        let id = &target.info.id;
        let failed =
            |kind, message| ApiError::local(Operation::DescribeClusterDetail, kind, message);
        let permit = tokio::select! {
            permit = self.permits.acquire() => permit,
            () = budget.expired() => {
                let message = "not asked: all queries that may be under way wait for the API";
                return Err(failed(ErrorKind::Timeout, message));
            }
        };
        let detail = describe_cluster(self.client(), &target.endpoint, id, budget).await?;
        drop(permit);
        let detail = detail
            .ok_or_else(|| failed(ErrorKind::Decode, "the reply is about another cluster"))?;
        if let Some(entry) = self.lock().entries.get_mut(id) {
            merge_listing(&mut entry.target.info, &detail);
        }
        Ok(())
    }
}

fn gone() -> ApiError {
    ApiError::local(
        Operation::DescribeClustersForRegion,
        ErrorKind::Rejected,
        "the list does not have the cluster any longer",
    )
}
