//! Signatures, permissions, faults and the call log, for each operation of the table.

use ack_client::secret::Secret;

use super::*;
use crate::api::{OPERATIONS, Operation};

/// A path and query that the operation accepts.
async fn path(client: &SignedClient, operation: &Operation) -> String {
    let cluster = client.first();
    let path = operation
        .path
        .replace("{cluster}", cluster.as_str())
        .replace("{region}", "cn-hangzhou");
    let query = match operation.action {
        Action::ListAddons => format!("?cluster_id={cluster}"),
        Action::DescribeKubernetesVersionMetadata => {
            "?Region=cn-hangzhou&ClusterType=ManagedKubernetes".to_owned()
        }
        _ => String::new(),
    };
    let path = match (operation.action, path) {
        (Action::DescribeTaskInfo, path) => {
            let list = format!("/clusters/{cluster}/tasks");
            let body = client.json(Action::DescribeClusterTasks, &list).await;
            path.replace(
                "{task}",
                body["tasks"][0]["task_id"].as_str().expect("a task"),
            )
        }
        (Action::GetClusterCheck, path) => {
            let list = format!("/clusters/{cluster}/checks");
            let body = client.json(Action::ListClusterChecks, &list).await;
            path.replace(
                "{check}",
                body["checks"][0]["check_id"].as_str().expect("a check"),
            )
        }
        (_, path) => path,
    };
    path + &query
}

#[tokio::test(start_paused = true)]
async fn every_operation_is_served_counted_and_logged() {
    for operation in &OPERATIONS {
        let client = SignedClient::with_defaults();
        let path = path(&client, operation).await;
        client.simulator.forget_calls();
        client.json(operation.action, &path).await;
        assert_eq!(client.simulator.count(operation.action), 1);
        let call = client.simulator.calls().remove(0);
        assert_eq!((call.action, call.status), (operation.action, 200));
        assert!(!operation.path.contains('{') || path.contains(&call.subject));
    }
}

#[tokio::test(start_paused = true)]
async fn every_operation_needs_its_own_permission() {
    for operation in &OPERATIONS {
        let client = SignedClient::with_defaults();
        let path = path(&client, operation).await;
        client.simulator.deny(operation.action);
        let response = client.send(operation.action, &path).await;
        assert_eq!(error_of(&response), (403, "StatusForbidden".to_owned()));
        let name = operation.action.as_str();
        let expected = format!("Forbidden for action cs:{name}\"");
        assert!(text(&response).contains(&expected), "{}", text(&response));
    }
}

#[tokio::test(start_paused = true)]
async fn every_operation_needs_a_valid_signature_and_its_own_name() {
    for operation in &OPERATIONS {
        let mut client = SignedClient::with_defaults();
        let path = path(&client, operation).await;
        let response = client.send(Action::AssumeRole, &path).await;
        assert_eq!(
            error_of(&response),
            (400, "InvalidParameter.Action".to_owned())
        );
        client.credential.access_key_secret = Secret::new("wrong");
        let response = client.send(operation.action, &path).await;
        assert_eq!(error_of(&response).1, "SignatureDoesNotMatch");
    }
}

#[tokio::test(start_paused = true)]
async fn rules_select_every_operation_by_its_name_its_cluster_and_its_region() {
    for operation in &OPERATIONS {
        let client = SignedClient::with_defaults();
        let path = path(&client, operation).await;
        let region = client.simulator.world().region(&client.first());
        let mut places = vec![operation.action.as_str().to_lowercase()];
        if path.contains(client.first().as_str()) {
            places.push(format!("cluster={}", client.first()));
            places.push(format!("region={}", region.expect("a region")));
        }
        if operation.path.contains("{region}") || path.contains("Region=") {
            places.push("region=cn-hangzhou".to_owned());
        }
        for place in places {
            let rules = parse_rules(&format!("throttled=429@{place}*1")).expect("a rule");
            client.simulator.add_fault(rules[0].clone());
            let response = client.send(operation.action, &path).await;
            assert_eq!(
                error_of(&response),
                (429, "Throttling.Api".to_owned()),
                "{place}"
            );
            client.json(operation.action, &path).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_retired_operation_is_gone_and_all_others_stay() {
    for operation in &OPERATIONS {
        let client = SignedClient::new(Options {
            retired: Some(RetiredResponse::InvalidAction),
            ..Options::default()
        });
        let path = path(&client, operation).await;
        let response = client.send(operation.action, &path).await;
        let is_retired =
            [Action::GetUpgradeStatus, Action::DescribeClustersV1].contains(&operation.action);
        let expected = if is_retired { 404 } else { 200 };
        assert_eq!(response.status, expected, "{}", text(&response));
    }
}
