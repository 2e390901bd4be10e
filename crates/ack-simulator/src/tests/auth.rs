//! Signatures, dates and nonces are checked like by the API.

use serde::Deserialize;

use crate::auth::keys::{SessionToken, StoredKey};

use super::*;

fn set(request: &mut Request<Bytes>, name: &'static str, value: &str) {
    request.headers_mut().insert(name, value.parse().unwrap());
}

async fn tampered(scheme: Signature, tamper: impl FnOnce(&mut Request<Bytes>)) -> (u16, String) {
    let client = SignedClient {
        scheme,
        ..SignedClient::with_defaults()
    };
    let mut request = client.request(
        Action::GetUpgradeStatus,
        &format!("/api/v2/clusters/{}/upgrade/status", client.first()),
        "n",
    );
    tamper(&mut request);
    error_of(&client.simulator.handle(request).await)
}

#[tokio::test(start_paused = true)]
async fn both_signatures_are_accepted() {
    for scheme in [Signature::Acs3, Signature::Roa] {
        let client = SignedClient {
            scheme,
            ..SignedClient::with_defaults()
        };
        client
            .json(
                Action::DescribeClustersV1,
                "/api/v1/clusters?name=a+b%2Fc&page_size=2",
            )
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_request_does_not_match_its_signature() {
    let mismatch = (400, "SignatureDoesNotMatch".to_owned());
    for scheme in [Signature::Acs3, Signature::Roa] {
        assert_eq!(
            tampered(scheme, |request| *request.uri_mut() =
                "/api/v1/clusters".parse().unwrap())
            .await,
            mismatch
        );
        assert_eq!(
            tampered(scheme, |request| set(
                request,
                "x-acs-signature-nonce",
                "other"
            ))
            .await,
            mismatch
        );
    }
    assert_eq!(
        tampered(Signature::Acs3, |request| set(
            request,
            "host",
            "elsewhere.example"
        ))
        .await,
        mismatch
    );
    assert_eq!(
        tampered(Signature::Acs3, |request| *request.body_mut() =
            Bytes::from_static(b"x"))
        .await,
        mismatch
    );
    assert_eq!(
        tampered(Signature::Roa, |request| set(
            request,
            "accept",
            "application/json, x"
        ))
        .await,
        mismatch
    );
}

#[tokio::test(start_paused = true)]
async fn a_header_that_must_be_signed_and_is_not_is_an_error() {
    let incomplete = (400, "IncompleteSignature".to_owned());
    assert_eq!(
        tampered(Signature::Acs3, |request| set(request, "x-acs-extra", "1")).await,
        incomplete
    );
    for scheme in [Signature::Acs3, Signature::Roa] {
        for name in ["authorization", "x-acs-version"] {
            let without = tampered(scheme, |request| drop(request.headers_mut().remove(name)));
            assert_eq!(without.await, incomplete, "{name}");
        }
    }
    for name in [
        "x-acs-signature-nonce",
        "x-acs-date",
        "x-acs-content-sha256",
        "host",
    ] {
        assert_eq!(
            tampered(Signature::Acs3, |request| drop(
                request.headers_mut().remove(name)
            ))
            .await,
            incomplete,
            "{name}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_error_for_a_wrong_secret_has_the_string_to_sign_and_not_the_secret() {
    let mut client = SignedClient::with_defaults();
    client.credential.access_key_secret = ack_client::secret::Secret::new("wrong");
    let response = client.send(Action::DescribeRegions, "/regions").await;
    assert_eq!(
        error_of(&response),
        (400, "SignatureDoesNotMatch".to_owned())
    );
    assert!(text(&response).contains("server string to sign is:ACS3-HMAC-SHA256\\n"));
    assert!(!text(&response).contains(KeyPair::demo().access_key_secret.expose()));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_not_found() {
    let mut client = SignedClient::with_defaults();
    client.credential.access_key_id = "LTAI5tNobody".to_owned();
    let response = client.send(Action::DescribeRegions, "/regions").await;
    assert_eq!(
        error_of(&response),
        (404, "InvalidAccessKeyId.NotFound".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_date_more_than_15_minutes_off_is_an_error() {
    for scheme in [Signature::Acs3, Signature::Roa] {
        let client = SignedClient {
            scheme,
            ..SignedClient::with_defaults()
        };
        let request = client.request(Action::DescribeRegions, "/regions", "early");
        tokio::time::advance(Duration::from_secs(15 * 60 + 1)).await;
        assert_eq!(
            error_of(&client.simulator.handle(request).await),
            (400, "InvalidTimeStamp.Expired".to_owned())
        );
        client.json(Action::DescribeRegions, "/regions").await;
    }
    let format = tampered(Signature::Acs3, |request| {
        set(request, "x-acs-date", "yesterday");
    })
    .await;
    assert_eq!(format, (400, "InvalidTimeStamp.Format".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_nonce_is_accepted_once() {
    let client = SignedClient::with_defaults();
    let again = || client.request(Action::DescribeRegions, "/regions", "same");
    assert_eq!(
        client.simulator.handle(again()).await.status,
        StatusCode::OK
    );
    assert_eq!(
        error_of(&client.simulator.handle(again()).await),
        (400, "SignatureNonceUsed".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_nonce_of_an_invalid_signature_is_not_used_up() {
    let client = SignedClient::with_defaults();
    let mut forged = client.request(Action::DescribeRegions, "/regions", "n");
    set(&mut forged, "host", "elsewhere.example");
    assert_eq!(
        client.simulator.handle(forged).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        client
            .simulator
            .handle(client.request(Action::DescribeRegions, "/regions", "n"))
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_accept_json_gets_errors_in_xml() {
    let client = SignedClient::with_defaults();
    let mut request = client.request(Action::DescribeRegions, "/nowhere", "n");
    request.headers_mut().remove("accept");
    let response = client.simulator.handle(request).await;
    assert_eq!(response.headers["content-type"], "text/xml;charset=utf-8");
    assert!(
        text(&response).contains("<Error><RequestId>"),
        "{}",
        text(&response)
    );
    assert!(text(&response).contains("<Code>InvalidAction.NotFound</Code>"));
}

#[tokio::test(start_paused = true)]
async fn every_response_has_a_request_id_and_a_date() {
    let client = SignedClient::with_defaults();
    for path in ["/regions", "/nowhere"] {
        let response = client.send(Action::DescribeRegions, path).await;
        assert_eq!(response.headers["x-acs-request-id"].len(), 36);
        assert!(response.headers["date"].to_str().unwrap().ends_with(" GMT"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_action_that_differs_from_the_path_is_an_error() {
    let client = SignedClient::with_defaults();
    let response = client.send(Action::DescribeClustersV1, "/regions").await;
    assert_eq!(
        error_of(&response),
        (400, "InvalidParameter.Action".to_owned())
    );
}

#[derive(Deserialize)]
struct Vectors {
    captured: Vec<Recorded>,
}

#[derive(Deserialize)]
struct Recorded {
    label: String,
    access_key_id: String,
    access_key_secret: String,
    security_token: Option<String>,
    request: Wire,
}

#[derive(Deserialize)]
struct Wire {
    target: String,
    headers: Vec<(String, String)>,
}

/// Both SDKs, both schemes, keys fixed and session, queries in each SDK's own spelling.
#[tokio::test(start_paused = true)]
async fn recorded_requests_of_the_sdks_are_accepted() {
    let vectors: Vectors = serde_json::from_str(include_str!(
        "../../../ack-client/tests/data/signatures.json"
    ))
    .expect("the vectors are JSON");
    for recorded in vectors.captured {
        let start = "2026-11-23T08:45:00Z".parse().unwrap();
        let simulator = Simulator::new(Options {
            start,
            clock_tolerance: Duration::from_secs(86_400),
            ..Options::default()
        });
        let secret = ack_client::secret::Secret::new(&recorded.access_key_secret);
        let expires_at = start
            .checked_add(jiff::SignedDuration::from_hours(48))
            .unwrap();
        let session = recorded.security_token.map(|token| SessionToken {
            token: ack_client::secret::Secret::new(token),
            expires_at,
        });
        simulator
            .keys
            .add(&recorded.access_key_id, StoredKey { secret, session });
        let mut headers = HeaderMap::new();
        for (name, value) in &recorded.request.headers {
            headers.append(
                http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                value.parse().unwrap(),
            );
        }
        let mut request = Request::get(&recorded.request.target)
            .body(Bytes::new())
            .unwrap();
        *request.headers_mut() = headers;
        let response = simulator.handle(request).await;
        let expected = if recorded
            .request
            .target
            .contains("c106f377e16f34eb1808d6b9362c9abcd")
        {
            "ErrorClusterNotFound"
        } else {
            ""
        };
        // The signature is valid if the missing cluster is the only error.
        assert_eq!(
            error_of(&response).1,
            expected,
            "{}: {}",
            recorded.label,
            text(&response)
        );
    }
}

/// The old core SDK sends neither nonce nor action, and signs an empty value of the query as a bare
/// name.
#[tokio::test(start_paused = true)]
async fn a_request_of_the_old_core_sdk_is_accepted() {
    let client = SignedClient::with_defaults();
    let date = crate::world::clock::http_date(client.simulator.world().now());
    let fixed = [("accept", "application/octet-stream"), ("date", &date)];
    let acs = [
        ("x-acs-region-id", "cn-hangzhou"),
        ("x-acs-signature-method", "HMAC-SHA1"),
        ("x-acs-signature-version", "1.0"),
    ];
    let headers: Vec<_> = fixed
        .into_iter()
        .chain(acs)
        .chain([("x-acs-version", CS_VERSION)])
        .collect();
    for resource in [
        "/api/v1/clusters?RegionId=cn-hangzhou&name",
        "/api/v1/clusters?RegionId=cn-hangzhou&name=",
    ] {
        let head = format!("GET\napplication/octet-stream\n\n\n{date}\n");
        let signed: Vec<_> = headers
            .iter()
            .skip(2)
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let signed = signed.concat();
        let to_sign = format!("{head}{signed}{resource}");
        let signature = ack_client::sign::roa::signature(&demo().access_key_secret, &to_sign);
        let authorization = ack_client::sign::roa::authorization(&demo().access_key_id, &signature);
        for _ in 0..2 {
            let mut request = Request::get(resource).header("authorization", &authorization);
            for (name, value) in &headers {
                request = request.header(*name, *value);
            }
            let response = client
                .simulator
                .handle(request.body(Bytes::new()).unwrap())
                .await;
            assert_eq!(
                response.status,
                StatusCode::OK,
                "{resource}: {}",
                text(&response)
            );
            assert!(text(&response).contains("<DescribeClustersV1Response>"));
        }
    }
}
