//! The list of clusters.

use std::collections::BTreeSet;

use super::*;

#[tokio::test(start_paused = true)]
async fn the_list_has_every_cluster_once_page_by_page() {
    let client = SignedClient::new(Options {
        clusters: 130,
        ..Options::default()
    });
    let mut seen = BTreeSet::new();
    for page in 1..=3 {
        let body = client
            .json(
                Action::DescribeClustersV1,
                &format!("/api/v1/clusters?page_number={page}&page_size=50"),
            )
            .await;
        assert_eq!(
            body["page_info"],
            serde_json::json!({"page_number": page, "page_size": 50, "total_count": 130})
        );
        for cluster in body["clusters"].as_array().unwrap() {
            assert!(seen.insert(cluster["cluster_id"].as_str().unwrap().to_owned()));
        }
    }
    assert_eq!(seen.len(), 130);
}

#[tokio::test(start_paused = true)]
async fn a_page_has_ten_clusters_by_default_and_a_hundred_at_most() {
    let client = SignedClient::new(Options {
        clusters: 130,
        ..Options::default()
    });
    for (query, expected) in [("", 10), ("?page_size=1000", 100), ("?page_number=14", 0)] {
        let body = client
            .json(
                Action::DescribeClustersV1,
                &format!("/api/v1/clusters{query}"),
            )
            .await;
        assert_eq!(
            body["clusters"].as_array().unwrap().len(),
            expected,
            "{query}"
        );
    }
    let response = client
        .send(Action::DescribeClustersV1, "/api/v1/clusters?page_number=0")
        .await;
    assert_eq!(error_of(&response), (400, "InvalidParameter".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn the_filters_of_the_list_narrow_it() {
    let client = SignedClient::new(Options {
        clusters: 300,
        ..Options::default()
    });
    let total = |body: Value| body["page_info"]["total_count"].as_u64().unwrap();
    let count = async |query: &str| {
        total(
            client
                .json(
                    Action::DescribeClustersV1,
                    &format!("/api/v1/clusters?{query}"),
                )
                .await,
        )
    };
    assert_eq!(count(&format!("cluster_id={}", client.first())).await, 1);
    assert_eq!(count("region_id=cn-shanghai").await, 100);
    assert_eq!(
        count("cluster_type=ManagedKubernetes").await + count("cluster_type=Kubernetes").await,
        300
    );
    assert_eq!(
        count("profile=Default").await + count("profile=Serverless").await,
        300
    );
    let pro = count("cluster_spec=ack.pro.small").await;
    assert!((50..250).contains(&pro), "{pro}");
    let shops = count("name=shop-").await;
    assert_eq!(shops, 25);
    let region = client
        .json(
            Action::DescribeClustersForRegion,
            "/regions/cn-hangzhou/clusters?name=shop-",
        )
        .await;
    assert!(total(region) < shops);
}

#[tokio::test(start_paused = true)]
async fn the_list_shows_which_clusters_are_upgrading() {
    let client = SignedClient::with_defaults();
    let listed = client
        .json(Action::DescribeClustersV1, "/api/v1/clusters?page_size=100")
        .await;
    for cluster in listed["clusters"].as_array().unwrap() {
        let id = ClusterId::parse(cluster["cluster_id"].as_str().unwrap()).unwrap();
        let upgrading = client
            .simulator
            .world()
            .phase(&id)
            .unwrap()
            .is_in_progress();
        assert_eq!(
            cluster["state"],
            if upgrading { "upgrading" } else { "running" }
        );
    }
}

#[tokio::test(start_paused = true)]
async fn lists_lag_behind_the_details() {
    let client = SignedClient::new(Options {
        list_lag: Duration::from_secs(5),
        ..Options::default()
    });
    let id = client.first();
    client
        .simulator
        .world()
        .set_phase(&id, Phase::NotStarted, None);
    tokio::time::advance(Duration::from_secs(10)).await;
    client
        .simulator
        .world()
        .set_phase(&id, Phase::Upgrading, None);
    let path = format!("/api/v1/clusters?cluster_id={id}");
    assert_eq!(
        client
            .json(Action::DescribeClusterDetail, &format!("/clusters/{id}"))
            .await["state"],
        "upgrading"
    );
    tokio::time::advance(Duration::from_secs(6)).await;
    assert_eq!(
        client.json(Action::DescribeClustersV1, &path).await["clusters"][0]["state"],
        "upgrading"
    );
}
