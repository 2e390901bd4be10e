//! The stand-in's own page about what has happened, and the clusters that come and go.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;

async fn chronicle(client: &Client, query: &str) -> Value {
    let request = Request::get(format!("http://{HOST}/chronicle{query}"))
        .body(Bytes::new())
        .expect("a request");
    let reply = client.sim.handle(request).await;
    assert_eq!(reply.status, StatusCode::OK, "nobody has to sign");
    serde_json::from_slice(&reply.body).expect("JSON")
}

/// The clusters that the lists show.
async fn listed(client: &Client) -> BTreeSet<String> {
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

/// A time of the chronicle in whole milliseconds, in which the world moves: the way through JSON
/// may cost its last digit.
fn millis(value: &Value) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "milliseconds since 1970 are far from the end"
    )]
    value
        .as_f64()
        .map(|seconds| (seconds * 1000.0).round() as i64)
}

/// The time in the world, in the same.
fn now(client: &Client) -> i64 {
    millis(&json!(client.sim.world().now().as_duration().as_secs_f64())).expect("a number")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

#[tokio::test(start_paused = true)]
async fn guests_come_and_go_as_the_chronicle_tells_it_afterwards() {
    let client = Client::new(Options {
        guests: 6,
        ..Options::default()
    });
    let mut seen = Vec::new();
    for _ in 0..120 {
        seen.push((now(&client), listed(&client).await));
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let told = chronicle(&client, "").await;
    let clusters = told["clusters"].as_array().expect("a list");
    for (at, listed) in &seen {
        let there: BTreeSet<_> = clusters
            .iter()
            .filter(|cluster| millis(&cluster["came"]).is_none_or(|came| came <= *at))
            .filter(|cluster| millis(&cluster["goes"]).is_none_or(|goes| *at < goes))
            .map(|cluster| cluster["cluster"].as_str().expect("an ID").to_owned())
            .collect();
        assert_eq!(*listed, there, "at {at}");
    }
    let all: BTreeSet<_> = seen.iter().flat_map(|(_, listed)| listed).collect();
    assert!(
        all.len() > 12 + 6 * 3,
        "of six places each was taken again and again: {}",
        all.len()
    );
    assert!(
        seen.iter().any(|(_, listed)| listed.len() < 12 + 6),
        "and was empty in between"
    );
}

#[tokio::test(start_paused = true)]
async fn the_chronicle_tells_every_state_that_the_api_has_shown() {
    let client = Client::usual();
    let id = client.first();
    let mut seen = Vec::new();
    for _ in 0..300 {
        let answer = client.status(&id).await;
        seen.push((
            now(&client),
            answer["status"].clone(),
            answer["upgrade_step"].clone(),
        ));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let told = chronicle(&client, "").await;
    let cluster = told["clusters"]
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
async fn the_chronicle_begins_where_it_is_asked_to_and_tells_a_day_at_most() {
    let client = Client::new(Options {
        guests: 2,
        ..Options::default()
    });
    tokio::time::sleep(Duration::from_secs(600)).await;
    let now = number(&chronicle(&client, "").await["now"]);
    let told = chronicle(&client, &format!("?since={}", (now - 100.0).floor())).await;
    let since = number(&told["since"]);
    assert!((99.0..102.0).contains(&(now - since)), "{since}");
    let clusters = told["clusters"].as_array().expect("a list");
    assert!((12..12 + 2 * 3).contains(&clusters.len()));
    for change in clusters
        .iter()
        .flat_map(|cluster| cluster["phases"].as_array().expect("a list"))
    {
        assert!(number(&change["at"]) >= since, "{change}");
    }
    tokio::time::sleep(Duration::from_secs(30 * 3600)).await;
    let told = chronicle(&client, "?since=0").await;
    assert!(
        (number(&told["now"]) - number(&told["since"]) - 24.0 * 3600.0).abs() < 1.0,
        "{}",
        told["since"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_chronicle_owns_up_to_what_was_told_and_is_not_so() {
    let client = Client::usual();
    let id = client.first();
    client
        .sim
        .add_fault(Rule::new(Fault::UnknownValues).cluster(id.clone()).times(2));
    let mut lied = Vec::new();
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_secs(7)).await;
        if client.status(&id).await["upgrade_step"] == "reticulating" {
            lied.push(now(&client));
        }
    }
    assert_eq!(lied.len(), 2);
    for cluster in chronicle(&client, "").await["clusters"]
        .as_array()
        .expect("a list")
    {
        let told: Vec<_> = cluster["lies"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(millis)
            .collect();
        assert_eq!(
            told,
            if cluster["cluster"] == id.as_str() {
                lied.clone()
            } else {
                Vec::new()
            }
        );
    }
}

#[tokio::test]
async fn no_fault_strikes_the_chronicle_and_it_is_no_call() {
    let client = Client::new(Options {
        faults: vec![Rule::new(Fault::Hang)],
        ..Options::default()
    });
    chronicle(&client, "").await;
    assert_eq!(client.sim.calls(), []);
    let elsewhere = Request::post(format!("http://{HOST}/chronicle"))
        .body(Bytes::new())
        .expect("a request");
    assert_eq!(
        client.sim.handle(elsewhere).await.status,
        StatusCode::NOT_FOUND,
        "it can only be read"
    );
}
