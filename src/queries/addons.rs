//! The add-ons that are installed in clusters, `ListClusterAddonInstances`, and those on offer.

mod offers;
mod version;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::ClusterId;
use ack_client::{AddonInstance, AddonState, ApiError, Operation, list_addon_instances};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

pub use offers::AddonOffers;

use super::{Activity, FetchContext, Query, Watched, WatchedQuery, json};
use crate::cluster::ClusterInfo;

/// Longest time from a response in which an add-on is changing to the next call.
const CHANGING_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// Asks for the add-ons of each cluster.
#[derive(Debug)]
pub struct InstalledAddons {
    interval: Duration,
}

/// The add-ons of one cluster, from two queries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterAddons {
    /// The installed add-ons, each once and in the order of the names; None until they are known.
    pub installed: Option<Arc<[AddonInstance]>>,
    /// The newest version of each add-on on offer for such a cluster; None until it is known.
    pub offers: Option<Arc<BTreeMap<String, String>>>,
}

/// An installed add-on, as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Addon<'a> {
    pub name: &'a str,
    pub version: &'a str,
    #[serde(serialize_with = "json::state")]
    pub state: AddonState,
    /// The newest version on offer; empty if the add-on has it, or if it is not known.
    pub available_version: &'a str,
}

// === impl InstalledAddons ===

impl InstalledAddons {
    /// Add-ons, asked for at `interval`, and sooner while one of a cluster is changing.
    pub fn new(interval: Duration) -> Self {
        Self { interval }
    }
}

impl Query for InstalledAddons {
    type Subject = ClusterId;
    type Answer = Arc<[AddonInstance]>;
    const OPERATIONS: &'static [Operation] = &[Operation::ListClusterAddonInstances];

    async fn fetch(
        &self,
        cluster: &ClusterId,
        context: FetchContext<'_>,
        _: Option<&Self::Answer>,
    ) -> Result<Self::Answer, ApiError> {
        let mut addons =
            list_addon_instances(context.client, context.endpoint, cluster, context.budget).await?;
        addons.sort_by(|one, other| one.name.cmp(&other.name));
        // Prometheus refuses a whole page for one duplicate series.
        addons.dedup_by(|one, other| one.name == other.name);
        Ok(addons.into())
    }
}

impl WatchedQuery for InstalledAddons {
    const NAME: &'static str = "addons";

    fn subject(&self, cluster: &ClusterInfo) -> Option<ClusterId> {
        Some(cluster.id.clone())
    }

    fn interval(&self, last: Option<&Self::Answer>, _: Activity) -> Duration {
        let mut addons = last.into_iter().flat_map(|addons| addons.iter());
        if addons.any(|addon| is_changing(addon.state)) {
            self.interval.min(CHANGING_INTERVAL)
        } else {
            self.interval
        }
    }

    fn add(
        &self,
        addons: &Arc<Self::Answer>,
        _: &ClusterInfo,
        _: Timestamp,
        watched: &mut Watched,
    ) {
        watched.addons.installed = Some(Arc::clone(addons));
    }
}

fn is_changing(state: AddonState) -> bool {
    match state {
        AddonState::Installing
        | AddonState::Updating
        | AddonState::Upgrading
        | AddonState::Deleting => true,
        AddonState::Active | AddonState::Failed | AddonState::Unknown => false,
    }
}

// === impl ClusterAddons ===

impl ClusterAddons {
    /// The installed add-ons, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = Addon<'_>> {
        let installed = self.installed.iter().flat_map(|addons| addons.iter());
        installed.map(|addon| Addon {
            name: &addon.name,
            version: &addon.version,
            state: addon.state,
            available_version: self.available(addon).unwrap_or_default(),
        })
    }

    /// The version on offer, if it is an update of `addon`.
    fn available(&self, addon: &AddonInstance) -> Option<&str> {
        let offered = self.offers.as_ref()?.get(&addon.name)?;
        version::is_newer(offered, &addon.version).then_some(offered)
    }
}

impl Serialize for ClusterAddons {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.installed.is_none() {
            return serializer.serialize_none();
        }
        serializer.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn addon(name: &str, version: &str, state: AddonState) -> AddonInstance {
        AddonInstance {
            name: name.to_owned(),
            version: version.to_owned(),
            state,
        }
    }

    #[test]
    fn an_add_on_has_an_available_version_only_if_that_is_newer() {
        let offers = [("coredns", "v1.11.3.2"), ("csi-plugin", "v1.30.4")];
        let offers = offers.map(|(name, version)| (name.to_owned(), version.to_owned()));
        let mut addons = ClusterAddons::default();
        assert_eq!(json!(addons), json!(null), "not known yet");
        addons.offers = Some(Arc::new(offers.into()));
        assert_eq!(json!(addons), json!(null), "not known yet");
        addons.installed = Some(Arc::new([
            addon("coredns", "v1.9.3.10", AddonState::Active),
            addon("csi-plugin", "v1.32.3", AddonState::Upgrading),
            addon("own", "v1", AddonState::Unknown),
        ]));
        let expected = json!([
            {"name": "coredns", "version": "v1.9.3.10", "state": "active", "available_version": "v1.11.3.2"},
            {"name": "csi-plugin", "version": "v1.32.3", "state": "upgrading", "available_version": ""},
            {"name": "own", "version": "v1", "state": "unknown", "available_version": ""},
        ]);
        assert_eq!(json!(addons), expected);
        addons.offers = None;
        assert!(
            addons
                .iter()
                .all(|addon| addon.available_version.is_empty())
        );
    }

    #[test]
    fn a_cluster_with_an_add_on_that_is_changing_is_asked_about_sooner() {
        let query = InstalledAddons::new(6 * HOUR);
        let interval = |state| {
            let answer: Arc<[AddonInstance]> = Arc::new([
                addon("a", "v1", AddonState::Active),
                addon("b", "v1", state),
            ]);
            query.interval(Some(&answer), Activity::Quiet)
        };
        assert_eq!(interval(AddonState::Active), 6 * HOUR);
        assert_eq!(interval(AddonState::Failed), 6 * HOUR);
        assert_eq!(interval(AddonState::Upgrading), CHANGING_INTERVAL);
        assert_eq!(query.interval(None, Activity::Quiet), 6 * HOUR);
        assert_eq!(query.max_age(), 18 * HOUR);
    }
}
