//! The settings of automatic upgrades in `DescribeClusterDetail`.

use std::collections::BTreeSet;

use super::*;

async fn details(client: &SignedClient) -> Vec<Value> {
    let mut details = Vec::new();
    for id in client.simulator.world().clusters() {
        let path = format!("/clusters/{id}");
        details.push(client.json(Action::DescribeClusterDetail, &path).await);
    }
    details
}

#[tokio::test(start_paused = true)]
async fn clusters_with_plans_are_upgraded_automatically() {
    let client = SignedClient::with_defaults();
    let details = details(&client).await;
    for (number, detail) in details.iter().enumerate() {
        let upgrade = &detail["operation_policy"]["cluster_auto_upgrade"];
        let is_enabled = upgrade["enabled"] == true;
        assert_eq!(is_enabled, [5, 9, 10, 11].contains(&number), "{number}");
        let channel = upgrade["channel"].as_str().unwrap_or_default();
        assert_eq!(
            ["patch", "stable", "rapid"].contains(&channel),
            is_enabled,
            "{upgrade}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn windows_have_every_form_of_the_models() {
    let client = SignedClient::new(Options {
        clusters: 60,
        ..Options::default()
    });
    let (mut lengths, mut recurring, mut excluded, mut without) = (BTreeSet::new(), 0, 0, 0);
    for detail in details(&client).await {
        let window = &detail["maintenance_window"];
        if window["enable"] != true {
            without += 1;
            continue;
        }
        let text = |key: &str| window[key].as_str().unwrap_or_default();
        lengths.insert(text("maintenance_time").len());
        recurring += u32::from(text("recurrence").starts_with("FREQ=WEEKLY"));
        excluded += u32::from(window["exclusions"][0]["scope"] == "NoUpgrades");
        assert!(!text("weekly_period").is_empty());
    }
    assert_eq!(lengths, BTreeSet::from(["19:00:00Z".len(), 29]));
    assert!(recurring > 0 && excluded == recurring && without > 0);
}

#[tokio::test(start_paused = true)]
async fn the_window_of_a_cluster_with_nightly_plans_is_open_every_night() {
    let client = SignedClient::with_defaults();
    let window = &details(&client).await[11]["maintenance_window"];
    assert_eq!(window["duration"], "4h");
    let days = window["weekly_period"].as_str().expect("days");
    assert_eq!(days.split(',').count(), 7);
}

#[tokio::test(start_paused = true)]
async fn the_list_of_a_region_has_no_settings() {
    let client = SignedClient::with_defaults();
    let path = "/regions/cn-hangzhou/clusters";
    let body = client.json(Action::DescribeClustersForRegion, path).await;
    for cluster in body["clusters"].as_array().expect("a list") {
        assert!(cluster.get("maintenance_window").is_none());
        assert!(cluster.get("operation_policy").is_none());
    }
}
