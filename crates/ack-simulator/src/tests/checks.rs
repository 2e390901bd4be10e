//! `ListClusterChecks` and `GetClusterCheck`.

use std::collections::BTreeSet;

use super::*;

async fn checks(client: &SignedClient, id: &ClusterId, query: &str) -> Vec<Value> {
    let path = format!("/clusters/{id}/checks?{query}");
    let body = client.json(Action::ListClusterChecks, &path).await;
    body["checks"].as_array().expect("a list").clone()
}

async fn info(client: &SignedClient, id: &ClusterId, check: &Value) -> Value {
    let check = check["check_id"].as_str().expect("an ID");
    let path = format!("/clusters/{id}/checks/{check}");
    client.json(Action::GetClusterCheck, &path).await
}

/// The levels of all items of a check.
fn levels(info: &Value) -> BTreeSet<String> {
    let items = info["check_items"].as_object().into_iter().flatten();
    items
        .flat_map(|(_, list)| list.as_array().expect("a list"))
        .flat_map(|item| item["Level"].as_object().expect("levels").keys().cloned())
        .collect()
}

fn is_sorted(checks: &[Value]) -> bool {
    checks.is_sorted_by_key(|check| {
        std::cmp::Reverse(check["created_at"].as_str().expect("a time").to_owned())
    })
}

#[tokio::test(start_paused = true)]
async fn a_dozen_clusters_have_passed_failed_and_warning_checks_from_the_start() {
    for seed in 0..6 {
        let client = SignedClient::new(Options {
            seed,
            ..Options::default()
        });
        let mut seen = BTreeSet::new();
        for id in client.simulator.world().clusters() {
            let checks = checks(&client, &id, "").await;
            assert!(is_sorted(&checks));
            for check in &checks {
                seen.extend(levels(&info(&client, &id, check).await));
            }
        }
        let expected = ["error", "normal", "warning"].map(str::to_owned);
        assert_eq!(seen, BTreeSet::from(expected), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_check_of_an_upgrade_runs_and_then_has_its_verdict() {
    let client = SignedClient::with_defaults();
    let id = client.first();
    let world = client.simulator.world();
    world.set_phase(&id, Phase::Canceled(UpgradeStage::Upgrade), None);
    world.set_phase(&id, Phase::Prechecking, None);
    let check = checks(&client, &id, "type=ClusterUpgrade").await.remove(0);
    assert_eq!(check["status"], "Running");
    assert_eq!(levels(&info(&client, &id, &check).await), BTreeSet::new());
    tokio::time::advance(Duration::from_secs(10)).await;
    let failed = Phase::Failed(UpgradeStage::Precheck);
    world.set_phase(&id, failed, Some("a node is not ready"));
    let info = info(&client, &id, &check).await;
    assert_eq!(
        info["status"], "Succeeded",
        "the check itself has succeeded"
    );
    assert!(levels(&info).contains("error"));
    assert!(info.to_string().contains("a node is not ready"));
}

#[tokio::test(start_paused = true)]
async fn the_check_of_a_node_pool_is_found_by_its_target() {
    let client = SignedClient::with_defaults();
    let id = client.simulator.world().clusters()[4].clone();
    tokio::time::advance(Duration::from_secs(120)).await;
    let cluster = client.simulator.world().find(id.as_str()).expect("it");
    let pool = cluster.node_pools().remove(0).id;
    let query = format!("type=NodePoolUpgrade&target={pool}");
    let found = checks(&client, &id, &query).await;
    assert!(!found.is_empty());
    let other = checks(&client, &id, "type=NodePoolUpgrade&target=npother").await;
    assert_eq!(other, Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn a_plan_whose_check_has_failed_has_a_failed_check() {
    let client = SignedClient::with_defaults();
    let world = client.simulator.world();
    let id = world.clusters()[10].clone();
    tokio::time::advance(Duration::from_secs(110)).await;
    let path = format!(
        "/regions/{}/operation/plans",
        world.region(&id).expect("it")
    );
    let plans = client
        .json(
            Action::ListOperationPlansForRegion,
            &format!("{path}?cluster_id={id}&state=ValidatingFailed"),
        )
        .await;
    let mut failed = 0;
    for check in checks(&client, &id, "type=MasterUpgrade").await {
        failed += usize::from(levels(&info(&client, &id, &check).await).contains("error"));
    }
    assert!(failed > 0);
    assert_eq!(plans["plans"].as_array().map(Vec::len), Some(failed));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_check_is_not_found() {
    let client = SignedClient::with_defaults();
    let path = format!("/clusters/{}/checks/none", client.first());
    let response = client.send(Action::GetClusterCheck, &path).await;
    assert_eq!(error_of(&response), (404, "ErrorCheckNotFound".to_owned()));
}
