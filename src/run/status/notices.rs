//! The sentences about a wait that the table does not show.

use std::collections::{HashMap, HashSet};

use ack_client::ClusterState;
use ack_client::names::ClusterId;

use super::summary::label;
use crate::cluster::ClusterInfo;
use crate::snapshot::{Failure, Snapshot};
use crate::wait::{Notice, UpgradeWait};

/// The notices that were shown: each is shown once.
#[derive(Debug, Default)]
pub(super) struct Notices(HashSet<(ClusterId, Notice)>);

impl Notices {
    /// Returns a line for each notice of `wait` that has not been shown yet. `unread` has the
    /// failures to read the details of clusters.
    pub(super) fn new_lines(
        &mut self,
        wait: &UpgradeWait,
        snapshot: &Snapshot,
        unread: &HashMap<ClusterId, Failure>,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        for (cluster, notice) in wait.notices(snapshot, unread) {
            if self.0.insert((cluster.id.clone(), notice)) {
                let level = level(notice);
                let sentence = sentence(cluster, notice, unread.get(&cluster.id));
                lines.push(format!("{level}: {}: {sentence}", label(cluster)));
            }
        }
        lines
    }
}

/// The level of a notice: only an error ends the wait.
fn level(notice: Notice) -> &'static str {
    match notice {
        Notice::VersionUnknown => "error",
        Notice::Unidentified
        | Notice::OtherVersion
        | Notice::NotRunning
        | Notice::StateUnreadable => "warning",
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
