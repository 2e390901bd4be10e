//! Every fault strikes as it says, where it says, as often as it says.

use std::sync::Arc;
use std::time::Duration;

use ack_client::{Transport as _, TransportError};

use super::*;

fn path(id: &ClusterId) -> String {
    format!("/api/v2/clusters/{id}/upgrade/status")
}

async fn struck(fault: Fault) -> Reply {
    let client = Client::usual();
    client
        .sim
        .add_fault(Rule::new(fault).on(Action::GetUpgradeStatus));
    client
        .ask(Action::GetUpgradeStatus, &path(&client.first()))
        .await
}

#[tokio::test(start_paused = true)]
async fn refusals_take_the_place_of_the_answer() {
    for (fault, expected) in [
        (
            Fault::Throttled {
                status: 400,
                retry_after: None,
            },
            (400, "Throttling.User"),
        ),
        (
            Fault::Throttled {
                status: 429,
                retry_after: None,
            },
            (429, "Throttling.Api"),
        ),
        (
            Fault::Throttled {
                status: 503,
                retry_after: None,
            },
            (503, "Throttling.User"),
        ),
        (
            Fault::ServerError {
                status: 500,
                body: ErrorBody::Json,
            },
            (500, "InternalError"),
        ),
        (
            Fault::ServerError {
                status: 502,
                body: ErrorBody::Html,
            },
            (502, ""),
        ),
        (Fault::ExpiredToken, (400, "InvalidSecurityToken.Expired")),
        (Fault::NonceUsed, (400, "SignatureNonceUsed")),
        (Fault::ClockSkew, (400, "InvalidTimeStamp.Expired")),
        (Fault::Forbidden, (403, "StatusForbidden")),
        (Fault::ProxyPage(407), (407, "")),
        (
            Fault::Redirect("http://evil.example/".to_owned()),
            (302, ""),
        ),
    ] {
        assert_eq!(
            refused(&struck(fault.clone()).await),
            (expected.0, expected.1.to_owned()),
            "{fault:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_after_throttling_is_told_in_milliseconds() {
    let reply = struck(Fault::Throttled {
        status: 429,
        retry_after: Some(Duration::from_secs(2)),
    })
    .await;
    assert_eq!(reply.headers["x-acs-retry-after"], "2000");
}

#[tokio::test(start_paused = true)]
async fn a_denial_tells_what_ram_tells() {
    let body: Value = serde_json::from_slice(&struck(Fault::Forbidden).await.body).unwrap();
    assert_eq!(
        body["message"],
        "RAM policy Forbidden for action cs:GetUpgradeStatus"
    );
    assert_eq!(
        body["accessDeniedDetail"]["AuthAction"],
        "cs:GetUpgradeStatus"
    );
    assert_eq!(body["status"], 403);
}

#[tokio::test(start_paused = true)]
async fn answers_are_spoiled_in_the_way_that_was_asked_for() {
    let deep = struck(Fault::DeepNesting).await;
    assert_eq!(deep.body.len(), 400_000);
    let json = |reply: &Reply| serde_json::from_slice::<Value>(&reply.body);
    assert!(json(&struck(Fault::Malformed).await).is_err());
    assert!(std::str::from_utf8(&struck(Fault::Garbage).await.body).is_err());
    assert!(
        text(&struck(Fault::Repeat(Repeat::Answer)).await)
            .contains("authorization: ACS3-HMAC-SHA256")
    );
    assert!(
        text(&struck(Fault::Repeat(Repeat::Error)).await)
            .contains("authorization: ACS3-HMAC-SHA256")
    );
    assert!(text(&struck(Fault::HtmlPage).await).starts_with("<html>"));
    assert!(json(&struck(Fault::WrongTypes).await).unwrap()["status"].is_array());
    assert_eq!(
        json(&struck(Fault::UnknownValues).await).unwrap()["upgrade_step"],
        "reticulating"
    );
    assert!(text(&struck(Fault::XmlReply).await).contains("<GetUpgradeStatusResponse>"));
    assert!(text(&struck(Fault::XmlError).await).contains("<Error>"));
    assert!(struck(Fault::EmptyBody).await.body.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_rule_strikes_only_where_and_as_often_as_it_says() {
    let client = Client::usual();
    let (one, other) = (client.first(), client.sim.world().clusters()[1].clone());
    let rule = Rule::new(Fault::NonceUsed)
        .on(Action::GetUpgradeStatus)
        .cluster(one.clone());
    client.sim.add_fault(
        rule.region(client.sim.world().region(&one).unwrap())
            .times(2),
    );
    let code = async |id: &ClusterId| {
        client
            .ask(Action::GetUpgradeStatus, &path(id))
            .await
            .status
            .as_u16()
    };
    assert_eq!(
        [
            code(&other).await,
            code(&one).await,
            code(&one).await,
            code(&one).await
        ],
        [200, 400, 400, 200]
    );
    client
        .json(Action::DescribeClusterDetail, &format!("/clusters/{one}"))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_probability_strikes_that_often_and_the_same_calls_for_the_same_seed() {
    let strikes = async || {
        let client = Client::usual();
        client
            .sim
            .add_fault(Rule::new(Fault::NonceUsed).probability(0.25));
        let mut struck = Vec::new();
        for _ in 0..1000 {
            struck.push(
                client.ask(Action::DescribeRegions, "/regions").await.status
                    == StatusCode::BAD_REQUEST,
            );
        }
        struck
    };
    let one = strikes().await;
    assert_eq!(one, strikes().await);
    let share = one.iter().filter(|struck| **struck).count();
    assert!((200..300).contains(&share), "{share}");
}

#[tokio::test(start_paused = true)]
async fn faults_can_be_cleared() {
    let client = Client::usual();
    client.sim.deny(Action::DescribeRegions);
    assert_eq!(
        client.ask(Action::DescribeRegions, "/regions").await.status,
        StatusCode::FORBIDDEN
    );
    client.sim.clear_faults();
    client.json(Action::DescribeRegions, "/regions").await;
}

/// What a transport makes of a fault, and how long it took.
async fn in_process(fault: Fault) -> (Option<Result<usize, TransportError>>, Duration) {
    let client = Client::usual();
    client.sim.add_fault(Rule::new(fault));
    let request = client.request(Action::GetUpgradeStatus, &path(&client.first()), "n");
    let transport = InProcess(Arc::new(client.sim));
    let begun = tokio::time::Instant::now();
    let outcome = tokio::time::timeout(Duration::from_secs(3600), transport.send(request)).await;
    (
        outcome
            .ok()
            .map(|sent| sent.map(|response| response.body().len())),
        begun.elapsed(),
    )
}

#[tokio::test(start_paused = true)]
async fn in_process_a_fault_looks_as_on_the_wire() {
    assert_eq!(in_process(Fault::Hang).await.0, None);
    for fault in [Fault::Reset, Fault::Truncated] {
        assert!(matches!(
            in_process(fault).await.0,
            Some(Err(TransportError::Broken(_)))
        ));
    }
    assert_eq!(
        in_process(Fault::Huge(Framing::Chunked)).await.0,
        Some(Err(TransportError::TooLarge))
    );
    let (reply, took) = in_process(Fault::Slow(Duration::from_secs(7))).await;
    assert!(matches!(reply, Some(Ok(_))));
    assert_eq!(took.as_secs(), 7);
    let (reply, took) = in_process(Fault::Drip(Duration::from_secs(1))).await;
    assert_eq!(reply.unwrap().unwrap() as u64, took.as_secs());
}

#[tokio::test(start_paused = true)]
async fn every_answer_takes_the_latency_and_calls_overlap() {
    let client = Client::new(Options {
        latency: Duration::from_millis(50),
        ..Options::default()
    });
    let begun = tokio::time::Instant::now();
    let requests: Vec<_> = (0..8)
        .map(|n| client.request(Action::DescribeRegions, "/regions", &n.to_string()))
        .collect();
    let sim = Arc::new(client.sim);
    let tasks: Vec<_> = requests
        .into_iter()
        .map(|request| {
            let sim = Arc::clone(&sim);
            tokio::spawn(async move { sim.handle(request).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().status, StatusCode::OK);
    }
    assert_eq!(begun.elapsed().as_millis(), 50);
    assert_eq!(sim.peak_in_flight(), 8);
}
