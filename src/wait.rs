//! Waiting for upgrades to end, for pipelines: the progress of the clusters over repeated
//! snapshots.

mod notice;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use ack_client::names::ClusterId;
use ack_client::{ClusterState, Status};
use jiff::Timestamp;

pub(crate) use notice::Notice;

use crate::cluster::ClusterInfo;
use crate::snapshot::{ClusterReading, Failure, Outcome, Snapshot};
use crate::upgrade::UpgradeState;

/// The number of consecutive failed polls that end a wait.
// A single failure is likely to be temporary.
const MAX_FAILED_POLLS: u32 = 3;

/// The upgrades that a wait accepts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Goal {
    /// The version that the cluster must reach; None accepts every version.
    pub(crate) target_version: Option<String>,
    /// The time before which an end belongs to an older upgrade.
    pub(crate) since: Option<Timestamp>,
}

/// The progress of one cluster or of several. The greatest of several is that of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Progress {
    /// The goal is reached.
    Done,
    /// A cluster cannot be queried, and the wait for it is over.
    Unknown,
    /// An upgrade is under way or has not begun.
    Pending,
    /// An upgrade failed or was canceled.
    Failed,
}

/// The clusters that a snapshot shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// Every cluster that is waited for.
    Full,
    /// Some may be missing.
    Partial,
}

/// A wait for upgrades, with its memory of earlier snapshots.
#[derive(Debug, Default)]
pub(crate) struct UpgradeWait {
    goal: Goal,
    /// The clusters whose upgrade was under way in a snapshot.
    upgrading: HashSet<ClusterId>,
    /// The clusters that have reached the goal, until another upgrade begins.
    reached: HashSet<ClusterId>,
    /// The clusters that were pending when they were last queried.
    pending: HashSet<ClusterId>,
    /// The number of consecutive failed polls, by cluster.
    failed_polls: HashMap<ClusterId, u32>,
    /// The number of consecutive snapshots with partial coverage.
    partial_polls: u32,
    last_snapshot: Option<Timestamp>,
}

impl UpgradeWait {
    /// Begins to wait for `goal`.
    pub(crate) fn new(goal: Goal) -> Self {
        Self {
            goal,
            ..Self::default()
        }
    }

    /// The clusters whose version and state have to be read again before `snapshot` is evaluated.
    // The details of a list that was read before an upgrade ended are out of date after it.
    pub(crate) fn clusters_to_refresh(&self, snapshot: &Snapshot) -> Vec<ClusterId> {
        snapshot
            .clusters
            .iter()
            .filter(|reading| self.needs_refresh(reading))
            .map(|reading| reading.cluster.id.clone())
            .collect()
    }

    /// Returns the progress of all clusters. `snapshot` has the details of those
    /// [to refresh](Self::clusters_to_refresh) that could be read, `unread` the failures of the
    /// others.
    ///
    /// The wait for a cluster ends after three consecutive polls in which it could not be queried,
    /// or one that failed for a lasting reason. A pending cluster that leaves the snapshot counts
    /// as one that could not be queried.
    pub(crate) fn evaluate(
        &mut self,
        snapshot: &Snapshot,
        coverage: Coverage,
        unread: &HashMap<ClusterId, Failure>,
    ) -> Progress {
        // `scrape.cache_ttl` may return the same snapshot twice, which is one poll.
        if self.last_snapshot.replace(snapshot.at) != Some(snapshot.at) {
            self.record(snapshot, coverage, unread);
        }
        let mut progress = self
            .evaluate_coverage()
            .max(self.evaluate_missing(snapshot));
        for reading in &snapshot.clusters {
            let one = self.progress(reading, unread);
            if one == Progress::Done && has_succeeded(reading) {
                self.reached.insert(reading.cluster.id.clone());
            }
            progress = progress.max(one);
        }
        progress
    }

    fn evaluate_coverage(&self) -> Progress {
        match self.partial_polls {
            0 => Progress::Done,
            1..MAX_FAILED_POLLS => Progress::Pending,
            MAX_FAILED_POLLS.. => Progress::Unknown,
        }
    }

    fn evaluate_missing(&self, snapshot: &Snapshot) -> Progress {
        let each = self.missing(snapshot).map(|cluster| {
            if self.may_recover(cluster) {
                Progress::Pending
            } else {
                Progress::Unknown
            }
        });
        each.max().unwrap_or(Progress::Done)
    }

    /// Returns the progress of one cluster of the snapshot that is or was evaluated last.
    pub(crate) fn progress(
        &self,
        reading: &ClusterReading,
        unread: &HashMap<ClusterId, Failure>,
    ) -> Progress {
        let info = &reading.cluster;
        let state = match &reading.outcome {
            Outcome::Up(state) => state,
            Outcome::Down(failure) if self.gives_up(&info.id, failure) => {
                return Progress::Unknown;
            }
            Outcome::Down(_) | Outcome::NotAsked => return Progress::Pending,
        };
        let was_upgrading = self.upgrading.contains(&info.id);
        match state.status {
            Status::None => self.evaluate_idle(info, was_upgrading, unread.get(&info.id)),
            Status::Running | Status::Pause | Status::Unknown => Progress::Pending,
            _ if self.is_outdated(state, was_upgrading) => Progress::Pending,
            Status::Success => self.evaluate_success(info, state, unread.get(&info.id)),
            Status::Fail | Status::Canceled => self.evaluate_failure(info, state, was_upgrading),
        }
    }

    fn evaluate_idle(
        &self,
        info: &ClusterInfo,
        was_upgrading: bool,
        unread: Option<&Failure>,
    ) -> Progress {
        if self.lacks_version(info) {
            let may_be_read = unread.is_some_and(|failure| !self.gives_up(&info.id, failure));
            return if may_be_read {
                Progress::Pending
            } else {
                Progress::Unknown
            };
        }
        let meets_goal = match &self.goal.target_version {
            Some(target) => info.version == *target,
            None => self.goal.since.is_none() || was_upgrading,
        };
        if meets_goal && is_ready(info, was_upgrading) {
            Progress::Done
        } else {
            Progress::Pending
        }
    }

    fn evaluate_success(
        &self,
        info: &ClusterInfo,
        state: &UpgradeState,
        unread: Option<&Failure>,
    ) -> Progress {
        if self.reached.contains(&info.id) {
            return Progress::Done;
        }
        if unread.is_some_and(|failure| !self.gives_up(&info.id, failure)) {
            return Progress::Pending;
        }
        // Without the details of the cluster, the version of its task decides.
        let (version, is_ready) = if unread.is_some() {
            ("", true)
        } else {
            (
                info.version.as_str(),
                is_ready(info, self.upgrading.contains(&info.id)),
            )
        };
        match self.has_target_version(state, version) {
            None => Progress::Unknown,
            Some(true) if is_ready => Progress::Done,
            Some(_) => Progress::Pending,
        }
    }

    fn evaluate_failure(
        &self,
        info: &ClusterInfo,
        state: &UpgradeState,
        was_upgrading: bool,
    ) -> Progress {
        // Where the task has no version, an upgrade that was seen under way is the expected one.
        let is_other = self.goal.target_version.as_ref().is_some_and(|target| {
            match state.target_version.as_str() {
                "" => !was_upgrading && info.version != *target,
                version => version != target,
            }
        });
        if is_other {
            Progress::Pending
        } else {
            Progress::Failed
        }
    }

    /// Returns true if `version`, or else the version of the task, is the one of the goal; None if
    /// both are unknown.
    fn has_target_version(&self, state: &UpgradeState, version: &str) -> Option<bool> {
        let Some(target) = &self.goal.target_version else {
            return Some(true);
        };
        let version = if version.is_empty() {
            state.target_version.as_str()
        } else {
            version
        };
        (!version.is_empty()).then_some(version == target)
    }

    /// Returns true if the goal is a version, and that of the cluster is not known.
    fn lacks_version(&self, info: &ClusterInfo) -> bool {
        self.goal.target_version.is_some() && info.version.is_empty()
    }

    /// Returns true if the upgrade ended before the time of the goal. One without a time is older
    /// unless it was seen under way.
    fn is_outdated(&self, state: &UpgradeState, was_upgrading: bool) -> bool {
        self.goal.since.is_some_and(|since| {
            state
                .updated
                .or(state.started)
                .map_or(!was_upgrading, |end| end < since)
        })
    }

    fn needs_refresh(&self, reading: &ClusterReading) -> bool {
        let Outcome::Up(state) = &reading.outcome else {
            return false;
        };
        let info = &reading.cluster;
        let was_upgrading = self.upgrading.contains(&info.id);
        let lacks_version = self.lacks_version(info);
        match state.status {
            Status::Success => {
                let is_settled =
                    self.reached.contains(&info.id) || self.is_outdated(state, was_upgrading);
                !is_settled && (was_upgrading || lacks_version || !is_ready(info, was_upgrading))
            }
            Status::None => lacks_version || !is_ready(info, was_upgrading),
            _ => false,
        }
    }

    /// The pending clusters that `snapshot` no longer has: their upgrades were not seen to end.
    fn missing<'a>(&'a self, snapshot: &'a Snapshot) -> impl Iterator<Item = &'a ClusterId> {
        self.pending.iter().filter(|cluster| {
            snapshot
                .clusters
                .iter()
                .all(|reading| reading.cluster.id != **cluster)
        })
    }

    fn record(
        &mut self,
        snapshot: &Snapshot,
        coverage: Coverage,
        unread: &HashMap<ClusterId, Failure>,
    ) {
        let has_failed = |reading: &&ClusterReading| {
            matches!(reading.outcome, Outcome::Down(_)) || unread.contains_key(&reading.cluster.id)
        };
        let failed = snapshot
            .clusters
            .iter()
            .filter(has_failed)
            .map(|reading| &reading.cluster.id);
        self.failed_polls = failed
            .chain(self.missing(snapshot))
            .map(|cluster| (cluster.clone(), self.failed_polls(cluster) + 1))
            .collect();
        self.partial_polls = match coverage {
            Coverage::Full => 0,
            Coverage::Partial => self.partial_polls + 1,
        };
        for reading in &snapshot.clusters {
            let (Outcome::Up(state), id) = (&reading.outcome, &reading.cluster.id) else {
                continue;
            };
            if matches!(state.status, Status::Running | Status::Pause) {
                self.upgrading.insert(id.clone());
                self.reached.remove(id);
            }
            if self.progress(reading, unread) == Progress::Pending {
                self.pending.insert(id.clone());
            } else {
                self.pending.remove(id);
            }
        }
    }

    fn failed_polls(&self, cluster: &ClusterId) -> u32 {
        self.failed_polls.get(cluster).copied().unwrap_or(0)
    }

    fn may_recover(&self, cluster: &ClusterId) -> bool {
        self.failed_polls(cluster) < MAX_FAILED_POLLS
    }

    fn gives_up(&self, cluster: &ClusterId, failure: &Failure) -> bool {
        failure.lasting || !self.may_recover(cluster)
    }
}

fn has_succeeded(reading: &ClusterReading) -> bool {
    matches!(&reading.outcome, Outcome::Up(state) if state.status == Status::Success)
}

/// Returns true if the next operation may begin, as far as the state of the cluster is known.
// After an upgrade the cluster has to be running again; before one, any other state but upgrading
// is not the upgrade's doing.
fn is_ready(info: &ClusterInfo, was_upgrading: bool) -> bool {
    match info.state {
        None | Some(ClusterState::Running) => true,
        Some(ClusterState::Upgrading) => false,
        Some(_) => !was_upgrading,
    }
}
