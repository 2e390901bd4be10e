//! The add-ons on offer for kinds of clusters: `ListAddons`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ack_client::{AddonCombination, ApiError, Operation, list_addons};
use jiff::Timestamp;

use crate::cluster::ClusterInfo;
use crate::queries::{Activity, FetchContext, Query, Scope, Subject, Watched, WatchedQuery};

/// Asks for the add-ons on offer for each kind of cluster.
#[derive(Debug)]
pub struct AddonOffers {
    interval: Duration,
}

impl AddonOffers {
    /// Offers, asked for at `interval`.
    pub fn new(interval: Duration) -> Self {
        Self { interval }
    }
}

impl Subject for AddonCombination {
    fn scope(&self) -> Scope<'_> {
        Scope::Region(&self.region)
    }
}

impl Query for AddonOffers {
    type Subject = AddonCombination;
    /// The newest version of each add-on.
    type Answer = BTreeMap<String, String>;
    const OPERATIONS: &'static [Operation] = &[Operation::ListAddons];

    async fn fetch(
        &self,
        combination: &AddonCombination,
        context: FetchContext<'_>,
        _: Option<&Self::Answer>,
    ) -> Result<Self::Answer, ApiError> {
        let offers = list_addons(
            context.client,
            context.endpoint,
            combination,
            context.budget,
        )
        .await?;
        let offers = offers.into_iter().map(|offer| (offer.name, offer.version));
        Ok(offers.collect())
    }
}

impl WatchedQuery for AddonOffers {
    const NAME: &'static str = "addon_offers";

    fn subject(&self, cluster: &ClusterInfo) -> Option<AddonCombination> {
        let is_known = !cluster.cluster_type.is_empty() && !cluster.version.is_empty();
        let region = cluster.region.clone().filter(|_| is_known)?;
        Some(AddonCombination {
            region,
            cluster_type: cluster.cluster_type.clone(),
            profile: cluster.profile.clone(),
            spec: cluster.spec.clone(),
            version: cluster.version.clone(),
        })
    }

    fn interval(&self, _: Option<&Self::Answer>, _: Activity) -> Duration {
        self.interval
    }

    fn add(
        &self,
        offers: &Arc<Self::Answer>,
        _: &ClusterInfo,
        _: Timestamp,
        watched: &mut Watched,
    ) {
        watched.addons.offers = Some(Arc::clone(offers));
    }
}
