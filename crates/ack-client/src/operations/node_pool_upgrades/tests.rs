//! Tasks of node pools, in lists without targets.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::budget::Deadline;
use crate::error::ErrorKind;
use crate::operations::fake_api::{FakeApi, budget, cluster};
use crate::operations::{NodeCounts, NodePoolState};

/// A task that the API has: its ID, type and state, and the fields that the details have besides.
#[derive(Debug, Clone)]
struct FakeTask {
    id: u64,
    kind: &'static str,
    state: &'static str,
    details: String,
}

impl FakeTask {
    fn new(id: u64, kind: &'static str, state: &'static str, details: &str) -> Self {
        let details = details.to_owned();
        Self {
            id,
            kind,
            state,
            details,
        }
    }

    /// An upgrade of the pool `np{pool}`.
    fn upgrade(id: u64, pool: u64, state: &'static str) -> Self {
        let details = format!(r#", "target": {{"id": "np{pool}", "type": "nodepool"}}"#);
        Self::new(id, "nodepool_upgrade", state, &details)
    }

    /// The fields of a list. Tasks are created one an hour.
    fn fields(&self) -> String {
        let created = 1_795_420_800 + 3600 * self.id;
        format!(
            r#""task_id": "T-{}", "task_type": "{}", "state": "{}", "created": {created}, "updated": {}"#,
            self.id,
            self.kind,
            self.state,
            created + 60
        )
    }
}

/// The tasks of a cluster, which a test may change.
#[derive(Debug, Clone, Default)]
struct Tasks(Arc<Mutex<Vec<FakeTask>>>);

impl Tasks {
    fn add(&self, tasks: impl IntoIterator<Item = FakeTask>) {
        self.0.lock().expect("no panic").extend(tasks);
    }

    fn set_state(&self, id: u64, state: &'static str) {
        let mut tasks = self.0.lock().expect("no panic");
        let task = tasks.iter_mut().find(|task| task.id == id).expect("a task");
        task.state = state;
    }

    /// The response to a request for a page or one task.
    fn respond(&self, target: &str) -> (u16, String) {
        let mut tasks = self.0.lock().expect("no panic").clone();
        tasks.sort_by_key(|task| std::cmp::Reverse(task.id));
        if let Some(id) = target.strip_prefix("/tasks/T-") {
            let task = tasks.iter().find(|task| task.id.to_string() == id);
            return match task {
                Some(task) => (200, format!("{{{}{}}}", task.fields(), task.details)),
                None => (404, r#"{"code": "InvalidResource.NotFound"}"#.to_owned()),
            };
        }
        let number = target
            .split_once("page_number=")
            .and_then(|(_, rest)| rest.split('&').next()?.parse::<usize>().ok())
            .expect("the number of a page");
        let page = tasks.iter().skip(50 * (number - 1)).take(50);
        let page: Vec<_> = page.map(|task| format!("{{{}}}", task.fields())).collect();
        let total = tasks.len();
        let body = format!(
            r#"{{"tasks": [{}], "page_info": {{"total_count": {total}}}}}"#,
            page.join(",")
        );
        (200, body)
    }

    fn api(&self) -> FakeApi {
        let tasks = self.clone();
        FakeApi::new(move |target| tasks.respond(target))
    }
}

fn pools(count: u64) -> Vec<NodePool> {
    let pool = |number| NodePool {
        id: format!("np{number}"),
        name: String::new(),
        kind: String::new(),
        state: NodePoolState::Active,
        nodes: NodeCounts::default(),
        kubelet_version: String::new(),
        runtime: String::new(),
        runtime_version: String::new(),
        image: String::new(),
    };
    (1..=count).map(pool).collect()
}

async fn try_read(
    api: &FakeApi,
    pools: &[NodePool],
    previous: Option<&NodePoolUpgrades>,
    budget: &Budget,
) -> Result<NodePoolUpgrades, ApiError> {
    let (client, endpoint) = (&api.client, &api.endpoint);
    read_node_pool_upgrades(client, endpoint, &cluster(), pools, previous, budget).await
}

async fn read(
    api: &FakeApi,
    pools: &[NodePool],
    previous: Option<&NodePoolUpgrades>,
) -> NodePoolUpgrades {
    let read = try_read(api, pools, previous, &budget()).await;
    read.expect("a reading")
}

/// Pool, task and status of each upgrade.
fn newest(upgrades: &NodePoolUpgrades) -> Vec<(&str, &str, Status)> {
    let upgrades = upgrades.newest.iter();
    upgrades
        .map(|upgrade| (&*upgrade.node_pool, &*upgrade.task_id, upgrade.status))
        .collect()
}

/// The requests as `page 1` or the ID of a task.
fn requests(api: &FakeApi) -> Vec<String> {
    let requests = api.take_requests();
    let short = |request: &String| match request.split_once("page_number=") {
        Some((_, rest)) => format!("page {}", rest.trim_end_matches("&page_size=50")),
        None => request.rsplit('/').next().unwrap_or_default().to_owned(),
    };
    requests.iter().map(short).collect()
}

#[tokio::test]
async fn each_pool_has_the_newest_of_its_own_tasks() {
    let tasks = Tasks::default();
    tasks.add([
        FakeTask::upgrade(1, 1, "success"),
        FakeTask::upgrade(2, 2, "failed"),
        FakeTask::new(3, "cluster_upgrade", "running", ""),
        FakeTask::upgrade(4, 1, "running"),
        FakeTask::upgrade(5, 9, "running"),
        FakeTask::new(6, "nodepool_scaleout", "fail", ""),
    ]);
    let api = tasks.api();
    let upgrades = read(&api, &pools(3), None).await;
    assert!(upgrades.is_complete);
    assert_eq!(
        newest(&upgrades),
        [
            ("np1", "T-4", Status::Running),
            ("np2", "T-2", Status::Fail)
        ]
    );
    let time = |seconds: i64| Timestamp::from_second(1_795_420_800 + seconds).ok();
    assert_eq!(upgrades.newest[0].started, time(4 * 3600));
    assert_eq!(upgrades.newest[0].updated, time(4 * 3600 + 60));
    assert_eq!(requests(&api), ["page 1", "T-5", "T-4", "T-2", "T-1"]);
}

#[tokio::test]
async fn a_task_is_described_once() {
    let tasks = Tasks::default();
    tasks.add([
        FakeTask::upgrade(1, 1, "success"),
        FakeTask::upgrade(2, 2, "running"),
    ]);
    let api = tasks.api();
    let first = read(&api, &pools(3), None).await;
    assert_eq!(requests(&api), ["page 1", "T-2", "T-1"]);
    tasks.set_state(2, "success");
    let second = read(&api, &pools(3), Some(&first)).await;
    assert_eq!(requests(&api), ["page 1"]);
    tasks.add([FakeTask::upgrade(3, 1, "paused")]);
    let third = read(&api, &pools(3), Some(&second)).await;
    assert_eq!(requests(&api), ["page 1", "T-3"]);
    assert_eq!(
        newest(&third),
        [
            ("np1", "T-3", Status::Pause),
            ("np2", "T-2", Status::Success)
        ]
    );
}

#[tokio::test]
async fn later_readings_leave_out_the_pages_of_earlier_ones() {
    let tasks = Tasks::default();
    tasks.add([
        FakeTask::upgrade(1, 1, "success"),
        FakeTask::upgrade(2, 2, "running"),
    ]);
    let others = |ids: std::ops::Range<u64>| {
        ids.map(|id| FakeTask::new(id, "nodepool_scaleout", "success", ""))
    };
    tasks.add(others(3..140));
    let api = tasks.api();
    let first = read(&api, &pools(3), None).await;
    assert_eq!(requests(&api), ["page 1", "page 2", "page 3", "T-2", "T-1"]);
    tasks.set_state(2, "fail");
    let second = read(&api, &pools(3), Some(&first)).await;
    assert_eq!(requests(&api), ["page 1", "T-2"], "it was still running");
    let ended = [
        ("np1", "T-1", Status::Success),
        ("np2", "T-2", Status::Fail),
    ];
    assert_eq!(newest(&second), ended);
    tasks.add(others(140..200));
    let third = read(&api, &pools(3), Some(&second)).await;
    assert_eq!(requests(&api), ["page 1", "page 2"]);
    assert_eq!(newest(&third), ended);
}

#[tokio::test]
async fn a_pool_that_is_gone_has_no_upgrade_and_without_pools_nothing_is_asked() {
    let tasks = Tasks::default();
    tasks.add([
        FakeTask::upgrade(1, 1, "success"),
        FakeTask::upgrade(2, 2, "success"),
    ]);
    let api = tasks.api();
    let both = read(&api, &pools(2), None).await;
    assert_eq!(both.newest.len(), 2);
    let one = read(&api, &pools(1), Some(&both)).await;
    assert_eq!(newest(&one), [("np1", "T-1", Status::Success)]);
    requests(&api);
    let none = read(&api, &[], Some(&one)).await;
    assert_eq!((newest(&none), requests(&api)), (vec![], vec![]));
}

#[tokio::test]
async fn many_tasks_are_described_in_several_readings() {
    let tasks = Tasks::default();
    tasks.add((1..=40).map(|id| FakeTask::upgrade(id, id, "success")));
    let api = tasks.api();
    let pools = pools(41);
    let mut upgrades = NodePoolUpgrades::default();
    for (found, is_complete) in [(16, false), (32, false), (40, true)] {
        upgrades = read(&api, &pools, Some(&upgrades)).await;
        assert_eq!(
            (upgrades.newest.len(), upgrades.is_complete),
            (found, is_complete)
        );
        assert!(requests(&api).len() <= 17);
    }
    let again = read(&api, &pools, Some(&upgrades)).await;
    assert_eq!(
        (again.newest.len(), requests(&api)),
        (40, vec!["page 1".to_owned()])
    );
}

#[tokio::test]
async fn the_pool_and_the_version_are_read_wherever_they_stand() {
    let tasks = Tasks::default();
    tasks.add([
        FakeTask::new(
            1,
            "nodePool_upgrade",
            "paused",
            r#", "target": {"id": "np1", "type": "cluster"},
                "parameters": {"kubernetes_version": "1.33.1", "rolling_policy": {"max_parallelism": 10}}"#,
        ),
        FakeTask::new(
            2,
            "NODEPOOL-UPGRADE",
            "paused",
            r#", "target": {"id": "c1", "type": "cluster"}, "error": {"message": "no room"},
                "parameters": {"nodepool_id": "np2"}"#,
        ),
        FakeTask::new(3, "nodepool_upgrade", "napping", r#", "parameters": {"NodepoolId": "np3"}"#),
    ]);
    let api = tasks.api();
    let upgrades = read(&api, &pools(3), None).await;
    assert_eq!(
        newest(&upgrades),
        [
            ("np1", "T-1", Status::Pause),
            ("np2", "T-2", Status::Pause),
            ("np3", "T-3", Status::Unknown)
        ]
    );
    let details: Vec<_> = upgrades
        .newest
        .iter()
        .map(|upgrade| {
            let error = upgrade.error.as_deref();
            (error, upgrade.target_version.as_str())
        })
        .collect();
    assert_eq!(
        details,
        [(None, "1.33.1"), (Some("no room"), ""), (None, ""),]
    );
    assert_eq!(
        api.take_unknown_values(),
        [("task.state", "napping".to_owned())]
    );
}

#[tokio::test]
async fn a_task_that_runs_without_a_pool_is_described_again_and_one_that_has_ended_is_not() {
    let tasks = Tasks::default();
    let without_pool = |id, state| FakeTask::new(id, "nodepool_upgrade", state, "");
    tasks.add([without_pool(1, "success"), without_pool(2, "running")]);
    let api = tasks.api();
    let first = read(&api, &pools(1), None).await;
    assert!(!first.is_complete);
    assert_eq!(requests(&api), ["page 1", "T-2", "T-1"]);
    tasks.set_state(2, "fail");
    let second = read(&api, &pools(1), Some(&first)).await;
    assert!(second.is_complete);
    assert_eq!(requests(&api), ["page 1", "T-2"]);
    read(&api, &pools(1), Some(&second)).await;
    assert_eq!(requests(&api), ["page 1"]);
}

#[tokio::test]
async fn a_task_that_the_api_no_longer_has_costs_itself() {
    let tasks = Tasks::default();
    tasks.add([
        FakeTask::upgrade(1, 1, "success"),
        FakeTask::upgrade(2, 1, "success"),
    ]);
    let gone = tasks.clone();
    let api = FakeApi::new(move |target| match target {
        "/tasks/T-2" => (404, "{}".to_owned()),
        target => gone.respond(target),
    });
    let first = read(&api, &pools(1), None).await;
    assert_eq!(newest(&first), [("np1", "T-1", Status::Success)]);
    requests(&api);
    read(&api, &pools(1), Some(&first)).await;
    assert_eq!(requests(&api), ["page 1"]);
}

#[tokio::test]
async fn a_missing_permission_is_an_error_that_names_the_action() {
    let tasks = Tasks::default();
    tasks.add([FakeTask::upgrade(1, 1, "success")]);
    let api = FakeApi::new(move |target| match target {
        "/tasks/T-1" => (403, r#"{"code": "StatusForbidden"}"#.to_owned()),
        target => tasks.respond(target),
    });
    let reading = try_read(&api, &pools(1), None, &budget()).await;
    let error = reading.expect_err("forbidden");
    assert_eq!(error.kind, ErrorKind::Forbidden);
    assert!(error.message.contains("cs:DescribeTaskInfo"), "{error}");
}

#[tokio::test]
async fn a_reading_whose_time_is_over_continues_next_time() {
    let tasks = Tasks::default();
    tasks.add((1..=5).map(|id| FakeTask::upgrade(id, id, "running")));
    let cancelled = CancellationToken::new();
    let cancel = cancelled.clone();
    let api = FakeApi::new(move |target| {
        if target == "/tasks/T-4" {
            cancel.cancel();
        }
        tasks.respond(target)
    });
    let deadline = Deadline::at(Instant::now() + Duration::from_secs(60));
    let short = Budget::new(deadline.clone(), cancelled.clone());
    let first = try_read(&api, &pools(5), None, &short).await;
    let first = first.expect("a part");
    assert_eq!((first.newest.len(), first.is_complete), (2, false));
    assert_eq!(requests(&api), ["page 1", "T-5", "T-4"]);
    let second = read(&api, &pools(5), Some(&first)).await;
    assert_eq!((second.newest.len(), second.is_complete), (5, true));
    assert_eq!(requests(&api), ["page 1", "T-3", "T-2", "T-1"]);
    let none = try_read(
        &api,
        &pools(5),
        Some(&second),
        &Budget::new(deadline, cancelled),
    )
    .await;
    assert_eq!(none.expect_err("no list").kind, ErrorKind::Timeout);
}
