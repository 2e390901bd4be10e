//! Responses of `DescribeClusterNodePools`, usual and odd ones.

use super::*;
use crate::error::ErrorKind;
use crate::operations::fake_api::{FakeApi, budget, cluster, kilobytes};

async fn list(api: &FakeApi) -> Result<Vec<NodePool>, ApiError> {
    list_node_pools(&api.client, &api.endpoint, &cluster(), &budget()).await
}

async fn pools(body: &str) -> (Vec<NodePool>, Vec<(&'static str, String)>) {
    let api = FakeApi::with_body(body);
    let pools = list(&api).await.expect("a list");
    (pools, api.take_unknown_values())
}

#[tokio::test]
async fn a_pool_is_read_with_its_counts_and_versions() {
    let body = r#"{"nodepools": [{
        "nodepool_info": {"nodepool_id": "np1", "name": "web", "type": "ess", "is_default": true,
            "region_id": "cn-hangzhou", "created": "2026-01-15T16:00:00.123456789+08:00"},
        "status": {"state": "active", "total_nodes": 7, "healthy_nodes": 6, "failed_nodes": 1,
            "initial_nodes": 0, "offline_nodes": 2, "removing_nodes": 3, "serving_nodes": 5},
        "node_components": [{"name": "containerd", "version": "2.1"},
            {"name": "kubelet", "version": "1.33.3-aliyun.1", "config": {"a": []}, "config_revision": "3"}],
        "kubernetes_config": {"runtime": "containerd", "runtime_version": "1.6.20",
            "user_data": "ZWNobw==", "labels": [{"key": "a", "value": "b"}], "taints": null},
        "scaling_group": {"image_id": "aliyun_3_x64.vhd", "desired_size": 7},
        "management": {"enable": true}, "auto_scaling": {"enable": false}
    }]}"#;
    let expected = NodePool {
        id: "np1".to_owned(),
        name: "web".to_owned(),
        kind: "ess".to_owned(),
        state: NodePoolState::Active,
        nodes: NodeCounts {
            total: Some(7),
            healthy: Some(6),
            failed: Some(1),
            initial: Some(0),
            offline: Some(2),
            removing: Some(3),
            serving: Some(5),
        },
        kubelet_version: "1.33.3-aliyun.1".to_owned(),
        runtime: "containerd".to_owned(),
        runtime_version: "1.6.20".to_owned(),
        image: "aliyun_3_x64.vhd".to_owned(),
    };
    assert_eq!(pools(body).await, (vec![expected], vec![]));
    let api = FakeApi::with_body(body);
    list(&api).await.expect("a list");
    assert_eq!(
        api.take_requests(),
        ["DescribeClusterNodePools /clusters/c1/nodepools"]
    );
}

#[tokio::test]
async fn every_state_is_read_in_any_letter_case_and_others_are_reported() {
    let state = async |word: &str| {
        let body = format!(
            r#"{{"nodepools": [{{"nodepool_info": {{"nodepool_id": "np1"}}, "status": {{"state": {word}}}}}]}}"#
        );
        let (pools, unknown) = pools(&body).await;
        (pools[0].state, unknown)
    };
    for (word, expected) in [
        ("active", NodePoolState::Active),
        ("Scaling", NodePoolState::Scaling),
        ("removing", NodePoolState::Removing),
        ("removing_nodes", NodePoolState::Removing),
        ("DELETING", NodePoolState::Deleting),
        (" updating ", NodePoolState::Updating),
        ("initial", NodePoolState::Initial),
        ("failed", NodePoolState::Failed),
    ] {
        assert_eq!(
            state(&format!("\"{word}\"")).await,
            (expected, vec![]),
            "{word}"
        );
    }
    let reported = |value: &str| vec![("nodepool.status.state", value.to_owned())];
    for (word, expected) in [
        ("\"Upgrading\"", reported("Upgrading")),
        ("7", reported("7")),
        ("null", vec![]),
    ] {
        assert_eq!(
            state(word).await,
            (NodePoolState::Unknown, expected),
            "{word}"
        );
    }
}

#[tokio::test]
async fn an_odd_field_costs_itself_and_an_odd_pool_itself() {
    let (pools, unknown) = pools(
        r#"{"nodepools": [
            {"nodepool_info": {"nodepool_id": "np1", "name": 5, "type": null, "is_default": "yes"},
             "status": {"total_nodes": "7", "healthy_nodes": -1, "failed_nodes": null, "serving_nodes": 5.0},
             "node_components": [null, {"version": "2"}, {"name": "Kubelet", "version": 1.33}],
             "kubernetes_config": [], "scaling_group": "none"},
            {"nodepool_info": {"name": "lost"}}, {"status": {}}, 7, null,
            {"nodepool_info": {"nodepool_id": "np2"}, "node_components": {}, "status": "active"}
        ]}"#,
    )
    .await;
    let ids: Vec<_> = pools.iter().map(|pool| pool.id.as_str()).collect();
    assert_eq!(ids, ["np1", "np2"]);
    let expected = NodePool {
        id: "np1".to_owned(),
        name: "5".to_owned(),
        kind: String::new(),
        state: NodePoolState::Unknown,
        nodes: NodeCounts {
            total: Some(7),
            serving: Some(5),
            ..NodeCounts::default()
        },
        kubelet_version: "1.33".to_owned(),
        runtime: String::new(),
        runtime_version: String::new(),
        image: String::new(),
    };
    assert_eq!(pools[0], expected);
    assert_eq!(
        unknown,
        [
            ("nodepools", "an item without an ID".to_owned()),
            ("nodepool.nodepool_info.is_default", "yes".to_owned()),
            ("nodepool.status.healthy_nodes", "-1".to_owned()),
            (
                "nodepool.node_components",
                "an item that is empty".to_owned()
            ),
            ("nodepool.kubernetes_config", "a list".to_owned()),
            ("nodepool.scaling_group", "a text".to_owned()),
            ("nodepool.status", "a text".to_owned()),
        ]
    );
}

#[tokio::test]
async fn user_data_of_four_mebibytes_neither_fails_nor_is_kept() {
    let user_data = kilobytes(64);
    let pool = |number: usize| {
        format!(
            r#"{{"kubernetes_config": {{"runtime": "containerd", "user_data": "{user_data}"}},
                "nodepool_info": {{"nodepool_id": "np{number}"}}}}"#
        )
    };
    let list: Vec<_> = (0..64).map(pool).collect();
    let body = format!(r#"{{"nodepools": [{}]}}"#, list.join(","));
    assert!(body.len() > 4 << 20);
    let (pools, unknown) = pools(&body).await;
    assert_eq!((pools.len(), unknown), (64, vec![]));
    let kept = format!("{pools:?}");
    assert!(
        kept.contains("np63") && kept.len() < 64 << 10,
        "{}",
        kept.len()
    );
}

#[tokio::test]
async fn a_response_that_is_larger_than_the_limit_names_the_limit() {
    let body = format!(r#"{{"nodepools": [], "x": "{}"}}"#, kilobytes(8 << 10));
    let error = list(&FakeApi::with_body(body)).await.expect_err("too long");
    assert_eq!(error.kind, ErrorKind::Decode);
    assert_eq!(error.message, "the response is longer than 8388608 bytes");
}

#[tokio::test]
async fn a_cluster_without_pools_is_not_an_error_and_another_systems_response_is() {
    for body in [r#"{"nodepools": []}"#, r#"{"nodepools": null}"#] {
        assert_eq!(pools(body).await, (vec![], vec![]), "{body}");
    }
    for body in [
        "{}",
        "[]",
        r#"{"nodepools": "none"}"#,
        r#"{"status": "ok"}"#,
    ] {
        let error = list(&FakeApi::with_body(body)).await.expect_err(body);
        assert_eq!(error.kind, ErrorKind::Decode, "{body}");
    }
}
