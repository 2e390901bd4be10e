//! The effect of each fault, and the calls that rules apply to.

use std::sync::Arc;
use std::time::Duration;

use ack_client::{Transport as _, TransportError};

use super::*;

fn path(id: &ClusterId) -> String {
    format!("/api/v2/clusters/{id}/upgrade/status")
}

async fn response_with(fault: Fault) -> Response {
    let client = SignedClient::with_defaults();
    client
        .simulator
        .add_fault(Rule::new(fault).on(Action::GetUpgradeStatus));
    client
        .send(Action::GetUpgradeStatus, &path(&client.first()))
        .await
}

#[tokio::test(start_paused = true)]
async fn errors_replace_the_response() {
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
            error_of(&response_with(fault.clone()).await),
            (expected.0, expected.1.to_owned()),
            "{fault:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_after_throttling_is_sent_in_milliseconds() {
    let response = response_with(Fault::Throttled {
        status: 429,
        retry_after: Some(Duration::from_secs(2)),
    })
    .await;
    assert_eq!(response.headers["x-acs-retry-after"], "2000");
}

#[tokio::test(start_paused = true)]
async fn a_denial_has_the_details_of_ram() {
    let body: Value = serde_json::from_slice(&response_with(Fault::Forbidden).await.body).unwrap();
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
async fn faults_change_the_body() {
    let deep = response_with(Fault::DeepNesting).await;
    assert_eq!(deep.body.len(), 400_000);
    let json = |response: &Response| serde_json::from_slice::<Value>(&response.body);
    assert!(json(&response_with(Fault::Malformed).await).is_err());
    assert!(std::str::from_utf8(&response_with(Fault::Garbage).await.body).is_err());
    assert!(
        text(&response_with(Fault::Repeat(RepeatIn::Response)).await)
            .contains("authorization: ACS3-HMAC-SHA256")
    );
    assert!(
        text(&response_with(Fault::Repeat(RepeatIn::Error)).await)
            .contains("authorization: ACS3-HMAC-SHA256")
    );
    assert!(text(&response_with(Fault::HtmlPage).await).starts_with("<html>"));
    assert!(json(&response_with(Fault::WrongTypes).await).unwrap()["status"].is_array());
    assert_eq!(
        json(&response_with(Fault::UnknownValues).await).unwrap()["upgrade_step"],
        "reticulating"
    );
    assert!(text(&response_with(Fault::XmlResponse).await).contains("<GetUpgradeStatusResponse>"));
    assert!(text(&response_with(Fault::XmlError).await).contains("<Error>"));
    assert!(response_with(Fault::EmptyBody).await.body.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_rule_applies_only_to_its_calls_and_as_often_as_it_says() {
    let client = SignedClient::with_defaults();
    let (one, other) = (
        client.first(),
        client.simulator.world().clusters()[1].clone(),
    );
    let rule = Rule::new(Fault::NonceUsed)
        .on(Action::GetUpgradeStatus)
        .cluster(one.clone());
    client.simulator.add_fault(
        rule.region(client.simulator.world().region(&one).unwrap())
            .times(2),
    );
    let code = async |id: &ClusterId| {
        client
            .send(Action::GetUpgradeStatus, &path(id))
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
async fn a_probability_selects_the_same_calls_for_the_same_seed() {
    let outcomes = async || {
        let client = SignedClient::with_defaults();
        client
            .simulator
            .add_fault(Rule::new(Fault::NonceUsed).probability(0.25));
        let mut struck = Vec::new();
        for _ in 0..1000 {
            struck.push(
                client
                    .send(Action::DescribeRegions, "/regions")
                    .await
                    .status
                    == StatusCode::BAD_REQUEST,
            );
        }
        struck
    };
    let one = outcomes().await;
    assert_eq!(one, outcomes().await);
    let share = one.iter().filter(|struck| **struck).count();
    assert!((200..300).contains(&share), "{share}");
}

#[tokio::test(start_paused = true)]
async fn faults_can_be_cleared() {
    let client = SignedClient::with_defaults();
    client.simulator.deny(Action::DescribeRegions);
    assert_eq!(
        client
            .send(Action::DescribeRegions, "/regions")
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    client.simulator.clear_faults();
    client.json(Action::DescribeRegions, "/regions").await;
}

/// The result of a fault for a transport, and the time that it took.
async fn in_process(fault: Fault) -> (Option<Result<usize, TransportError>>, Duration) {
    let client = SignedClient::with_defaults();
    client.simulator.add_fault(Rule::new(fault));
    let request = client.request(Action::GetUpgradeStatus, &path(&client.first()), "n");
    let transport = InProcess(Arc::new(client.simulator));
    let started = tokio::time::Instant::now();
    let outcome = tokio::time::timeout(Duration::from_secs(3600), transport.send(request)).await;
    (
        outcome
            .ok()
            .map(|sent| sent.map(|response| response.body().len())),
        started.elapsed(),
    )
}

#[tokio::test(start_paused = true)]
async fn in_process_a_fault_has_the_error_of_a_connection() {
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
    let (response, took) = in_process(Fault::Slow(Duration::from_secs(7))).await;
    assert!(matches!(response, Some(Ok(_))));
    assert_eq!(took.as_secs(), 7);
    let (response, took) = in_process(Fault::Drip(Duration::from_secs(1))).await;
    assert_eq!(response.unwrap().unwrap() as u64, took.as_secs());
}

#[tokio::test(start_paused = true)]
async fn every_response_takes_the_latency_and_calls_are_concurrent() {
    let client = SignedClient::new(Options {
        latency: Duration::from_millis(50),
        ..Options::default()
    });
    let started = tokio::time::Instant::now();
    let requests: Vec<_> = (0..8)
        .map(|n| client.request(Action::DescribeRegions, "/regions", &n.to_string()))
        .collect();
    let simulator = Arc::new(client.simulator);
    let tasks: Vec<_> = requests
        .into_iter()
        .map(|request| {
            let simulator = Arc::clone(&simulator);
            tokio::spawn(async move { simulator.handle(request).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().status, StatusCode::OK);
    }
    assert_eq!(started.elapsed().as_millis(), 50);
    assert_eq!(simulator.peak_in_flight(), 8);
}
