//! `ListOperationPlansForRegion`.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::*;

/// The plans of all regions that pass the filters of `query`.
async fn plans(client: &SignedClient, query: &str) -> Vec<Value> {
    let mut plans = Vec::new();
    for region in client.simulator.regions() {
        let path = format!("/regions/{region}/operation/plans?{query}");
        let body = client
            .json(Action::ListOperationPlansForRegion, &path)
            .await;
        plans.extend_from_slice(body["plans"].as_array().expect("a list"));
    }
    plans
}

/// The plans of one cluster, newest first.
async fn plans_of(client: &SignedClient, id: &ClusterId) -> Vec<Value> {
    plans(client, &format!("cluster_id={id}")).await
}

fn time(plan: &Value, key: &str) -> Timestamp {
    plan[key].as_str().expect(key).parse().expect("a time")
}

fn state(plan: &Value) -> String {
    plan["state"].as_str().expect("a state").to_lowercase()
}

#[tokio::test(start_paused = true)]
async fn a_plan_turns_into_a_task() {
    let client = SignedClient::with_defaults();
    let id = client.simulator.world().clusters()[5].clone();
    let mut seen = Vec::new();
    for _ in 0..200 {
        let plans = plans_of(&client, &id).await;
        let plan = plans.last().expect("the plan of the first upgrade").clone();
        let task = plan["task_id"].as_str().unwrap_or_default().to_owned();
        if !task.is_empty() {
            let path = format!("/tasks/{task}");
            let task = client.json(Action::DescribeTaskInfo, &path).await;
            assert_eq!(task["task_type"], "cluster_upgrade");
            assert_eq!(
                task["created"].as_str().map(seconds),
                Some(seconds(plan["start_time"].as_str().expect("a time")))
            );
        }
        if seen.last().is_none_or(|(last, _)| *last != state(&plan)) {
            seen.push((state(&plan), !task.is_empty()));
        }
        if state(&plan) == "executed" {
            break;
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let expected = [
        ("scheduled", false),
        ("executing", true),
        ("executed", true),
    ];
    assert_eq!(seen, expected.map(|(state, task)| (state.to_owned(), task)));
}

/// The time in seconds, since not all formats have fractions.
fn seconds(time: &str) -> i64 {
    time.parse::<Timestamp>().expect("a time").as_second()
}

#[tokio::test(start_paused = true)]
async fn every_state_occurs_in_a_dozen_clusters_within_five_minutes() {
    for seed in 0..6 {
        let client = SignedClient::new(Options {
            seed,
            ..Options::default()
        });
        let mut seen = BTreeSet::new();
        for _ in 0..60 {
            seen.extend(plans(&client, "").await.iter().map(state));
            tokio::time::advance(Duration::from_secs(5)).await;
        }
        for state in [
            "scheduled",
            "executing",
            "executed",
            "failed",
            "validatingfailed",
            "canceled",
        ] {
            assert!(
                seen.contains(state),
                "seed {seed}: {state} is not in {seen:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_for_the_next_night_is_always_there() {
    let client = SignedClient::with_defaults();
    let id = client.simulator.world().clusters()[11].clone();
    let mut nights = BTreeSet::new();
    for _ in 0..72 {
        let now = client.simulator.world().now();
        let found = plans_of(&client, &id).await;
        for kind in ["CLUSTER_UPGRADE_MASTER", "KUBELET_UPGRADE"] {
            let of_kind: Vec<_> = found.iter().filter(|plan| plan["type"] == kind).collect();
            assert_eq!(state(of_kind[0]), "scheduled", "{kind}");
            assert_eq!(state(of_kind[1]), "canceled");
            assert!(time(of_kind[0], "created") <= now);
        }
        let next = found
            .iter()
            .find(|plan| plan["type"] == "CLUSTER_UPGRADE_MASTER")
            .expect("a plan");
        let six_in_the_evening = SignedDuration::from_hours(18);
        let start = time(next, "start_time").as_duration();
        assert_eq!(
            start.as_secs() % 86_400,
            six_in_the_evening.as_secs(),
            "02:00 in Beijing"
        );
        assert_eq!(start.subsec_nanos(), 0);
        let wait = time(next, "start_time").duration_since(now);
        assert!(wait >= SignedDuration::from_mins(30) && wait <= SignedDuration::from_mins(1470));
        assert_eq!(next["target_id"], id.as_str());
        nights.insert(next["plan_id"].as_str().expect("an ID").to_owned());
        tokio::time::advance(Duration::from_secs(3600)).await;
    }
    assert!((3..=4).contains(&nights.len()), "{nights:?}");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_fails_in_its_check_has_no_task_and_is_planned_again() {
    let client = SignedClient::with_defaults();
    let id = client.simulator.world().clusters()[10].clone();
    for _ in 0..240 {
        tokio::time::advance(Duration::from_millis(500)).await;
        let plans = plans_of(&client, &id).await;
        if plans.len() == 2 {
            assert_eq!(state(&plans[0]), "scheduled");
            assert_eq!(state(&plans[1]), "validatingfailed");
            assert_eq!(plans[1]["task_id"].as_str().unwrap_or_default(), "");
            assert!(time(&plans[1], "start_time") < time(&plans[0], "start_time"));
            return;
        }
    }
    panic!("no plan has failed in its check");
}

#[tokio::test(start_paused = true)]
async fn a_test_can_take_a_plan_through_its_states() {
    let client = SignedClient::with_defaults();
    let id = client.simulator.world().clusters()[9].clone();
    for (phase, expected) in [
        (Phase::Canceled(UpgradeStage::Upgrade), "canceled"),
        (Phase::Prechecking, "executing"),
        (Phase::Failed(UpgradeStage::Upgrade), "failed"),
        (Phase::Upgrading, "executing"),
        (Phase::Succeeded, "executed"),
        (Phase::Failed(UpgradeStage::Precheck), "validatingfailed"),
    ] {
        client.simulator.world().set_phase(&id, phase, None);
        tokio::time::advance(Duration::from_secs(1)).await;
        let newest = plans_of(&client, &id).await;
        let newest = newest
            .iter()
            .max_by_key(|plan| time(plan, "start_time"))
            .expect("a plan");
        assert_eq!(state(newest), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn the_filters_select_and_a_response_has_a_hundred_plans_at_most() {
    let client = SignedClient::new(Options {
        clusters: 900,
        ..Options::default()
    });
    let path = "/regions/cn-hangzhou/operation/plans";
    let body = client.json(Action::ListOperationPlansForRegion, path).await;
    assert_eq!(body["plans"].as_array().map(Vec::len), Some(100));
    let scheduled = plans(&client, "state=Scheduled&type=KUBELET_UPGRADE").await;
    assert_eq!(scheduled.len(), 75);
    assert!(scheduled.iter().all(|plan| state(plan) == "scheduled"));
    let mut ids: Vec<_> = scheduled
        .iter()
        .map(|plan| plan["plan_id"].as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 75);
    assert_eq!(plans(&client, "state=Melted").await, Vec::<Value>::new());
}
