//! A cluster as lists and details describe it.

use jiff::Timestamp;

use super::word;
use crate::decode::{Keyword, LenientObject as _, List, Report, lenient_object};
use crate::names::{ClusterId, Region};
use crate::response::{KnownKeys, ResponseObject};
use crate::state_set::state_set;

/// The tags of a cluster that are kept. Alibaba Cloud allows 20 of the user's own.
const MAX_TAGS: usize = 64;

/// A cluster. Texts are cleaned and at most 256 characters long; a text that the API did not send
/// is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCluster {
    /// The ID.
    pub id: ClusterId,
    /// The region, if the API sent a valid one.
    pub region: Option<Region>,
    /// The name.
    pub name: String,
    /// `cluster_type`, such as `ManagedKubernetes`.
    pub cluster_type: String,
    /// `cluster_spec`, such as `ack.pro.small`.
    pub spec: String,
    /// `profile`, such as `Default` or `Edge`.
    pub profile: String,
    /// `state`, if the API sent one.
    pub state: Option<ClusterState>,
    /// The present Kubernetes version.
    pub version: String,
    /// The Kubernetes version that the cluster can be upgraded to.
    pub next_version: String,
    /// The time of the last change of any kind.
    pub updated: Option<Timestamp>,
    /// Key and value of each tag.
    pub tags: Vec<(String, String)>,
}

impl ListedCluster {
    /// The length of all texts together, in bytes.
    pub(super) fn text_length(&self) -> usize {
        let texts = [
            self.id.as_str(),
            &self.name,
            &self.cluster_type,
            &self.spec,
            &self.profile,
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

state_set! {
    /// The state of a cluster in the cluster list.
    ClusterState {
        /// The cluster is being created.
        Initial = "initial",
        /// The creation has failed.
        Failed = "failed",
        /// Nothing is changing.
        Running = "running",
        /// The cluster is being upgraded or changed.
        Updating = "updating",
        /// The cluster is being upgraded.
        Upgrading = "upgrading",
        /// Nodes are being removed.
        Removing = "removing",
        /// Nodes are being drained.
        Draining = "draining",
        /// Nodes are being added or removed.
        Scaling = "scaling",
        /// The cluster is stopped.
        Inactive = "inactive",
        /// The cluster cannot be reached.
        Unavailable = "unavailable",
        /// The cluster is being deleted.
        Deleting = "deleting",
        /// The cluster was deleted.
        Deleted = "deleted",
        /// The deletion has failed.
        DeleteFailed = "delete_failed",
        /// The cluster waits to be connected.
        Waiting = "waiting",
        /// A registered cluster has lost its connection.
        Disconnected = "disconnected",
        /// A value that the API's reference does not list.
        Unknown = "unknown",
    }
}

lenient_object! {
    pub(super) struct ClusterFields at "cluster." {
        cluster_id: String = "cluster_id",
        region_id: String = "region_id",
        name: String = "name",
        cluster_type: String = "cluster_type",
        cluster_spec: String = "cluster_spec",
        profile: String = "profile",
        state: Keyword = "state",
        current_version: String = "current_version",
        next_version: String = "next_version",
        updated: Timestamp = "updated",
        tags: List<TagFields> = "tags",
    }

    fn is_usable(&self) -> bool {
        self.cluster_id.value().is_some()
    }
}

lenient_object! {
    pub(super) struct TagFields at "cluster.tags." {
        key: String = "key" | "Key",
        value: String = "value" | "Value",
    }

    fn is_usable(&self) -> bool {
        self.key.value().is_some()
    }
}

impl ResponseObject for ClusterFields {
    fn is_recognized(&self, _: KnownKeys) -> bool {
        self.is_usable()
    }
}

impl ClusterFields {
    /// Converts the fields, of which the caller has reported the unexpected ones. Returns `None`
    /// without a valid ID, by which alone other operations can name the cluster.
    pub(super) fn into_cluster(self, report: &mut Report<'_>) -> Option<ListedCluster> {
        let id = self.cluster_id.into_value()?;
        let Ok(id) = ClusterId::parse(&id) else {
            report("cluster.cluster_id", &id);
            return None;
        };
        let state = self.state.into_listed(
            "cluster.state",
            [None, Some(ClusterState::Unknown)],
            |word| word::find(word).map(Some),
            report,
        );
        let tags = self.tags.into_items();
        let tags = tags.into_iter().take(MAX_TAGS).map(|tag| {
            tag.report_unexpected_fields(report);
            (tag.key.into_text(), tag.value.into_text())
        });
        Some(ListedCluster {
            id,
            region: self
                .region_id
                .into_value()
                .and_then(|region| Region::parse(&region).ok()),
            name: self.name.into_text(),
            cluster_type: self.cluster_type.into_text(),
            spec: self.cluster_spec.into_text(),
            profile: self.profile.into_text(),
            state,
            version: self.current_version.into_text(),
            next_version: self.next_version.into_text(),
            updated: self.updated.into_value(),
            tags: tags.collect(),
        })
    }
}
