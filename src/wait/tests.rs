use std::sync::Arc;
use std::time::Duration;

use ack_client::Reason;
use ack_client::names::AccountName;

use super::*;
use crate::cluster::ClusterInfo;
use crate::queries::Watched;
use crate::shard::Shard;
use crate::snapshot::Failure;
use crate::upgrade::SourceName;

mod details;

fn reading(outcome: Outcome) -> ClusterReading {
    let id = ClusterId::parse("c1").expect("an ID");
    let account = AccountName::parse("a").expect("a name");
    let cluster = ClusterInfo {
        version: "1.31.1".to_owned(),
        ..ClusterInfo::new(id, account, None)
    };
    ClusterReading {
        cluster: Arc::new(cluster),
        outcome,
        duration: None,
        last_success: None,
        since: None,
        watched: Watched::default(),
        queries: Vec::new(),
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

fn timed_out() -> ClusterReading {
    down(Reason::Timeout, false)
}

/// The reading with the details of the cluster list.
fn with_details(mut reading: ClusterReading, version: &str, state: &str) -> ClusterReading {
    let info = Arc::make_mut(&mut reading.cluster);
    info.version = version.to_owned();
    let mut states = ClusterState::ALL.iter().copied();
    info.state = states.find(|known| known.as_str() == state);
    reading
}

fn version_goal(target_version: &str) -> Goal {
    Goal {
        target_version: Some(target_version.to_owned()),
        since: None,
    }
}

/// Evaluates a first snapshot.
fn evaluate(goal: &Goal, readings: &[ClusterReading]) -> Progress {
    UpgradeWait::new(goal.clone()).evaluate(
        &snapshot_at(1, readings),
        Coverage::Full,
        &HashMap::new(),
    )
}

/// The snapshot that is taken in this second.
fn snapshot_at(second: i64, clusters: &[ClusterReading]) -> Snapshot {
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
fn three_consecutive_failed_polls_end_the_wait_and_fewer_do_not() {
    let mut wait = UpgradeWait::default();
    let mut poll = |second, reading| {
        wait.evaluate(
            &snapshot_at(second, &[up(Status::Success), reading]),
            Coverage::Full,
            &HashMap::new(),
        )
    };
    assert_eq!(
        [
            poll(1, timed_out()),
            poll(2, timed_out()),
            poll(2, timed_out())
        ],
        [Progress::Pending; 3],
        "the last two are one snapshot"
    );
    assert_eq!(poll(3, up(Status::Running)), Progress::Pending);
    assert_eq!(
        [poll(4, timed_out()), poll(5, down(Reason::Auth, false))],
        [Progress::Pending; 2]
    );
    assert_eq!(poll(6, timed_out()), Progress::Unknown);
    assert_eq!(poll(7, up(Status::Success)), Progress::Done);
    assert_eq!(
        poll(8, down(Reason::Auth, true)),
        Progress::Unknown,
        "it does not pass by itself"
    );
}

#[test]
fn a_cluster_that_disappears_during_its_upgrade_becomes_unknown() {
    let mut wait = UpgradeWait::default();
    let other = || {
        let mut other = up(Status::Success);
        Arc::make_mut(&mut other.cluster).id = ClusterId::parse("c2").expect("an ID");
        other
    };
    let mut poll = |second, clusters: &[ClusterReading]| {
        wait.evaluate(
            &snapshot_at(second, clusters),
            Coverage::Full,
            &HashMap::new(),
        )
    };
    assert_eq!(poll(1, &[up(Status::Running), other()]), Progress::Pending);
    assert_eq!(
        [poll(2, &[other()]), poll(3, &[other()])],
        [Progress::Pending; 2]
    );
    assert_eq!(
        poll(4, &[up(Status::Running), other()]),
        Progress::Pending,
        "it is back"
    );
    assert_eq!(
        [
            poll(5, &[other()]),
            poll(6, &[other()]),
            poll(7, &[other()])
        ],
        [Progress::Pending, Progress::Pending, Progress::Unknown]
    );
}

#[test]
fn a_cluster_that_disappears_after_its_upgrade_does_not_matter() {
    let mut wait = UpgradeWait::default();
    let two = |status| {
        let mut reading = up(status);
        Arc::make_mut(&mut reading.cluster).id = ClusterId::parse("c2").expect("an ID");
        reading
    };
    let mut poll = |second, clusters: &[ClusterReading]| {
        wait.evaluate(
            &snapshot_at(second, clusters),
            Coverage::Full,
            &HashMap::new(),
        )
    };
    assert_eq!(
        poll(1, &[up(Status::Running), two(Status::Running)]),
        Progress::Pending
    );
    assert_eq!(
        poll(2, &[up(Status::Success), two(Status::Running)]),
        Progress::Pending
    );
    for second in 3..8 {
        assert_eq!(poll(second, &[two(Status::Running)]), Progress::Pending);
    }
    assert_eq!(poll(8, &[two(Status::Success)]), Progress::Done);
}

#[test]
fn three_consecutive_partial_snapshots_end_the_wait() {
    let mut wait = UpgradeWait::default();
    let mut poll = |second, coverage| {
        wait.evaluate(
            &snapshot_at(second, &[up(Status::Success)]),
            coverage,
            &HashMap::new(),
        )
    };
    assert_eq!(
        [1, 2].map(|second| poll(second, Coverage::Partial)),
        [Progress::Pending; 2]
    );
    assert_eq!(poll(3, Coverage::Full), Progress::Done);
    assert_eq!(
        [4, 5, 6].map(|second| poll(second, Coverage::Partial)),
        [Progress::Pending, Progress::Pending, Progress::Unknown]
    );
}

#[test]
fn an_upgrade_that_was_seen_under_way_counts_without_time_and_version() {
    let since = Goal {
        target_version: None,
        since: Some("2026-11-23T08:00:00Z".parse().expect("a time")),
    };
    for goal in [since, version_goal("1.32.1")] {
        for (end, last) in [
            (Status::Success, Progress::Done),
            (Status::Fail, Progress::Failed),
            (Status::Canceled, Progress::Failed),
        ] {
            let mut wait = UpgradeWait::new(goal.clone());
            let version = if end == Status::Success {
                "1.32.1"
            } else {
                "1.31.1"
            };
            let readings = [
                up(end),
                up(Status::Running),
                up(Status::Pause),
                with_details(up(end), version, "running"),
            ];
            let actual: Vec<_> = (1..)
                .zip(readings)
                .map(|(second, reading)| {
                    wait.evaluate(
                        &snapshot_at(second, &[reading]),
                        Coverage::Full,
                        &HashMap::new(),
                    )
                })
                .collect();
            assert_eq!(
                actual,
                [
                    Progress::Pending,
                    Progress::Pending,
                    Progress::Pending,
                    last
                ],
                "{goal:?} {end:?}"
            );
        }
    }
}

#[test]
fn a_failure_decides_then_pending_then_unknown() {
    let any = Goal::default();
    assert_eq!(evaluate(&any, &[]), Progress::Done);
    assert_eq!(
        evaluate(&any, &[up(Status::Success), up(Status::None)]),
        Progress::Done
    );
    assert_eq!(
        evaluate(&any, &[up(Status::Success), up(Status::Running)]),
        Progress::Pending
    );
    assert_eq!(
        evaluate(&any, &[up(Status::Pause)]),
        Progress::Pending,
        "a paused one is waited for"
    );
    assert_eq!(
        evaluate(&any, &[up(Status::Running), up(Status::Fail)]),
        Progress::Failed
    );
    assert_eq!(
        evaluate(&any, &[up(Status::Canceled), timed_out()]),
        Progress::Failed
    );
    assert_eq!(
        evaluate(&any, &[up(Status::Running), timed_out()]),
        Progress::Pending
    );
    assert_eq!(
        evaluate(&any, &[up(Status::Success), down(Reason::Auth, true)]),
        Progress::Unknown
    );
}

#[test]
fn an_end_before_the_time_of_the_goal_does_not_count() {
    let goal = Goal {
        target_version: None,
        since: Some("2026-11-23T08:00:00Z".parse().expect("a time")),
    };
    assert_eq!(
        evaluate(&goal, &[ended(Status::Success, "", "2026-11-22T08:00:00Z")]),
        Progress::Pending
    );
    assert_eq!(
        evaluate(&goal, &[ended(Status::Fail, "", "2026-11-22T08:00:00Z")]),
        Progress::Pending
    );
    assert_eq!(
        evaluate(&goal, &[ended(Status::Success, "", "2026-11-23T09:00:00Z")]),
        Progress::Done
    );
    assert_eq!(evaluate(&goal, &[up(Status::None)]), Progress::Pending);
    let goal = Goal {
        target_version: Some("1.32.1".to_owned()),
        since: None,
    };
    assert_eq!(
        evaluate(
            &goal,
            &[ended(Status::Success, "1.31.1", "2026-11-23T09:00:00Z")]
        ),
        Progress::Pending
    );
    assert_eq!(
        evaluate(
            &goal,
            &[with_details(
                ended(Status::Success, "1.32.1", "2026-11-23T09:00:00Z"),
                "1.32.1",
                ""
            )]
        ),
        Progress::Done
    );
    let goal = Goal {
        target_version: Some("1.31.1".to_owned()),
        since: None,
    };
    assert_eq!(
        evaluate(&goal, &[up(Status::Success)]),
        Progress::Done,
        "the version that it runs is the target"
    );
}
