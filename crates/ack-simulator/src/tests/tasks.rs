//! The task operations, compared with `GetUpgradeStatus`.

use super::*;

/// All tasks of a cluster, read in pages of `size`.
async fn tasks(client: &SignedClient, id: &ClusterId, size: usize) -> Vec<Value> {
    let mut tasks = Vec::new();
    for page in 1.. {
        let path = format!("/clusters/{id}/tasks?page_number={page}&page_size={size}");
        let body = client.json(Action::DescribeClusterTasks, &path).await;
        tasks.extend_from_slice(body["tasks"].as_array().unwrap());
        if body["page_info"]["total_count"].as_u64().unwrap() <= (page * size) as u64 {
            break;
        }
    }
    tasks
}

async fn newest_upgrade(client: &SignedClient, id: &ClusterId) -> Option<Value> {
    let upgrades = tasks(client, id, 100)
        .await
        .into_iter()
        .filter(|task| task["task_type"] == "cluster_upgrade");
    upgrades.max_by_key(|task| task["created"].as_str().unwrap().to_owned())
}

async fn info(client: &SignedClient, task: &Value) -> Value {
    client
        .json(
            Action::DescribeTaskInfo,
            &format!("/tasks/{}", task["task_id"].as_str().unwrap()),
        )
        .await
}

/// Status and step of `GetUpgradeStatus` for a task.
fn as_status(info: Option<&Value>) -> (String, String) {
    let Some(info) = info else {
        return (String::new(), "not_start".to_owned());
    };
    let stage = if info["current_stage"]
        .as_str()
        .unwrap_or_default()
        .contains("precheck")
    {
        "prechecking"
    } else {
        "upgrading"
    };
    let (status, step) = match info["state"].as_str().unwrap() {
        "success" => ("success", "success"),
        "paused" => ("pause", "pause"),
        "fail" | "failed" => ("fail", stage),
        other => (other, stage),
    };
    (status.to_owned(), step.to_owned())
}

#[tokio::test(start_paused = true)]
async fn both_operations_agree_at_every_moment() {
    let client = SignedClient::with_defaults();
    for _ in 0..40 {
        for id in client.simulator.world().clusters() {
            let status = client.status(&id).await;
            let task = newest_upgrade(&client, &id).await;
            let task = match &task {
                Some(task) => Some(info(&client, task).await),
                None => None,
            };
            let shown = (
                status["status"].as_str().unwrap().to_owned(),
                status["upgrade_step"].as_str().unwrap().to_owned(),
            );
            assert_eq!(as_status(task.as_ref()), shown);
            let message = task
                .as_ref()
                .and_then(|task| task["error"]["message"].as_str())
                .unwrap_or_default();
            assert_eq!(message, status["error_message"]);
            if let Some(task) = task.filter(|task| task["state"] == "success") {
                let detail = client
                    .json(Action::DescribeClusterDetail, &format!("/clusters/{id}"))
                    .await;
                assert_eq!(
                    task["parameters"]["next_version"],
                    detail["current_version"]
                );
            }
        }
        tokio::time::advance(Duration::from_secs(11)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn tasks_come_newest_first_and_each_once() {
    let client = SignedClient::with_defaults();
    for id in client.simulator.world().clusters() {
        let all = tasks(&client, &id, 10).await;
        let created: Vec<_> = all
            .iter()
            .map(|task| task["created"].as_str().unwrap())
            .collect();
        assert!(created.is_sorted_by(|a, b| a >= b));
        let mut ids: Vec<_> = all
            .iter()
            .map(|task| task["task_id"].as_str().unwrap())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all.len());
        assert!(
            all.iter()
                .any(|task| task["task_type"] != "cluster_upgrade")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn one_cluster_has_its_newest_upgrade_after_the_first_page() {
    let client = SignedClient::with_defaults();
    let id = &client.simulator.world().clusters()[3];
    assert!(newest_upgrade(&client, id).await.is_some());
    let first = client
        .json(
            Action::DescribeClusterTasks,
            &format!("/clusters/{id}/tasks?page_size=50"),
        )
        .await;
    assert!(
        first["tasks"]
            .as_array()
            .unwrap()
            .iter()
            .all(|task| task["task_type"] != "cluster_upgrade")
    );
    let short = SignedClient::new(Options {
        task_lists: TaskLists::Short,
        ..Options::default()
    });
    let id = &short.simulator.world().clusters()[3];
    assert!(tasks(&short, id, 50).await.len() <= 50);
}

#[tokio::test(start_paused = true)]
async fn a_test_can_take_a_cluster_through_upgrades() {
    let client = SignedClient::with_defaults();
    let id = client.simulator.world().clusters()[11].clone();
    assert_eq!(newest_upgrade(&client, &id).await, None);
    let mut seen = Vec::new();
    let phases = [
        Phase::Prechecking,
        Phase::Upgrading,
        Phase::Paused,
        Phase::Failed(UpgradeStage::Upgrade),
        Phase::Prechecking,
        Phase::Canceled(UpgradeStage::Precheck),
    ];
    for phase in phases {
        tokio::time::advance(Duration::from_secs(5)).await;
        client.simulator.world().set_phase(
            &id,
            phase,
            phase.is_in_progress().then_some("").or(Some("out of luck")),
        );
        let task = newest_upgrade(&client, &id).await.unwrap();
        seen.push((
            task["task_id"].clone(),
            task["state"].as_str().unwrap().to_owned(),
            task["error"]["message"].clone(),
        ));
    }
    let states: Vec<_> = seen.iter().map(|(_, state, _)| state.as_str()).collect();
    assert_eq!(
        states,
        [
            "running",
            "running",
            "paused",
            "fail",
            "running",
            "cancelled"
        ]
    );
    assert!(
        seen[..4].iter().all(|(id, ..)| *id == seen[0].0),
        "one upgrade is one task"
    );
    assert_ne!(seen[4].0, seen[0].0);
    assert_eq!(seen[3].2, "out of luck");
    let old = client
        .json(
            Action::DescribeTaskInfo,
            &format!("/tasks/{}", seen[0].0.as_str().unwrap()),
        )
        .await;
    assert_eq!(old["state"], "fail");
    client.simulator.world().clear_phase(&id);
    assert_eq!(newest_upgrade(&client, &id).await, None);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_task_is_not_found() {
    let client = SignedClient::with_defaults();
    for id in ["T-000000000000000000000000", "T-x", "x"] {
        let response = client
            .send(Action::DescribeTaskInfo, &format!("/tasks/{id}"))
            .await;
        assert_eq!(
            error_of(&response).1,
            "ErrorTaskNotFound",
            "{id}: {}",
            text(&response)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn tasks_are_served_after_the_switch_off() {
    let client = SignedClient::new(Options {
        retired: Some(RetiredResponse::InvalidAction),
        ..Options::default()
    });
    let task = newest_upgrade(&client, &client.first()).await.unwrap();
    assert_eq!(
        info(&client, &task).await["cluster_id"],
        client.first().as_str()
    );
}
