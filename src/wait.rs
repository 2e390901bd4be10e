//! Waiting for upgrades to end, as pipelines do: what a look at the fleet means for the one who waits.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::names::ClusterId;
use crate::snapshot::{ClusterReading, Outcome, Snapshot};
use crate::upgrade::{Status, UpgradeState};

/// Looks in a row without an answer until nobody waits for it any longer: a single one is likely to pass.
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

impl Goal {
    /// What the readings mean together. A failure is final; one that does not answer may still do so, but there is
    /// nothing to wait for when all others are over.
    pub fn judge<'a>(&self, readings: impl IntoIterator<Item = &'a ClusterReading>) -> Verdict {
        together(readings.into_iter().map(|reading| self.judge_one(reading, Begun::Before)))
    }

    fn judge_one(&self, reading: &ClusterReading, begun: Begun<'_>) -> Verdict {
        let state = match &reading.outcome {
            Outcome::Up(state) => state,
            Outcome::Down(_) => return Verdict::Unknown,
            Outcome::NotAsked => return Verdict::Pending,
        };
        // What was seen under way and tells nothing else of itself is what is waited for.
        let was_seen = begun != Begun::Before;
        let is_old = self.since.is_some_and(|since| state.updated.or(state.started).map_or(!was_seen, |end| end < since));
        let is_untold = state.target_version.is_empty() && begun == Begun::Seen(&reading.cluster.version);
        let is_other = self.target_version.as_ref().is_some_and(|target| !is_untold && !reaches(state, &reading.cluster.version, target));
        match state.status {
            Status::None if self.target_version.is_none() && (self.since.is_none() || was_seen) => Verdict::Good,
            Status::None if self.target_version.as_deref() == Some(reading.cluster.version.as_str()) => Verdict::Good,
            Status::None | Status::Running | Status::Pause | Status::Unknown => Verdict::Pending,
            _ if is_old || is_other => Verdict::Pending,
            Status::Success => Verdict::Good,
            Status::Fail | Status::Canceled => Verdict::Failed,
        }
    }
}

/// When the upgrade that a reading is of began, as far as is known without the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun<'a> {
    /// Before anybody looked.
    Before,
    /// It was seen under way, when the cluster was listed with this version; empty if with none.
    Seen(&'a str),
}

/// One who looks again and again, and remembers who did not answer.
#[derive(Debug, Default)]
pub struct Waiting {
    goal: Goal,
    /// Those whose upgrade was seen under way, with their version then.
    under_way: HashMap<ClusterId, String>,
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
        Self { goal, ..Self::default() }
    }

    /// What this look means after those before it; `is_whole` is whether it shows all that there may be. Waiting ends with
    /// whoever has not answered in three looks in a row, or in one for a reason that lasts; one that goes while it is upgraded
    /// does not answer.
    pub fn judge(&mut self, look: &Snapshot, is_whole: bool) -> Verdict {
        // A snapshot that `cache_ttl` keeps is one look.
        if self.latest.replace(look.at) != Some(look.at) {
            self.count(look, is_whole);
        }
        let whole = match self.partial {
            0 => Verdict::Good,
            1..SILENT_LOOKS => Verdict::Pending,
            SILENT_LOOKS.. => Verdict::Unknown,
        };
        let each = look.clusters.iter().map(|reading| match self.goal.judge_one(reading, self.begun(reading)) {
            Verdict::Unknown if self.may_answer(reading) => Verdict::Pending,
            verdict => verdict,
        });
        let gone =
            self.gone(look).map(|cluster| if self.looks_without(cluster) < SILENT_LOOKS { Verdict::Pending } else { Verdict::Unknown });
        together(each.chain(gone).chain([whole]))
    }

    /// The clusters of `look` whose upgrade has ended and of which nothing tells whether it is the one that is waited for:
    /// `GetUpgradeStatus` tells neither times nor versions.
    pub fn untold<'a>(&self, look: &'a Snapshot) -> impl Iterator<Item = &'a ClusterId> {
        let is_untold = |reading: &ClusterReading| {
            let Outcome::Up(state) = &reading.outcome else { return false };
            let has_ended = matches!(state.status, Status::Success | Status::Fail | Status::Canceled);
            let has_no_time = self.goal.since.is_some() && state.updated.or(state.started).is_none();
            let has_no_version =
                self.goal.target_version.is_some() && state.target_version.is_empty() && reading.cluster.version.is_empty();
            has_ended && (has_no_time || has_no_version) && self.begun(reading) == Begun::Before
        };
        look.clusters.iter().filter(move |reading| is_untold(reading)).map(|reading| &reading.cluster.id)
    }

    /// Those that were waited for and are no longer among the clusters: nobody has seen them end.
    fn gone<'a>(&'a self, look: &'a Snapshot) -> impl Iterator<Item = &'a ClusterId> {
        self.open.iter().filter(|cluster| look.clusters.iter().all(|reading| reading.cluster.id != **cluster))
    }

    fn begun(&self, reading: &ClusterReading) -> Begun<'_> {
        self.under_way.get(&reading.cluster.id).map_or(Begun::Before, |version| Begun::Seen(version))
    }

    fn count(&mut self, look: &Snapshot, is_whole: bool) {
        let is_under_way = |reading: &&ClusterReading| matches!(&reading.outcome, Outcome::Up(state) if matches!(state.status, Status::Running | Status::Pause));
        for reading in look.clusters.iter().filter(is_under_way) {
            self.under_way.entry(reading.cluster.id.clone()).or_insert_with(|| reading.cluster.version.clone());
        }
        for reading in look.clusters.iter().filter(|reading| matches!(reading.outcome, Outcome::Up(_))) {
            if self.goal.judge_one(reading, self.begun(reading)) == Verdict::Pending {
                self.open.insert(reading.cluster.id.clone());
            } else {
                self.open.remove(&reading.cluster.id);
            }
        }
        let silent = look.clusters.iter().filter(|reading| matches!(reading.outcome, Outcome::Down(_))).map(|reading| &reading.cluster.id);
        self.silent = silent.chain(self.gone(look)).map(|cluster| (cluster.clone(), self.looks_without(cluster) + 1)).collect();
        self.partial = if is_whole { 0 } else { self.partial + 1 };
    }

    fn looks_without(&self, cluster: &ClusterId) -> u32 {
        self.silent.get(cluster).copied().unwrap_or(0)
    }

    fn may_answer(&self, reading: &ClusterReading) -> bool {
        let passes = match &reading.outcome {
            Outcome::Down(failure) => !failure.lasting,
            Outcome::Up(_) | Outcome::NotAsked => true,
        };
        passes && self.looks_without(&reading.cluster.id) < SILENT_LOOKS
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

/// Whether the upgrade is the one to `target`: by its task, or by the version that the cluster runs.
fn reaches(state: &UpgradeState, version: &str, target: &str) -> bool {
    if state.target_version.is_empty() { version == target } else { state.target_version == target }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::api::Reason;
    use crate::names::AccountName;
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

    fn down(reason: Reason, lasting: bool) -> ClusterReading {
        reading(Outcome::Down(Failure { reason, message: String::new(), lasting }))
    }

    fn silent() -> ClusterReading {
        down(Reason::Timeout, false)
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
        let mut see = |second, reading| waiting.judge(&look(second, &[up(Status::Success), reading]), true);
        assert_eq!([see(1, silent()), see(2, silent()), see(2, silent())], [Verdict::Pending; 3], "the last two are one look");
        assert_eq!(see(3, up(Status::Running)), Verdict::Pending);
        assert_eq!([see(4, silent()), see(5, down(Reason::Auth, false))], [Verdict::Pending; 2]);
        assert_eq!(see(6, silent()), Verdict::Unknown);
        assert_eq!(see(7, up(Status::Success)), Verdict::Good);
        assert_eq!(see(8, down(Reason::Auth, true)), Verdict::Unknown, "it does not pass by itself");
    }

    #[test]
    fn one_that_goes_while_it_is_upgraded_was_not_seen_to_end() {
        let mut waiting = Waiting::default();
        let other = || {
            let mut other = up(Status::Success);
            Arc::make_mut(&mut other.cluster).id = ClusterId::parse("c2").expect("an ID");
            other
        };
        let mut see = |second, clusters: &[ClusterReading]| waiting.judge(&look(second, clusters), true);
        assert_eq!(see(1, &[up(Status::Running), other()]), Verdict::Pending);
        assert_eq!([see(2, &[other()]), see(3, &[other()])], [Verdict::Pending; 2]);
        assert_eq!(see(4, &[up(Status::Running), other()]), Verdict::Pending, "it is back");
        assert_eq!([see(5, &[other()]), see(6, &[other()]), see(7, &[other()])], [Verdict::Pending, Verdict::Pending, Verdict::Unknown]);
    }

    #[test]
    fn one_that_goes_after_it_has_ended_is_missed_by_nobody() {
        let mut waiting = Waiting::default();
        let two = |status| {
            let mut reading = up(status);
            Arc::make_mut(&mut reading.cluster).id = ClusterId::parse("c2").expect("an ID");
            reading
        };
        let mut see = |second, clusters: &[ClusterReading]| waiting.judge(&look(second, clusters), true);
        assert_eq!(see(1, &[up(Status::Running), two(Status::Running)]), Verdict::Pending);
        assert_eq!(see(2, &[up(Status::Success), two(Status::Running)]), Verdict::Pending);
        for second in 3..8 {
            assert_eq!(see(second, &[two(Status::Running)]), Verdict::Pending);
        }
        assert_eq!(see(8, &[two(Status::Success)]), Verdict::Good);
    }

    #[test]
    fn what_is_missing_from_three_looks_in_a_row_is_not_waited_for() {
        let mut waiting = Waiting::default();
        let mut see = |second, is_whole| waiting.judge(&look(second, &[up(Status::Success)]), is_whole);
        assert_eq!([1, 2].map(|second| see(second, false)), [Verdict::Pending; 2]);
        assert_eq!(see(3, true), Verdict::Good);
        assert_eq!([4, 5, 6].map(|second| see(second, false)), [Verdict::Pending, Verdict::Pending, Verdict::Unknown]);
    }

    #[test]
    fn an_upgrade_that_was_seen_under_way_counts_whatever_the_source_does_not_tell() {
        let since = Goal { target_version: None, since: Some("2026-11-23T08:00:00Z".parse().expect("a time")) };
        let version = Goal { target_version: Some("1.32.1".to_owned()), since: None };
        for goal in [since, version] {
            for (end, verdict) in [(Status::Success, Verdict::Good), (Status::Fail, Verdict::Failed), (Status::Canceled, Verdict::Failed)] {
                let mut waiting = Waiting::new(goal.clone());
                let looks = [end, Status::Running, Status::Pause, end];
                let seen: Vec<_> = (1..).zip(looks).map(|(second, status)| waiting.judge(&look(second, &[up(status)]), true)).collect();
                assert_eq!(seen, [Verdict::Pending, Verdict::Pending, Verdict::Pending, verdict], "{goal:?} {end:?}");
            }
        }
        let mut waiting = Waiting::new(Goal { target_version: Some("1.32.1".to_owned()), since: None });
        waiting.judge(&look(1, &[up(Status::Running)]), true);
        let other = ended(Status::Success, "1.31.9", "2026-11-23T09:00:00Z");
        assert_eq!(waiting.judge(&look(2, &[other]), true), Verdict::Pending, "it tells that it is another");
        let mut listed = up(Status::Success);
        Arc::make_mut(&mut listed.cluster).version = "1.31.9".to_owned();
        assert_eq!(waiting.judge(&look(3, &[listed]), true), Verdict::Pending, "the list tells that it was another");
    }

    #[test]
    fn ends_of_which_nothing_tells_when_they_were_are_named() {
        let goal = Goal { target_version: None, since: Some("2026-11-23T08:00:00Z".parse().expect("a time")) };
        let mut waiting = Waiting::new(goal);
        for (second, reading, is_named) in [
            (1, up(Status::None), false),
            (2, up(Status::Success), true),
            (3, ended(Status::Success, "", "2026-11-22T08:00:00Z"), false),
            (4, up(Status::Running), false),
            (5, up(Status::Success), false),
        ] {
            let look = look(second, &[reading]);
            waiting.judge(&look, true);
            assert_eq!(waiting.untold(&look).count() == 1, is_named, "{second}");
        }
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
