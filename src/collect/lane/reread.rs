//! Versions and states of clusters, read again for somebody who cannot wait for the next list.

use std::collections::HashMap;
use std::sync::Arc;

use ack_client::names::{ClusterId, Region};
use ack_client::{ApiError, Budget, ErrorKind, Operation, describe_cluster};
use futures_util::future::join_all;

use super::Lane;
use crate::collect::discovery::RegionList;
use crate::collect::record::{Origin, Target};
use crate::collect::roster::learn;
use crate::snapshot::ClusterInfo;

impl Lane {
    /// Reads again what there is to know of those of `clusters` that are this lane's, apart from
    /// their upgrades: from the list of their region or, where no list has them, one by one.
    pub(in crate::collect) async fn read_again(
        &self,
        clusters: &[ClusterId],
        budget: &Budget,
    ) -> Vec<(ClusterId, Result<Arc<ClusterInfo>, ApiError>)> {
        let targets: Vec<_> = {
            let roster = self.lock();
            clusters
                .iter()
                .filter_map(|id| Some(roster.records.get(id)?.target.clone()))
                .collect()
        };
        let is_wanted = |list: &&RegionList| {
            targets
                .iter()
                .any(|target| target.info.region.as_ref() == Some(&list.place.region))
        };
        let read = self.lists.iter().filter(is_wanted).map(async |list| {
            let read = self.read_list(list, budget.clone(), None).await;
            (&list.place.region, read.map(|()| list))
        });
        let lists: HashMap<_, _> = join_all(read).await.into_iter().collect();
        join_all(targets.iter().map(async |target| {
            (
                target.info.id.clone(),
                self.read_one(target, &lists, budget).await,
            )
        }))
        .await
    }

    async fn read_one(
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
            Some(Ok(list)) if list.has(id) => {}
            Some(Ok(_)) if target.origin == Origin::Discovered => return Err(gone()),
            Some(Ok(_)) | None => self.read_detail(target, budget).await?,
        }
        // It may have gone meanwhile.
        self.lock()
            .records
            .get(id)
            .map(|record| Arc::clone(&record.target.info))
            .ok_or_else(gone)
    }

    async fn read_detail(&self, target: &Target, budget: &Budget) -> Result<(), ApiError> {
        let id = &target.info.id;
        let failed =
            |kind, message| ApiError::local(Operation::DescribeClusterDetail, kind, message);
        let place = tokio::select! {
            place = self.places.acquire() => place,
            () = budget.expired() => return Err(failed(ErrorKind::Timeout, "not asked: all queries that may be under way wait for the API")),
        };
        let detail = describe_cluster(self.client(), &target.endpoint, id, budget).await?;
        drop(place);
        let detail = detail
            .ok_or_else(|| failed(ErrorKind::Decode, "the reply is about another cluster"))?;
        if let Some(record) = self.lock().records.get_mut(id) {
            learn(&mut record.target.info, &detail);
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
