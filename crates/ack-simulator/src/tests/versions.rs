//! `DescribeKubernetesVersionMetadata`, and the versions that clusters run.

use jiff::{SignedDuration, Timestamp};

use super::*;

const MANAGED: &str = "Region=cn-hangzhou&ClusterType=ManagedKubernetes";

async fn versions(client: &SignedClient, query: &str) -> Vec<Value> {
    let path = format!("/api/v1/metadata/versions?{query}");
    let body = client
        .json(Action::DescribeKubernetesVersionMetadata, &path)
        .await;
    body.as_array().expect("a bare array").clone()
}

fn minor(version: &Value) -> String {
    let version = version["version"].as_str().expect("a version");
    version.split('.').take(2).collect::<Vec<_>>().join(".")
}

/// The end of support of the version that a cluster runs, if the API tells it.
async fn end_of_support(client: &SignedClient, id: &ClusterId) -> Option<Timestamp> {
    let detail = client
        .json(Action::DescribeClusterDetail, &format!("/clusters/{id}"))
        .await;
    let version = detail["current_version"].as_str().expect("a version");
    let query = format!("{MANAGED}&KubernetesVersion={version}");
    let found = versions(client, &query).await;
    found.first()?["expiration_date"].as_str()?.parse().ok()
}

#[tokio::test(start_paused = true)]
async fn the_three_newest_minor_versions_are_creatable_and_more_are_supported() {
    let client = SignedClient::with_defaults();
    let creatable = versions(&client, MANAGED).await;
    let minors: Vec<_> = creatable.iter().map(minor).collect();
    assert_eq!(minors, ["1.34", "1.33", "1.32"]);
    assert!(creatable.iter().all(|version| version["creatable"] == true));
    let supported = versions(&client, &format!("{MANAGED}&Mode=supported")).await;
    assert_eq!(supported.len(), 5);
    assert_eq!(supported[4]["creatable"], false);
    let now = client.simulator.world().now();
    for version in &supported {
        let time =
            |key: &str| -> Timestamp { version[key].as_str().expect("a date").parse().expect(key) };
        assert!(time("release_date") < now && now < time("expiration_date"));
        assert!(version["upgradable_versions"].is_null());
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_no_longer_offered_is_found_by_its_name() {
    let client = SignedClient::with_defaults();
    let query = format!("{MANAGED}&KubernetesVersion=1.29.5-aliyun.2&QueryUpgradableVersion=true");
    let found = versions(&client, &query).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["version"], "1.29.5-aliyun.2");
    assert_eq!(
        found[0]["upgradable_versions"],
        serde_json::json!(["1.29.7-aliyun.1", "1.30.1-aliyun.1"])
    );
    let unknown = format!("{MANAGED}&KubernetesVersion=1.11.5-aliyun.1");
    assert_eq!(versions(&client, &unknown).await, Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_cluster_has_its_own_dates() {
    let client = SignedClient::with_defaults();
    let newest = async |query: &str| versions(&client, query).await[0]["expiration_date"].clone();
    let managed = newest(MANAGED).await;
    let serverless = newest(&format!("{MANAGED}&Profile=Serverless")).await;
    let dedicated = newest("Region=cn-hangzhou&ClusterType=Kubernetes").await;
    assert_ne!(managed, serverless);
    assert_eq!(dedicated, Value::Null, "the newest version has no end yet");
}

#[tokio::test(start_paused = true)]
async fn region_and_type_are_required() {
    let client = SignedClient::with_defaults();
    for (query, expected) in [
        ("ClusterType=Kubernetes", "MissingParameter"),
        ("Region=cn-hangzhou", "MissingParameter"),
        ("Region=cn-hangzhou&ClusterType=Swarm", "InvalidParameter"),
    ] {
        let response = client
            .send(
                Action::DescribeKubernetesVersionMetadata,
                &format!("/api/v1/metadata/versions?{query}"),
            )
            .await;
        assert_eq!(error_of(&response), (400, expected.to_owned()), "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn in_a_dozen_clusters_one_is_out_of_support_and_one_soon_will_be() {
    for seed in 0..6 {
        let client = SignedClient::new(Options {
            seed,
            ..Options::default()
        });
        let now = client.simulator.world().now();
        let (mut ended, mut ends_soon) = (0, 0);
        for id in client.simulator.world().clusters() {
            let end = end_of_support(&client, &id).await.expect("an end");
            match end.duration_since(now) {
                left if left.is_negative() => ended += 1,
                left if left < SignedDuration::from_hours(30 * 24) => ends_soon += 1,
                _ => {}
            }
        }
        assert_eq!((ended, ends_soon), (1, 1), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_cluster_runs_a_version_that_is_not_yet_offered() {
    let client = SignedClient::with_defaults();
    for _ in 0..30 {
        let offered = versions(&client, &format!("{MANAGED}&Mode=supported")).await;
        let world = client.simulator.world();
        for id in world.clusters() {
            let cluster = world.find(id.as_str()).expect("the cluster");
            let version = cluster.state(world.clock.millis()).version;
            let newest = offered
                .iter()
                .filter_map(|entry| {
                    crate::world::versions::KubernetesVersion::parse(entry["version"].as_str()?)
                })
                .find(|offered| offered.minor == version.minor);
            assert!(newest.is_none_or(|newest| version <= newest), "{version}");
        }
        tokio::time::advance(Duration::from_secs(600)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_accept_json_gets_the_bare_list_in_one_element() {
    let client = SignedClient::with_defaults();
    let mut request = client.request(
        Action::DescribeKubernetesVersionMetadata,
        &format!("/api/v1/metadata/versions?{MANAGED}"),
        "n",
    );
    request.headers_mut().remove("accept");
    let body = text(&client.simulator.handle(request).await);
    assert!(
        body.contains("<DescribeKubernetesVersionMetadataResponse><item><version>1.34"),
        "{body}"
    );
}
