use ack_client::NodeCounts;
use ack_client::names::AccountName;
use serde_json::json;

use super::*;

const INTERVAL: Duration = Duration::from_secs(1800);

/// A cluster with a control plane of this version.
fn cluster(version: &str) -> ClusterInfo {
    let id = ClusterId::parse("c1").expect("an ID");
    let account = AccountName::parse("prod").expect("a name");
    ClusterInfo {
        version: version.to_owned(),
        ..ClusterInfo::new(id, account, None)
    }
}

fn listed(id: &str, state: NodePoolState) -> ack_client::NodePool {
    ack_client::NodePool {
        id: id.to_owned(),
        name: "web".to_owned(),
        kind: "ess".to_owned(),
        state,
        nodes: NodeCounts {
            total: Some(3),
            healthy: Some(2),
            ..NodeCounts::default()
        },
        kubelet_version: "1.31.1-aliyun.1".to_owned(),
        runtime: "containerd".to_owned(),
        runtime_version: "1.6.39".to_owned(),
        image: String::new(),
    }
}

fn task(node_pool: &str, status: Status) -> ack_client::NodePoolUpgrade {
    ack_client::NodePoolUpgrade {
        node_pool: node_pool.to_owned(),
        task_id: "T-1".to_owned(),
        status,
        error: None,
        target_version: String::new(),
        started: "2026-11-23T08:00:00Z".parse().ok(),
        updated: None,
    }
}

/// The tasks of a reading that was complete or not.
fn tasks(newest: Vec<ack_client::NodePoolUpgrade>, is_complete: bool) -> NodePoolUpgrades {
    let mut tasks = NodePoolUpgrades::default();
    tasks.newest = newest;
    tasks.is_complete = is_complete;
    tasks
}

/// The answer with one pool.
fn answer(state: NodePoolState, tasks: NodePoolUpgrades) -> PoolsAndTasks {
    PoolsAndTasks::new(vec![listed("np1", state)], tasks, 0)
}

fn shown(answer: PoolsAndTasks, version: &str) -> Vec<NodePool> {
    let mut watched = Watched::default();
    let query = NodePools::new(INTERVAL);
    query.add(
        &Arc::new(answer),
        &cluster(version),
        Timestamp::UNIX_EPOCH,
        &mut watched,
    );
    watched.node_pools.expect("they are watched")
}

fn behind(version: &str) -> Option<u32> {
    let answer = answer(NodePoolState::Active, NodePoolUpgrades::default());
    shown(answer, version)[0].versions_behind
}

#[test]
fn a_pool_is_behind_by_the_minor_versions_between_its_kubelets_and_the_control_plane() {
    assert_eq!(behind("1.31.9-aliyun.1"), Some(0));
    assert_eq!(behind("1.33.1-aliyun.1"), Some(2));
    assert_eq!(behind("1.30.1-aliyun.1"), Some(0), "the kubelets are newer");
    assert_eq!(behind("2.0.0"), None);
    assert_eq!(behind(""), None, "no list has been read");
}

#[test]
fn a_pool_without_a_task_was_never_upgraded_unless_tasks_are_missing() {
    let status = |tasks| {
        let pools = shown(answer(NodePoolState::Active, tasks), "");
        pools[0].upgrade.as_ref().map(|upgrade| upgrade.status)
    };
    assert_eq!(status(tasks(Vec::new(), true)), Some(Status::None));
    assert_eq!(status(tasks(Vec::new(), false)), None);
    let others = || vec![task("np2", Status::Running)];
    assert_eq!(status(tasks(others(), true)), Some(Status::None));
    let own = || vec![task("np1", Status::Fail)];
    assert_eq!(status(tasks(own(), false)), Some(Status::Fail));
}

#[test]
fn pools_are_asked_for_every_minute_while_they_or_their_cluster_are_upgraded() {
    let interval = |state, status, activity| {
        let answer = answer(state, tasks(vec![task("np1", status)], true));
        let query = NodePools::new(INTERVAL);
        query.interval(Some(&answer), activity).as_secs()
    };
    let (active, updating) = (NodePoolState::Active, NodePoolState::Updating);
    for (state, status, activity, expected) in [
        (active, Status::Success, Activity::Quiet, 1800),
        (active, Status::Fail, Activity::Quiet, 1800),
        (NodePoolState::Scaling, Status::None, Activity::Quiet, 1800),
        (active, Status::Success, Activity::Changed, 600),
        (active, Status::Success, Activity::Upgrading, 60),
        (updating, Status::Success, Activity::Quiet, 60),
        (active, Status::Running, Activity::Quiet, 60),
        (active, Status::Pause, Activity::Quiet, 60),
    ] {
        let found = interval(state, status, activity);
        assert_eq!(found, expected, "{state:?} {status:?} {activity:?}");
    }
    let often = NodePools::new(Duration::from_secs(10));
    let interval = often.interval(None, Activity::Upgrading);
    assert_eq!(interval, Duration::from_secs(10), "no slower than usual");
}

#[test]
fn tasks_are_left_out_while_pools_stay_as_they_are_but_not_for_long() {
    let (active, updating) = (NodePoolState::Active, NodePoolState::Updating);
    let is_left_out = |last: &PoolsAndTasks, pool| last.has_all_tasks_of(&[pool]);
    let mut last = answer(active, tasks(vec![task("np1", Status::Fail)], true));
    assert!(is_left_out(&last, listed("np1", active)));
    let mut resized = listed("np1", active);
    resized.nodes.total = Some(9);
    resized.state = NodePoolState::Scaling;
    assert!(is_left_out(&last, resized), "nodes are no upgrade");
    let mut upgraded = listed("np1", active);
    upgraded.kubelet_version = "1.32.1-aliyun.1".to_owned();
    for changed in [upgraded, listed("np1", updating), listed("np2", active)] {
        assert!(!is_left_out(&last, changed));
    }
    assert!(!last.has_all_tasks_of(&[]), "a pool is gone");
    last.readings_without_tasks = READINGS_WITHOUT_TASKS;
    assert!(!is_left_out(&last, listed("np1", active)), "long ago");
    let running = answer(active, tasks(vec![task("np1", Status::Running)], true));
    assert!(!is_left_out(&running, listed("np1", active)));
    let partial = answer(active, tasks(Vec::new(), false));
    assert!(!is_left_out(&partial, listed("np1", active)));
}

#[test]
fn clusters_that_are_first_read_together_have_their_tasks_read_at_different_times() {
    let ids = (0..1000).map(|number| format!("c{number:032x}"));
    let ids = ids.map(|id| ClusterId::parse(&id).expect("an ID"));
    let counts: Vec<_> = ids.map(|id| usize::from(first_count(&id))).collect();
    let mut clusters = [0; READINGS_WITHOUT_TASKS as usize + 1];
    for count in counts {
        clusters[count] += 1;
    }
    assert!(
        clusters.iter().all(|few| (10..=100).contains(few)),
        "{clusters:?}"
    );
}

#[test]
fn more_calls_are_expected_while_tasks_are_missing() {
    let cost = |is_complete| {
        let answer = answer(NodePoolState::Active, tasks(Vec::new(), is_complete));
        NodePools::new(INTERVAL).cost(Some(&answer))
    };
    assert_eq!([cost(true), cost(false)], [2, 4]);
    assert_eq!(NodePools::new(INTERVAL).cost(None), 4);
}

#[test]
fn a_pool_in_json_has_every_key_and_null_for_what_is_unknown() {
    let tasks = tasks(vec![task("np1", Status::Pause)], true);
    let pools = shown(answer(NodePoolState::Updating, tasks), "1.33.1-aliyun.1");
    let expected = json!([{
        "id": "np1", "name": "web", "type": "ess", "state": "updating",
        "nodes": {
            "total": 3, "healthy": 2, "failed": null, "initial": null, "offline": null,
            "removing": null, "serving": null,
        },
        "kubelet_version": "1.31.1-aliyun.1", "runtime": "containerd",
        "runtime_version": "1.6.39", "image": null, "versions_behind": 2,
        "upgrade": {
            "status": "pause", "task_id": "T-1", "target_version": null, "error_message": null,
            "started": "2026-11-23T08:00:00Z", "updated": null,
        },
    }]);
    assert_eq!(serde_json::to_value(pools).expect("JSON"), expected);
}
