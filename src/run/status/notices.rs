//! The sentences about a wait that the table does not show.

use std::collections::HashSet;

use ack_client::ClusterState;
use ack_client::names::ClusterId;

use super::summary::label;
use crate::cluster::ClusterInfo;
use crate::snapshot::Failure;
use crate::wait::Notice;

/// The notices that were shown: each is shown once.
#[derive(Debug, Default)]
pub(super) struct Notices(HashSet<(ClusterId, Notice)>);

impl Notices {
    /// Returns the sentence for a notice that has not been shown yet. `unread` is the failure to
    /// read the details of the cluster.
    pub(super) fn add(
        &mut self,
        cluster: &ClusterInfo,
        notice: Notice,
        unread: Option<&Failure>,
    ) -> Option<String> {
        let is_new = self.0.insert((cluster.id.clone(), notice));
        is_new.then(|| format!("{}: {}", label(cluster), sentence(cluster, notice, unread)))
    }
}

fn sentence(cluster: &ClusterInfo, notice: Notice, unread: Option<&Failure>) -> String {
    let error = unread.map_or("the API does not return it", |failure| &failure.message);
    match notice {
        Notice::Unidentified => "its version or the end of its last upgrade is unknown; waiting \
            until an upgrade is under way"
            .to_owned(),
        Notice::OtherVersion => format!(
            "it has {}, another version than --target-version; waiting for an upgrade to that one",
            cluster.version
        ),
        Notice::NotRunning => format!(
            "its upgrade has succeeded; waiting until its state is running, now it is {}",
            cluster.state.unwrap_or(ClusterState::Unknown).as_str()
        ),
        Notice::StateUnreadable => {
            format!("its upgrade has succeeded; its state cannot be read: {error}")
        }
        Notice::VersionUnknown => format!("which version it has now cannot be read: {error}"),
    }
}
