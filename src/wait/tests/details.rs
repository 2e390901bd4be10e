//! Tests of the details that are read again after an upgrade, and of the notices.

use super::*;

#[test]
fn the_version_of_the_cluster_after_its_upgrade_decides() {
    let mut wait = UpgradeWait::new(version_goal("1.32.1"));
    let mut poll = |second, reading: ClusterReading| {
        let snapshot = snapshot_at(second, &[reading]);
        let needs_refresh = !wait.clusters_to_refresh(&snapshot).is_empty();
        let progress = wait.evaluate(&snapshot, Coverage::Full, &HashMap::new());
        let notices: Vec<_> = wait
            .notices(&snapshot, &HashMap::new())
            .map(|(_, notice)| notice)
            .collect();
        (needs_refresh, progress, notices)
    };
    assert_eq!(
        poll(1, up(Status::Success)),
        (false, Progress::Pending, vec![Notice::OtherVersion]),
        "an old success: another upgrade is to come"
    );
    assert_eq!(
        poll(2, up(Status::Running)),
        (false, Progress::Pending, vec![])
    );
    let other = (true, Progress::Pending, vec![Notice::OtherVersion]);
    assert_eq!(poll(3, up(Status::Success)), other);
    assert_eq!(
        poll(4, ended(Status::Success, "1.32.1", "2026-11-23T09:00:00Z")),
        other,
        "although its task has the target version"
    );
    assert_eq!(
        poll(5, up(Status::Running)),
        (false, Progress::Pending, vec![])
    );
    assert_eq!(
        poll(6, with_details(up(Status::Success), "1.32.1", "running")),
        (true, Progress::Done, vec![])
    );
    assert_eq!(
        poll(7, with_details(up(Status::Success), "1.32.1", "running")),
        (false, Progress::Done, vec![]),
        "once is enough"
    );
}

#[test]
fn a_success_counts_when_the_cluster_is_running_again() {
    for goal in [Goal::default(), version_goal("1.32.1")] {
        let mut wait = UpgradeWait::new(goal);
        let mut poll = |second, status, state| {
            let snapshot = snapshot_at(second, &[with_details(up(status), "1.32.1", state)]);
            let progress = wait.evaluate(&snapshot, Coverage::Full, &HashMap::new());
            (
                progress,
                wait.notices(&snapshot, &HashMap::new())
                    .any(|(_, notice)| notice == Notice::NotRunning),
            )
        };
        assert_eq!(
            poll(1, Status::Running, "upgrading"),
            (Progress::Pending, false)
        );
        assert_eq!(
            poll(2, Status::Success, "upgrading"),
            (Progress::Pending, true)
        );
        assert_eq!(
            poll(3, Status::Success, "scaling"),
            (Progress::Pending, true)
        );
        assert_eq!(poll(4, Status::Success, "running"), (Progress::Done, false));
    }
    let any = Goal::default();
    for status in [Status::None, Status::Success] {
        assert_eq!(
            evaluate(&any, &[with_details(up(status), "", "upgrading")]),
            Progress::Pending,
            "the list sees one that has begun"
        );
        assert_eq!(
            evaluate(&any, &[with_details(up(status), "", "inactive")]),
            Progress::Done,
            "no upgrade made it so"
        );
    }
}

#[test]
fn the_task_decides_when_the_cluster_cannot_be_read() {
    let with_task_version = |version| ended(Status::Success, version, "2026-11-23T09:00:00Z");
    let forbidden = || Failure {
        reason: Reason::Forbidden,
        message: String::new(),
        lasting: true,
    };
    let timed_out = || Failure {
        reason: Reason::Timeout,
        message: String::new(),
        lasting: false,
    };
    for (goal, end, progress, notice) in [
        (
            Goal::default(),
            with_task_version(""),
            Progress::Done,
            Notice::StateUnreadable,
        ),
        (
            version_goal("1.32.1"),
            with_task_version("1.32.1"),
            Progress::Done,
            Notice::StateUnreadable,
        ),
        (
            version_goal("1.32.1"),
            with_task_version("1.31.9"),
            Progress::Pending,
            Notice::StateUnreadable,
        ),
        (
            version_goal("1.32.1"),
            with_task_version(""),
            Progress::Unknown,
            Notice::VersionUnknown,
        ),
        (
            version_goal("1.31.1"),
            with_task_version(""),
            Progress::Unknown,
            Notice::VersionUnknown,
        ),
    ] {
        let mut wait = UpgradeWait::new(goal.clone());
        wait.evaluate(
            &snapshot_at(1, &[up(Status::Running)]),
            Coverage::Full,
            &HashMap::new(),
        );
        let mut poll = |second, failure| {
            let (snapshot, unread) = (
                snapshot_at(second, std::slice::from_ref(&end)),
                HashMap::from([(end.cluster.id.clone(), failure)]),
            );
            let progress = wait.evaluate(&snapshot, Coverage::Full, &unread);
            (
                progress,
                wait.notices(&snapshot, &unread)
                    .map(|(_, notice)| notice)
                    .next(),
            )
        };
        assert_eq!(
            [poll(2, timed_out()), poll(3, timed_out())],
            [(Progress::Pending, None); 2],
            "it may pass: {goal:?}"
        );
        assert_eq!(poll(4, timed_out()), (progress, Some(notice)), "{goal:?}");
        let mut wait = UpgradeWait::new(goal.clone());
        wait.evaluate(
            &snapshot_at(1, &[up(Status::Running)]),
            Coverage::Full,
            &HashMap::new(),
        );
        let unread = HashMap::from([(end.cluster.id.clone(), forbidden())]);
        assert_eq!(
            wait.evaluate(
                &snapshot_at(2, std::slice::from_ref(&end)),
                Coverage::Full,
                &unread
            ),
            progress,
            "{goal:?}"
        );
    }
}

#[test]
fn a_cluster_without_an_upgrade_and_with_an_unknown_version_ends_the_wait() {
    let failure = |lasting| Failure {
        reason: Reason::Forbidden,
        message: String::new(),
        lasting,
    };
    let reading = with_details(up(Status::None), "", "running");
    let id = reading.cluster.id.clone();
    let cases = [
        (None, 1),
        (Some(failure(true)), 1),
        (Some(failure(false)), 3),
    ];
    for (failure, polls) in cases {
        let unread: HashMap<_, _> = failure
            .map(|failure| (id.clone(), failure))
            .into_iter()
            .collect();
        let mut wait = UpgradeWait::new(version_goal("1.32.1"));
        for second in 1..=polls {
            let snapshot = snapshot_at(second, std::slice::from_ref(&reading));
            assert!(!wait.clusters_to_refresh(&snapshot).is_empty());
            let progress = wait.evaluate(&snapshot, Coverage::Full, &unread);
            let notices: Vec<_> = wait
                .notices(&snapshot, &unread)
                .map(|(_, notice)| notice)
                .collect();
            if second < polls {
                assert_eq!((progress, notices), (Progress::Pending, vec![]), "{second}");
            } else {
                let expected = (Progress::Unknown, vec![Notice::VersionUnknown]);
                assert_eq!((progress, notices), expected, "{second}");
            }
        }
    }
}

#[test]
fn an_end_without_a_time_has_a_notice() {
    let goal = Goal {
        target_version: None,
        since: Some("2026-11-23T08:00:00Z".parse().expect("a time")),
    };
    let mut wait = UpgradeWait::new(goal);
    for (second, reading, has_notice) in [
        (1, up(Status::None), false),
        (2, up(Status::Success), true),
        (3, ended(Status::Success, "", "2026-11-22T08:00:00Z"), false),
        (4, up(Status::Running), false),
        (5, up(Status::Success), false),
    ] {
        let snapshot = snapshot_at(second, &[reading]);
        wait.evaluate(&snapshot, Coverage::Full, &HashMap::new());
        assert_eq!(
            wait.notices(&snapshot, &HashMap::new()).count() == 1,
            has_notice,
            "{second}"
        );
    }
}
