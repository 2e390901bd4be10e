//! `ListClusterAddonInstances` and `ListAddons`.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

async fn installed(client: &SignedClient, id: &ClusterId) -> Vec<Value> {
    let path = format!("/clusters/{id}/addon_instances");
    let body = client.json(Action::ListClusterAddonInstances, &path).await;
    body["addons"].as_array().expect("a list").clone()
}

/// The newest version of each add-on, by name.
async fn newest(client: &SignedClient, query: &str) -> BTreeMap<String, String> {
    let body = client
        .json(Action::ListAddons, &format!("/addons?{query}"))
        .await;
    let text = |add_on: &Value, key: &str| add_on[key].as_str().expect(key).to_owned();
    body["addons"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|add_on| (text(add_on, "name"), text(add_on, "version")))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_dozen_clusters_have_add_ons_that_are_up_to_date_and_others_with_a_newer_version() {
    for seed in 0..6 {
        let client = SignedClient::new(Options {
            seed,
            ..Options::default()
        });
        let (mut current, mut outdated) = (0, 0);
        for id in client.simulator.world().clusters() {
            let offered = newest(&client, &format!("cluster_id={id}")).await;
            for add_on in installed(&client, &id).await {
                let newest = &offered[add_on["name"].as_str().expect("a name")];
                if add_on["version"] == newest.as_str() {
                    current += 1;
                } else {
                    outdated += 1;
                }
            }
        }
        assert!(
            current > 20 && outdated > 10,
            "seed {seed}: {current}, {outdated}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn some_add_ons_are_upgraded_and_a_few_fail() {
    let client = SignedClient::with_defaults();
    let mut seen = BTreeSet::new();
    for _ in 0..70 {
        for id in client.simulator.world().clusters() {
            for add_on in installed(&client, &id).await {
                seen.insert(add_on["state"].as_str().expect("a state").to_lowercase());
            }
        }
        tokio::time::advance(Duration::from_secs(10)).await;
    }
    let expected = ["active", "failed", "upgrading"].map(str::to_owned);
    assert_eq!(seen, BTreeSet::from(expected));
}

#[tokio::test(start_paused = true)]
async fn the_offer_depends_on_the_version_of_the_cluster() {
    let client = SignedClient::with_defaults();
    let query = |version| {
        format!(
            "region_id=cn-hangzhou&cluster_type=ManagedKubernetes&profile=Default\
             &cluster_spec=ack.pro.small&cluster_version={version}"
        )
    };
    let old = newest(&client, &query("1.30.1-aliyun.1")).await;
    let new = newest(&client, &query("1.34.1-aliyun.1")).await;
    assert_eq!(old["coredns"], new["coredns"]);
    assert_ne!(
        old["nginx-ingress-controller"],
        new["nginx-ingress-controller"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_offer_needs_a_cluster_or_a_whole_combination() {
    let client = SignedClient::with_defaults();
    for (query, expected) in [
        ("", (400, "MissingParameter")),
        (
            "region_id=cn-hangzhou&profile=Default",
            (400, "MissingParameter"),
        ),
        ("cluster_id=cnone", (404, "ErrorClusterNotFound")),
    ] {
        let path = format!("/addons?{query}");
        let response = client.send(Action::ListAddons, &path).await;
        assert_eq!(error_of(&response), (expected.0, expected.1.to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn the_offer_is_long_because_of_its_schemas() {
    let client = SignedClient::with_defaults();
    let path = format!("/addons?cluster_id={}", client.first());
    let response = client.send(Action::ListAddons, &path).await;
    assert!(response.body.len() > 60_000, "{}", response.body.len());
}
