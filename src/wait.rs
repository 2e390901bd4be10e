//! Waiting for upgrades to end, as pipelines do: what a look at the fleet means for the one who waits.

use jiff::Timestamp;

use crate::snapshot::{ClusterReading, Outcome};
use crate::upgrade::{Status, UpgradeState};

/// Which success counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Goal {
    /// The version that must have been reached; without it any success will do.
    pub target_version: Option<String>,
    /// Ends before this time are those of an older upgrade.
    pub since: Option<Timestamp>,
}

/// What one look means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// All is well, and nothing goes on.
    Good,
    /// Something still goes on, or has not begun.
    Pending,
    /// One could not be queried; the rest is over.
    Unknown,
    /// One failed or was canceled.
    Failed,
}

impl Goal {
    /// What the readings mean together. A failure is final; one that does not answer may still do so, but there is
    /// nothing to wait for when all others are over.
    pub fn judge<'a>(&self, readings: impl IntoIterator<Item = &'a ClusterReading>) -> Verdict {
        let verdicts: Vec<_> = readings.into_iter().map(|reading| self.judge_one(reading)).collect();
        let is_among = |verdict| verdicts.contains(&verdict);
        match () {
            () if is_among(Verdict::Failed) => Verdict::Failed,
            () if is_among(Verdict::Pending) => Verdict::Pending,
            () if is_among(Verdict::Unknown) => Verdict::Unknown,
            () => Verdict::Good,
        }
    }

    fn judge_one(&self, reading: &ClusterReading) -> Verdict {
        let state = match &reading.outcome {
            Outcome::Up(state) => state,
            Outcome::Down(_) => return Verdict::Unknown,
            Outcome::NotAsked => return Verdict::Pending,
        };
        let is_old = self.since.is_some_and(|since| state.updated.or(state.started).is_none_or(|end| end < since));
        let is_other = self.target_version.as_ref().is_some_and(|target| !reaches(state, &reading.cluster.version, target));
        match state.status {
            Status::None if self.target_version.is_none() && self.since.is_none() => Verdict::Good,
            Status::None if self.target_version.as_deref() == Some(reading.cluster.version.as_str()) => Verdict::Good,
            Status::None | Status::Running | Status::Pause | Status::Unknown => Verdict::Pending,
            _ if is_old || is_other => Verdict::Pending,
            Status::Success => Verdict::Good,
            Status::Fail | Status::Canceled => Verdict::Failed,
        }
    }
}

/// Whether the upgrade is the one to `target`: by its task, or by the version that the cluster runs.
fn reaches(state: &UpgradeState, version: &str, target: &str) -> bool {
    if state.target_version.is_empty() { version == target } else { state.target_version == target }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::api::Reason;
    use crate::names::{AccountName, ClusterId};
    use crate::snapshot::{ClusterInfo, Failure};
    use crate::upgrade::SourceName;

    fn reading(outcome: Outcome) -> ClusterReading {
        let cluster = ClusterInfo {
            id: ClusterId::parse("c1").expect("an ID"),
            name: String::new(),
            account: AccountName::parse("a").expect("a name"),
            region: None,
            cluster_type: String::new(),
            spec: String::new(),
            version: "1.31.1".to_owned(),
            next_version: String::new(),
            state: None,
            labels: std::collections::BTreeMap::new(),
        };
        ClusterReading { cluster: Arc::new(cluster), outcome, duration: None, last_success: None, since: None }
    }

    fn up(status: Status) -> ClusterReading {
        reading(Outcome::Up(Arc::new(UpgradeState { status, ..UpgradeState::never(SourceName::Tasks) })))
    }

    fn ended(status: Status, target_version: &str, updated: &str) -> ClusterReading {
        let updated = Some(updated.parse().expect("a time"));
        let state = UpgradeState { status, target_version: target_version.to_owned(), updated, ..UpgradeState::never(SourceName::Tasks) };
        reading(Outcome::Up(Arc::new(state)))
    }

    fn silent() -> ClusterReading {
        reading(Outcome::Down(Failure { reason: Reason::Timeout, message: String::new() }))
    }

    #[test]
    fn the_worst_that_is_final_decides() {
        let any = Goal::default();
        assert_eq!(any.judge(&[]), Verdict::Good);
        assert_eq!(any.judge(&[up(Status::Success), up(Status::None)]), Verdict::Good);
        assert_eq!(any.judge(&[up(Status::Success), up(Status::Running)]), Verdict::Pending);
        assert_eq!(any.judge(&[up(Status::Pause)]), Verdict::Pending, "a paused one is waited for");
        assert_eq!(any.judge(&[up(Status::Running), up(Status::Fail)]), Verdict::Failed);
        assert_eq!(any.judge(&[up(Status::Canceled), silent()]), Verdict::Failed);
        assert_eq!(any.judge(&[up(Status::Running), silent()]), Verdict::Pending);
        assert_eq!(any.judge(&[up(Status::Success), silent()]), Verdict::Unknown);
    }

    #[test]
    fn an_old_success_is_not_taken_for_the_new_one() {
        let goal = Goal { target_version: None, since: Some("2026-11-23T08:00:00Z".parse().expect("a time")) };
        assert_eq!(goal.judge(&[ended(Status::Success, "", "2026-11-22T08:00:00Z")]), Verdict::Pending);
        assert_eq!(goal.judge(&[ended(Status::Fail, "", "2026-11-22T08:00:00Z")]), Verdict::Pending);
        assert_eq!(goal.judge(&[ended(Status::Success, "", "2026-11-23T09:00:00Z")]), Verdict::Good);
        assert_eq!(goal.judge(&[up(Status::None)]), Verdict::Pending);
        let goal = Goal { target_version: Some("1.32.1".to_owned()), since: None };
        assert_eq!(goal.judge(&[ended(Status::Success, "1.31.1", "2026-11-23T09:00:00Z")]), Verdict::Pending);
        assert_eq!(goal.judge(&[ended(Status::Success, "1.32.1", "2026-11-23T09:00:00Z")]), Verdict::Good);
        let goal = Goal { target_version: Some("1.31.1".to_owned()), since: None };
        assert_eq!(goal.judge(&[up(Status::Success)]), Verdict::Good, "the version it runs tells");
    }
}
