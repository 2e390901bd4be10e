//! The history page, and ephemeral clusters.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;

async fn history(client: &SignedClient, query: &str) -> Value {
    let request = Request::get(format!("http://{HOST}/history{query}"))
        .body(Bytes::new())
        .expect("a request");
    let response = client.simulator.handle(request).await;
    assert_eq!(response.status, StatusCode::OK, "no signature is needed");
    serde_json::from_slice(&response.body).expect("JSON")
}

/// The clusters that the lists show.
async fn listed(client: &SignedClient) -> BTreeSet<String> {
    let list = client
        .json(Action::DescribeClustersV1, "/api/v1/clusters?page_size=100")
        .await;
    list["clusters"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|cluster| cluster["cluster_id"].as_str().expect("an ID").to_owned())
        .collect()
}

/// A time of the history in whole milliseconds, the unit of the world: JSON may change its last
/// digit.
fn millis(value: &Value) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "milliseconds since 1970 are far from the end"
    )]
    value
        .as_f64()
        .map(|seconds| (seconds * 1000.0).round() as i64)
}

/// The time in the world, in milliseconds.
fn now(client: &SignedClient) -> i64 {
    millis(&json!(
        client.simulator.world().now().as_duration().as_secs_f64()
    ))
    .expect("a number")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

#[tokio::test(start_paused = true)]
async fn ephemeral_clusters_are_listed_as_long_as_the_history_says() {
    let client = SignedClient::new(Options {
        ephemeral_clusters: 6,
        ..Options::default()
    });
    let mut seen = Vec::new();
    for _ in 0..120 {
        seen.push((now(&client), listed(&client).await));
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let page = history(&client, "").await;
    let clusters = page["clusters"].as_array().expect("a list");
    for (at, listed) in &seen {
        let expected: BTreeSet<_> = clusters
            .iter()
            .filter(|cluster| millis(&cluster["created"]).is_none_or(|created| created <= *at))
            .filter(|cluster| millis(&cluster["deleted"]).is_none_or(|deleted| *at < deleted))
            .map(|cluster| cluster["cluster"].as_str().expect("an ID").to_owned())
            .collect();
        assert_eq!(*listed, expected, "at {at}");
    }
    let all: BTreeSet<_> = seen.iter().flat_map(|(_, listed)| listed).collect();
    assert!(
        all.len() > 12 + 6 * 3,
        "each of six slots is used again and again: {}",
        all.len()
    );
    assert!(
        seen.iter().any(|(_, listed)| listed.len() < 12 + 6),
        "and is empty in between"
    );
}

#[tokio::test(start_paused = true)]
async fn the_history_has_every_state_that_the_api_has_shown() {
    let client = SignedClient::with_defaults();
    let id = client.first();
    let mut seen = Vec::new();
    for _ in 0..300 {
        let body = client.status(&id).await;
        seen.push((
            now(&client),
            body["status"].clone(),
            body["upgrade_step"].clone(),
        ));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let page = history(&client, "").await;
    let cluster = page["clusters"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|cluster| cluster["cluster"] == id.as_str())
        .expect("the cluster");
    let phases = cluster["phases"].as_array().expect("a list");
    assert!(phases.len() >= 4, "{phases:?}");
    for (at, status, step) in seen {
        let phase = phases
            .iter()
            .rfind(|phase| millis(&phase["at"]).is_some_and(|begun| begun <= at))
            .expect("a phase");
        assert_eq!(
            (&phase["status"], &phase["step"]),
            (&status, &step),
            "at {at}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_history_starts_at_since_and_goes_back_a_day_at_most() {
    let client = SignedClient::new(Options {
        ephemeral_clusters: 2,
        ..Options::default()
    });
    tokio::time::sleep(Duration::from_secs(600)).await;
    let now = number(&history(&client, "").await["now"]);
    let page = history(&client, &format!("?since={}", (now - 100.0).floor())).await;
    let since = number(&page["since"]);
    assert!((99.0..102.0).contains(&(now - since)), "{since}");
    let clusters = page["clusters"].as_array().expect("a list");
    assert!((12..12 + 2 * 3).contains(&clusters.len()));
    for change in clusters
        .iter()
        .flat_map(|cluster| cluster["phases"].as_array().expect("a list"))
    {
        assert!(number(&change["at"]) >= since, "{change}");
    }
    tokio::time::sleep(Duration::from_secs(30 * 3600)).await;
    let page = history(&client, "?since=0").await;
    assert!(
        (number(&page["now"]) - number(&page["since"]) - 24.0 * 3600.0).abs() < 1.0,
        "{}",
        page["since"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_history_lists_misleading_responses() {
    let client = SignedClient::with_defaults();
    let id = client.first();
    client
        .simulator
        .add_fault(Rule::new(Fault::UnknownValues).cluster(id.clone()).times(2));
    let mut misleading = Vec::new();
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_secs(7)).await;
        if client.status(&id).await["upgrade_step"] == "reticulating" {
            misleading.push(now(&client));
        }
    }
    assert_eq!(misleading.len(), 2);
    for cluster in history(&client, "").await["clusters"]
        .as_array()
        .expect("a list")
    {
        let page: Vec<_> = cluster["misleading"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(millis)
            .collect();
        assert_eq!(
            page,
            if cluster["cluster"] == id.as_str() {
                misleading.clone()
            } else {
                Vec::new()
            }
        );
    }
}

#[tokio::test]
async fn the_history_is_no_call_and_no_fault_applies_to_it() {
    let client = SignedClient::new(Options {
        faults: vec![Rule::new(Fault::Hang)],
        ..Options::default()
    });
    history(&client, "").await;
    assert_eq!(client.simulator.calls(), []);
    let post = Request::post(format!("http://{HOST}/history"))
        .body(Bytes::new())
        .expect("a request");
    assert_eq!(
        client.simulator.handle(post).await.status,
        StatusCode::NOT_FOUND,
        "the page is read-only"
    );
}
