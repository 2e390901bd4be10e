//! Waiting for upgrades to end, as pipelines do: what a look at the fleet means for the one who
//! waits.

use std::collections::{HashMap, HashSet};

use ack_client::Status;
use ack_client::names::ClusterId;
use jiff::Timestamp;

use crate::snapshot::{ClusterInfo, ClusterReading, Failure, Outcome, Snapshot};
use crate::upgrade::UpgradeState;

/// Looks in a row without an answer until nobody waits for it any longer: a single one is likely to
/// pass.
const SILENT_LOOKS: u32 = 3;

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

/// Something about a cluster that the table does not show and that decides how the wait goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Notice {
    /// It is not upgraded, and nothing tells which version it has, or when its last upgrade ended.
    Untold,
    /// Its last upgrade has ended well, at another version than the one that is waited for.
    OtherVersion,
    /// Its upgrade has ended well, and its state is not `running` again.
    NotRunning,
    /// Its upgrade has ended well, and its state cannot be read; the upgrade's own word counts.
    Unconfirmed,
    /// Its upgrade has ended well, and nothing tells which version it has: the wait is over.
    NoVersion,
}

/// Clusters that were to be read again after their upgrades, and why they could not be.
pub type Unread = HashMap<ClusterId, Failure>;

/// One who looks again and again, and remembers who did not answer.
#[derive(Debug, Default)]
pub struct Waiting {
    goal: Goal,
    /// Those whose upgrade was seen under way.
    under_way: HashSet<ClusterId>,
    /// Those that have reached the goal, until another upgrade begins.
    reached: HashSet<ClusterId>,
    /// Those that were waited for when they answered last.
    open: HashSet<ClusterId>,
    /// Looks in a row that each has not answered in.
    silent: HashMap<ClusterId, u32>,
    /// Looks in a row that did not show all that there may be.
    partial: u32,
    latest: Option<Timestamp>,
}

impl Waiting {
    /// One who waits for `goal` and has not looked yet.
    pub fn new(goal: Goal) -> Self {
        Self {
            goal,
            ..Self::default()
        }
    }

    /// The clusters of `look` whose version and state have to be read again before it is judged.
    /// What a list said before an upgrade ended says nothing of what the cluster is after it.
    pub fn to_read(&self, look: &Snapshot) -> Vec<ClusterId> {
        look.clusters
            .iter()
            .filter(|reading| self.has_to_be_read(reading))
            .map(|reading| reading.cluster.id.clone())
            .collect()
    }

    /// What this look means after those before it; `is_whole` is whether it shows all that there
    /// may be. Of what was [to be read](Self::to_read) again, `look` has what was read and `unread`
    /// the rest. Waiting ends with whoever has not answered in three looks in a row, or in one for
    /// a reason that lasts; one that goes while it is upgraded does not answer.
    pub fn judge(&mut self, look: &Snapshot, is_whole: bool, unread: &Unread) -> Verdict {
        // A snapshot that `cache_ttl` keeps is one look.
        if self.latest.replace(look.at) != Some(look.at) {
            self.count(look, is_whole, unread);
        }
        let whole = match self.partial {
            0 => Verdict::Good,
            1..SILENT_LOOKS => Verdict::Pending,
            SILENT_LOOKS.. => Verdict::Unknown,
        };
        let gone = self.gone(look).map(|cluster| {
            if self.is_patient_with(cluster) {
                Verdict::Pending
            } else {
                Verdict::Unknown
            }
        });
        let each: Vec<_> = look
            .clusters
            .iter()
            .map(|reading| self.judge_one(reading, unread))
            .collect();
        let verdict = together(gone.chain([whole]).chain(each.iter().copied()));
        for (reading, _) in look
            .clusters
            .iter()
            .zip(each)
            .filter(|(reading, verdict)| *verdict == Verdict::Good && has_succeeded(reading))
        {
            self.reached.insert(reading.cluster.id.clone());
        }
        verdict
    }

    /// What the one who waits should be told of the clusters of `look`, which has been judged.
    pub fn notices<'a>(
        &'a self,
        look: &'a Snapshot,
        unread: &'a Unread,
    ) -> impl Iterator<Item = (&'a ClusterInfo, Notice)> {
        look.clusters
            .iter()
            .filter_map(move |reading| Some((&*reading.cluster, self.notice(reading, unread)?)))
    }

    fn notice(&self, reading: &ClusterReading, unread: &Unread) -> Option<Notice> {
        let Outcome::Up(state) = &reading.outcome else {
            return None;
        };
        let (info, was_seen) = (
            &reading.cluster,
            self.under_way.contains(&reading.cluster.id),
        );
        if !was_seen && self.is_untold(info, state) {
            return Some(Notice::Untold);
        }
        if state.status == Status::None
            && self.goal.target_version.is_some()
            && info.version.is_empty()
        {
            let may_be_read = unread
                .get(&info.id)
                .is_some_and(|failure| !self.is_given_up(&info.id, failure));
            return (!may_be_read).then_some(Notice::Untold);
        }
        if state.status != Status::Success || self.is_old(state, was_seen) {
            return None;
        }
        if let Some(failure) = unread.get(&info.id) {
            let is_given_up = self.is_given_up(&info.id, failure);
            let notice = if self.has_reached(state, "").is_none() {
                Notice::NoVersion
            } else {
                Notice::Unconfirmed
            };
            return is_given_up.then_some(notice);
        }
        match self.has_reached(state, &info.version) {
            None => Some(Notice::NoVersion),
            Some(false) => Some(Notice::OtherVersion),
            Some(true) => (!self.reached.contains(&info.id) && !is_at_rest(info, was_seen))
                .then_some(Notice::NotRunning),
        }
    }

    /// Whether the upgrade has ended and nothing tells whether it is the one that is waited for:
    /// `GetUpgradeStatus` tells neither times nor versions.
    fn is_untold(&self, info: &ClusterInfo, state: &UpgradeState) -> bool {
        let has_ended = matches!(
            state.status,
            Status::Success | Status::Fail | Status::Canceled
        );
        let has_no_time = self.goal.since.is_some() && state.updated.or(state.started).is_none();
        let has_no_version =
            state.status != Status::Success && self.has_reached(state, &info.version).is_none();
        has_ended && (has_no_time || has_no_version)
    }

    /// What one cluster means. A failure is final; one that does not answer may still do so.
    fn judge_one(&self, reading: &ClusterReading, unread: &Unread) -> Verdict {
        let info = &reading.cluster;
        let state = match &reading.outcome {
            Outcome::Up(state) => state,
            Outcome::Down(failure) if self.is_given_up(&info.id, failure) => {
                return Verdict::Unknown;
            }
            Outcome::Down(_) | Outcome::NotAsked => return Verdict::Pending,
        };
        let was_seen = self.under_way.contains(&info.id);
        match state.status {
            Status::None => self.judge_idle(info, was_seen),
            Status::Running | Status::Pause | Status::Unknown => Verdict::Pending,
            _ if self.is_old(state, was_seen) => Verdict::Pending,
            Status::Success => self.judge_success(info, state, unread.get(&info.id)),
            Status::Fail | Status::Canceled => self.judge_failure(info, state, was_seen),
        }
    }

    fn judge_idle(&self, info: &ClusterInfo, was_seen: bool) -> Verdict {
        let is_good = match &self.goal.target_version {
            Some(target) => info.version == *target,
            None => self.goal.since.is_none() || was_seen,
        };
        if is_good && is_at_rest(info, was_seen) {
            Verdict::Good
        } else {
            Verdict::Pending
        }
    }

    /// The version that the cluster has now counts and, where that cannot be read, the one that its
    /// task names.
    fn judge_success(
        &self,
        info: &ClusterInfo,
        state: &UpgradeState,
        unread: Option<&Failure>,
    ) -> Verdict {
        if self.reached.contains(&info.id) {
            return Verdict::Good;
        }
        if unread.is_some_and(|failure| !self.is_given_up(&info.id, failure)) {
            return Verdict::Pending;
        }
        let (version, is_at_rest) = if unread.is_some() {
            ("", true)
        } else {
            (
                info.version.as_str(),
                is_at_rest(info, self.under_way.contains(&info.id)),
            )
        };
        match self.has_reached(state, version) {
            None => Verdict::Unknown,
            Some(true) if is_at_rest => Verdict::Good,
            Some(_) => Verdict::Pending,
        }
    }

    /// A failed upgrade is to the version that its task names. Where it names none, one that was
    /// seen under way is the one that is waited for.
    fn judge_failure(&self, info: &ClusterInfo, state: &UpgradeState, was_seen: bool) -> Verdict {
        let is_other = self.goal.target_version.as_ref().is_some_and(|target| {
            match state.target_version.as_str() {
                "" => !was_seen && info.version != *target,
                told => told != target,
            }
        });
        if is_other {
            Verdict::Pending
        } else {
            Verdict::Failed
        }
    }

    /// Whether it is at the version that is waited for, any if there is none; None where nothing
    /// tells.
    fn has_reached(&self, state: &UpgradeState, version: &str) -> Option<bool> {
        let Some(target) = &self.goal.target_version else {
            return Some(true);
        };
        let told = if version.is_empty() {
            state.target_version.as_str()
        } else {
            version
        };
        (!told.is_empty()).then_some(told == target)
    }

    /// Whether the upgrade ended before those that count. What was seen under way and tells no time
    /// is what is waited for.
    fn is_old(&self, state: &UpgradeState, was_seen: bool) -> bool {
        self.goal.since.is_some_and(|since| {
            state
                .updated
                .or(state.started)
                .map_or(!was_seen, |end| end < since)
        })
    }

    fn has_to_be_read(&self, reading: &ClusterReading) -> bool {
        let Outcome::Up(state) = &reading.outcome else {
            return false;
        };
        let (info, was_seen) = (
            &reading.cluster,
            self.under_way.contains(&reading.cluster.id),
        );
        let lacks_version = self.goal.target_version.is_some() && info.version.is_empty();
        match state.status {
            Status::Success if self.reached.contains(&info.id) || self.is_old(state, was_seen) => {
                false
            }
            Status::Success => was_seen || lacks_version || !is_at_rest(info, was_seen),
            Status::None => lacks_version || !is_at_rest(info, was_seen),
            _ => false,
        }
    }

    /// Those that were waited for and are no longer among the clusters: nobody has seen them end.
    fn gone<'a>(&'a self, look: &'a Snapshot) -> impl Iterator<Item = &'a ClusterId> {
        self.open.iter().filter(|cluster| {
            look.clusters
                .iter()
                .all(|reading| reading.cluster.id != **cluster)
        })
    }

    fn count(&mut self, look: &Snapshot, is_whole: bool, unread: &Unread) {
        let is_silent = |reading: &&ClusterReading| {
            matches!(reading.outcome, Outcome::Down(_)) || unread.contains_key(&reading.cluster.id)
        };
        let silent = look
            .clusters
            .iter()
            .filter(is_silent)
            .map(|reading| &reading.cluster.id);
        self.silent = silent
            .chain(self.gone(look))
            .map(|cluster| (cluster.clone(), self.looks_without(cluster) + 1))
            .collect();
        self.partial = if is_whole { 0 } else { self.partial + 1 };
        for reading in &look.clusters {
            let (Outcome::Up(state), id) = (&reading.outcome, &reading.cluster.id) else {
                continue;
            };
            if matches!(state.status, Status::Running | Status::Pause) {
                self.under_way.insert(id.clone());
                self.reached.remove(id);
            }
            if self.judge_one(reading, unread) == Verdict::Pending {
                self.open.insert(id.clone());
            } else {
                self.open.remove(id);
            }
        }
    }

    fn looks_without(&self, cluster: &ClusterId) -> u32 {
        self.silent.get(cluster).copied().unwrap_or(0)
    }

    fn is_patient_with(&self, cluster: &ClusterId) -> bool {
        self.looks_without(cluster) < SILENT_LOOKS
    }

    fn is_given_up(&self, cluster: &ClusterId, failure: &Failure) -> bool {
        failure.lasting || !self.is_patient_with(cluster)
    }
}

fn has_succeeded(reading: &ClusterReading) -> bool {
    matches!(&reading.outcome, Outcome::Up(state) if state.status == Status::Success)
}

/// Whether the next operation may begin, as far as the cluster's state is known. After an upgrade
/// it has to be running again; before one it may be what it is, as long as it is not upgraded.
fn is_at_rest(info: &ClusterInfo, was_seen: bool) -> bool {
    match info.state.as_deref() {
        None | Some("running") => true,
        Some("upgrading") => false,
        Some(_) => !was_seen,
    }
}

/// What several mean together.
fn together(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    let verdicts: Vec<_> = verdicts.into_iter().collect();
    let is_among = |verdict| verdicts.contains(&verdict);
    match () {
        () if is_among(Verdict::Failed) => Verdict::Failed,
        () if is_among(Verdict::Pending) => Verdict::Pending,
        () if is_among(Verdict::Unknown) => Verdict::Unknown,
        () => Verdict::Good,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use ack_client::Reason;
    use ack_client::names::AccountName;

    use super::*;
    use crate::shard::Shard;
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
        ClusterReading {
            cluster: Arc::new(cluster),
            outcome,
            duration: None,
            last_success: None,
            since: None,
        }
    }

    fn up(status: Status) -> ClusterReading {
        reading(Outcome::Up(Arc::new(UpgradeState {
            status,
            ..UpgradeState::never(SourceName::Tasks)
        })))
    }

    fn ended(status: Status, target_version: &str, updated: &str) -> ClusterReading {
        let updated = Some(updated.parse().expect("a time"));
        let state = UpgradeState {
            status,
            target_version: target_version.to_owned(),
            updated,
            ..UpgradeState::never(SourceName::Tasks)
        };
        reading(Outcome::Up(Arc::new(state)))
    }

    fn down(reason: Reason, lasting: bool) -> ClusterReading {
        reading(Outcome::Down(Failure {
            reason,
            message: String::new(),
            lasting,
        }))
    }

    fn silent() -> ClusterReading {
        down(Reason::Timeout, false)
    }

    /// The reading of a cluster of which a list or its detail says so.
    fn known(mut reading: ClusterReading, version: &str, state: &str) -> ClusterReading {
        let info = Arc::make_mut(&mut reading.cluster);
        info.version = version.to_owned();
        info.state = Some(state.to_owned()).filter(|state| !state.is_empty());
        reading
    }

    fn to(target_version: &str) -> Goal {
        Goal {
            target_version: Some(target_version.to_owned()),
            since: None,
        }
    }

    /// What a first look at these means.
    fn judge(goal: &Goal, readings: &[ClusterReading]) -> Verdict {
        Waiting::new(goal.clone()).judge(&look(1, readings), true, &Unread::new())
    }

    /// The look that is made in this second.
    fn look(second: i64, clusters: &[ClusterReading]) -> Snapshot {
        Snapshot {
            at: Timestamp::constant(second, 0),
            duration: Duration::ZERO,
            budget: Duration::ZERO,
            complete: true,
            shard: Shard::default(),
            clusters: clusters.to_vec(),
            accounts: Vec::new(),
        }
    }

    #[test]
    fn only_three_looks_in_a_row_without_an_answer_end_the_waiting() {
        let mut waiting = Waiting::default();
        let mut see = |second, reading| {
            waiting.judge(
                &look(second, &[up(Status::Success), reading]),
                true,
                &Unread::new(),
            )
        };
        assert_eq!(
            [see(1, silent()), see(2, silent()), see(2, silent())],
            [Verdict::Pending; 3],
            "the last two are one look"
        );
        assert_eq!(see(3, up(Status::Running)), Verdict::Pending);
        assert_eq!(
            [see(4, silent()), see(5, down(Reason::Auth, false))],
            [Verdict::Pending; 2]
        );
        assert_eq!(see(6, silent()), Verdict::Unknown);
        assert_eq!(see(7, up(Status::Success)), Verdict::Good);
        assert_eq!(
            see(8, down(Reason::Auth, true)),
            Verdict::Unknown,
            "it does not pass by itself"
        );
    }

    #[test]
    fn one_that_goes_while_it_is_upgraded_was_not_seen_to_end() {
        let mut waiting = Waiting::default();
        let other = || {
            let mut other = up(Status::Success);
            Arc::make_mut(&mut other.cluster).id = ClusterId::parse("c2").expect("an ID");
            other
        };
        let mut see = |second, clusters: &[ClusterReading]| {
            waiting.judge(&look(second, clusters), true, &Unread::new())
        };
        assert_eq!(see(1, &[up(Status::Running), other()]), Verdict::Pending);
        assert_eq!(
            [see(2, &[other()]), see(3, &[other()])],
            [Verdict::Pending; 2]
        );
        assert_eq!(
            see(4, &[up(Status::Running), other()]),
            Verdict::Pending,
            "it is back"
        );
        assert_eq!(
            [see(5, &[other()]), see(6, &[other()]), see(7, &[other()])],
            [Verdict::Pending, Verdict::Pending, Verdict::Unknown]
        );
    }

    #[test]
    fn one_that_goes_after_it_has_ended_is_missed_by_nobody() {
        let mut waiting = Waiting::default();
        let two = |status| {
            let mut reading = up(status);
            Arc::make_mut(&mut reading.cluster).id = ClusterId::parse("c2").expect("an ID");
            reading
        };
        let mut see = |second, clusters: &[ClusterReading]| {
            waiting.judge(&look(second, clusters), true, &Unread::new())
        };
        assert_eq!(
            see(1, &[up(Status::Running), two(Status::Running)]),
            Verdict::Pending
        );
        assert_eq!(
            see(2, &[up(Status::Success), two(Status::Running)]),
            Verdict::Pending
        );
        for second in 3..8 {
            assert_eq!(see(second, &[two(Status::Running)]), Verdict::Pending);
        }
        assert_eq!(see(8, &[two(Status::Success)]), Verdict::Good);
    }

    #[test]
    fn what_is_missing_from_three_looks_in_a_row_is_not_waited_for() {
        let mut waiting = Waiting::default();
        let mut see = |second, is_whole| {
            waiting.judge(
                &look(second, &[up(Status::Success)]),
                is_whole,
                &Unread::new(),
            )
        };
        assert_eq!(
            [1, 2].map(|second| see(second, false)),
            [Verdict::Pending; 2]
        );
        assert_eq!(see(3, true), Verdict::Good);
        assert_eq!(
            [4, 5, 6].map(|second| see(second, false)),
            [Verdict::Pending, Verdict::Pending, Verdict::Unknown]
        );
    }

    #[test]
    fn an_upgrade_that_was_seen_under_way_counts_whatever_the_source_does_not_tell() {
        let since = Goal {
            target_version: None,
            since: Some("2026-11-23T08:00:00Z".parse().expect("a time")),
        };
        for goal in [since, to("1.32.1")] {
            for (end, verdict) in [
                (Status::Success, Verdict::Good),
                (Status::Fail, Verdict::Failed),
                (Status::Canceled, Verdict::Failed),
            ] {
                let mut waiting = Waiting::new(goal.clone());
                let version = if end == Status::Success {
                    "1.32.1"
                } else {
                    "1.31.1"
                };
                let looks = [
                    up(end),
                    up(Status::Running),
                    up(Status::Pause),
                    known(up(end), version, "running"),
                ];
                let seen: Vec<_> = (1..)
                    .zip(looks)
                    .map(|(second, reading)| {
                        waiting.judge(&look(second, &[reading]), true, &Unread::new())
                    })
                    .collect();
                assert_eq!(
                    seen,
                    [
                        Verdict::Pending,
                        Verdict::Pending,
                        Verdict::Pending,
                        verdict
                    ],
                    "{goal:?} {end:?}"
                );
            }
        }
    }

    #[test]
    fn the_version_that_the_cluster_has_after_its_upgrade_decides() {
        let mut waiting = Waiting::new(to("1.32.1"));
        let mut see = |second, reading: ClusterReading| {
            let look = look(second, &[reading]);
            let has_to_be_read = !waiting.to_read(&look).is_empty();
            let verdict = waiting.judge(&look, true, &Unread::new());
            let notices: Vec<_> = waiting
                .notices(&look, &Unread::new())
                .map(|(_, notice)| notice)
                .collect();
            (has_to_be_read, verdict, notices)
        };
        assert_eq!(
            see(1, up(Status::Success)),
            (false, Verdict::Pending, vec![Notice::OtherVersion]),
            "an old success: another upgrade is to come"
        );
        assert_eq!(
            see(2, up(Status::Running)),
            (false, Verdict::Pending, vec![])
        );
        let other = (true, Verdict::Pending, vec![Notice::OtherVersion]);
        assert_eq!(see(3, up(Status::Success)), other);
        assert_eq!(
            see(4, ended(Status::Success, "1.32.1", "2026-11-23T09:00:00Z")),
            other,
            "whatever its task says"
        );
        assert_eq!(
            see(5, up(Status::Running)),
            (false, Verdict::Pending, vec![])
        );
        assert_eq!(
            see(6, known(up(Status::Success), "1.32.1", "running")),
            (true, Verdict::Good, vec![])
        );
        assert_eq!(
            see(7, known(up(Status::Success), "1.32.1", "running")),
            (false, Verdict::Good, vec![]),
            "once is enough"
        );
    }

    #[test]
    fn a_success_counts_once_the_cluster_is_running_again() {
        for goal in [Goal::default(), to("1.32.1")] {
            let mut waiting = Waiting::new(goal);
            let mut see = |second, status, state| {
                let look = look(second, &[known(up(status), "1.32.1", state)]);
                let verdict = waiting.judge(&look, true, &Unread::new());
                (
                    verdict,
                    waiting
                        .notices(&look, &Unread::new())
                        .any(|(_, notice)| notice == Notice::NotRunning),
                )
            };
            assert_eq!(
                see(1, Status::Running, "upgrading"),
                (Verdict::Pending, false)
            );
            assert_eq!(
                see(2, Status::Success, "upgrading"),
                (Verdict::Pending, true)
            );
            assert_eq!(see(3, Status::Success, "scaling"), (Verdict::Pending, true));
            assert_eq!(see(4, Status::Success, "running"), (Verdict::Good, false));
        }
        let any = Goal::default();
        for status in [Status::None, Status::Success] {
            assert_eq!(
                judge(&any, &[known(up(status), "", "upgrading")]),
                Verdict::Pending,
                "the list sees one that has begun"
            );
            assert_eq!(
                judge(&any, &[known(up(status), "", "inactive")]),
                Verdict::Good,
                "no upgrade made it so"
            );
        }
    }

    #[test]
    fn where_nothing_can_be_read_after_an_upgrade_its_task_counts_and_a_version_that_nobody_tells_is_unknown()
     {
        let told = |version| ended(Status::Success, version, "2026-11-23T09:00:00Z");
        let forbidden = || Failure {
            reason: Reason::Forbidden,
            message: String::new(),
            lasting: true,
        };
        let silent = || Failure {
            reason: Reason::Timeout,
            message: String::new(),
            lasting: false,
        };
        for (goal, end, verdict, notice) in [
            (
                Goal::default(),
                told(""),
                Verdict::Good,
                Notice::Unconfirmed,
            ),
            (
                to("1.32.1"),
                told("1.32.1"),
                Verdict::Good,
                Notice::Unconfirmed,
            ),
            (
                to("1.32.1"),
                told("1.31.9"),
                Verdict::Pending,
                Notice::Unconfirmed,
            ),
            (to("1.32.1"), told(""), Verdict::Unknown, Notice::NoVersion),
            (to("1.31.1"), told(""), Verdict::Unknown, Notice::NoVersion),
        ] {
            let mut waiting = Waiting::new(goal.clone());
            waiting.judge(&look(1, &[up(Status::Running)]), true, &Unread::new());
            let mut see = |second, failure| {
                let (look, unread) = (
                    look(second, std::slice::from_ref(&end)),
                    Unread::from([(end.cluster.id.clone(), failure)]),
                );
                let verdict = waiting.judge(&look, true, &unread);
                (
                    verdict,
                    waiting
                        .notices(&look, &unread)
                        .map(|(_, notice)| notice)
                        .next(),
                )
            };
            assert_eq!(
                [see(2, silent()), see(3, silent())],
                [(Verdict::Pending, None); 2],
                "it may pass: {goal:?}"
            );
            assert_eq!(see(4, silent()), (verdict, Some(notice)), "{goal:?}");
            let mut waiting = Waiting::new(goal.clone());
            waiting.judge(&look(1, &[up(Status::Running)]), true, &Unread::new());
            let unread = Unread::from([(end.cluster.id.clone(), forbidden())]);
            assert_eq!(
                waiting.judge(&look(2, std::slice::from_ref(&end)), true, &unread),
                verdict,
                "{goal:?}"
            );
        }
    }

    #[test]
    fn ends_of_which_nothing_tells_when_they_were_are_named() {
        let goal = Goal {
            target_version: None,
            since: Some("2026-11-23T08:00:00Z".parse().expect("a time")),
        };
        let mut waiting = Waiting::new(goal);
        for (second, reading, is_named) in [
            (1, up(Status::None), false),
            (2, up(Status::Success), true),
            (3, ended(Status::Success, "", "2026-11-22T08:00:00Z"), false),
            (4, up(Status::Running), false),
            (5, up(Status::Success), false),
        ] {
            let look = look(second, &[reading]);
            waiting.judge(&look, true, &Unread::new());
            assert_eq!(
                waiting.notices(&look, &Unread::new()).count() == 1,
                is_named,
                "{second}"
            );
        }
    }

    #[test]
    fn the_worst_that_is_final_decides() {
        let any = Goal::default();
        assert_eq!(judge(&any, &[]), Verdict::Good);
        assert_eq!(
            judge(&any, &[up(Status::Success), up(Status::None)]),
            Verdict::Good
        );
        assert_eq!(
            judge(&any, &[up(Status::Success), up(Status::Running)]),
            Verdict::Pending
        );
        assert_eq!(
            judge(&any, &[up(Status::Pause)]),
            Verdict::Pending,
            "a paused one is waited for"
        );
        assert_eq!(
            judge(&any, &[up(Status::Running), up(Status::Fail)]),
            Verdict::Failed
        );
        assert_eq!(
            judge(&any, &[up(Status::Canceled), silent()]),
            Verdict::Failed
        );
        assert_eq!(
            judge(&any, &[up(Status::Running), silent()]),
            Verdict::Pending
        );
        assert_eq!(
            judge(&any, &[up(Status::Success), down(Reason::Auth, true)]),
            Verdict::Unknown
        );
    }

    #[test]
    fn an_old_success_is_not_taken_for_the_new_one() {
        let goal = Goal {
            target_version: None,
            since: Some("2026-11-23T08:00:00Z".parse().expect("a time")),
        };
        assert_eq!(
            judge(&goal, &[ended(Status::Success, "", "2026-11-22T08:00:00Z")]),
            Verdict::Pending
        );
        assert_eq!(
            judge(&goal, &[ended(Status::Fail, "", "2026-11-22T08:00:00Z")]),
            Verdict::Pending
        );
        assert_eq!(
            judge(&goal, &[ended(Status::Success, "", "2026-11-23T09:00:00Z")]),
            Verdict::Good
        );
        assert_eq!(judge(&goal, &[up(Status::None)]), Verdict::Pending);
        let goal = Goal {
            target_version: Some("1.32.1".to_owned()),
            since: None,
        };
        assert_eq!(
            judge(
                &goal,
                &[ended(Status::Success, "1.31.1", "2026-11-23T09:00:00Z")]
            ),
            Verdict::Pending
        );
        assert_eq!(
            judge(
                &goal,
                &[known(
                    ended(Status::Success, "1.32.1", "2026-11-23T09:00:00Z"),
                    "1.32.1",
                    ""
                )]
            ),
            Verdict::Good
        );
        let goal = Goal {
            target_version: Some("1.31.1".to_owned()),
            since: None,
        };
        assert_eq!(
            judge(&goal, &[up(Status::Success)]),
            Verdict::Good,
            "the version it runs tells"
        );
    }
}
