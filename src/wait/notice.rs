//! Notices about clusters that a wait cannot decide on from the status of their upgrade.

use std::collections::HashMap;

use ack_client::Status;
use ack_client::names::ClusterId;

use super::{UpgradeWait, is_ready};
use crate::cluster::ClusterInfo;
use crate::snapshot::{ClusterReading, Failure, Outcome, Snapshot};
use crate::upgrade::UpgradeState;

/// The reason for which a wait goes on or ends, where the table does not show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Notice {
    /// The version or the time of the last upgrade is unknown.
    Unidentified,
    /// The last upgrade succeeded, at another version than that of the goal.
    OtherVersion,
    /// The upgrade succeeded, and the state of the cluster is not `running` yet.
    NotRunning,
    /// The upgrade succeeded, and the state of the cluster cannot be read; the upgrade decides.
    StateUnreadable,
    /// No upgrade is under way, and the version of the cluster is unknown, which ends the wait.
    VersionUnknown,
}

impl UpgradeWait {
    /// The notices about the clusters of `snapshot`, after it has been evaluated.
    pub(crate) fn notices<'a>(
        &'a self,
        snapshot: &'a Snapshot,
        unread: &'a HashMap<ClusterId, Failure>,
    ) -> impl Iterator<Item = (&'a ClusterInfo, Notice)> {
        snapshot
            .clusters
            .iter()
            .filter_map(move |reading| Some((&*reading.cluster, self.notice(reading, unread)?)))
    }

    fn notice(
        &self,
        reading: &ClusterReading,
        unread: &HashMap<ClusterId, Failure>,
    ) -> Option<Notice> {
        let Outcome::Up(state) = &reading.outcome else {
            return None;
        };
        let info = &reading.cluster;
        let was_upgrading = self.upgrading.contains(&info.id);
        let unread = unread.get(&info.id);
        if !was_upgrading && self.is_unidentified(info, state) {
            return Some(Notice::Unidentified);
        }
        match state.status {
            Status::None => self.notice_of_idle(info, unread),
            Status::Success if !self.is_outdated(state, was_upgrading) => match unread {
                Some(failure) => self.notice_of_unread(info, state, failure),
                None => self.notice_of_success(info, state, was_upgrading),
            },
            _ => None,
        }
    }

    fn notice_of_idle(&self, info: &ClusterInfo, unread: Option<&Failure>) -> Option<Notice> {
        let may_be_read = unread.is_some_and(|failure| !self.gives_up(&info.id, failure));
        (self.lacks_version(info) && !may_be_read).then_some(Notice::VersionUnknown)
    }

    fn notice_of_unread(
        &self,
        info: &ClusterInfo,
        state: &UpgradeState,
        failure: &Failure,
    ) -> Option<Notice> {
        if !self.gives_up(&info.id, failure) {
            return None;
        }
        match self.has_target_version(state, "") {
            None => Some(Notice::VersionUnknown),
            Some(_) => Some(Notice::StateUnreadable),
        }
    }

    fn notice_of_success(
        &self,
        info: &ClusterInfo,
        state: &UpgradeState,
        was_upgrading: bool,
    ) -> Option<Notice> {
        match self.has_target_version(state, &info.version) {
            None => Some(Notice::VersionUnknown),
            Some(false) => Some(Notice::OtherVersion),
            Some(true) => (!self.reached.contains(&info.id) && !is_ready(info, was_upgrading))
                .then_some(Notice::NotRunning),
        }
    }

    /// Returns true if an upgrade has ended that may or may not be the expected one.
    // `GetUpgradeStatus` has neither times nor versions.
    fn is_unidentified(&self, info: &ClusterInfo, state: &UpgradeState) -> bool {
        let has_ended = matches!(
            state.status,
            Status::Success | Status::Fail | Status::Canceled
        );
        let lacks_time = self.goal.since.is_some() && state.updated.or(state.started).is_none();
        let lacks_version = state.status != Status::Success
            && self.has_target_version(state, &info.version).is_none();
        has_ended && (lacks_time || lacks_version)
    }
}
