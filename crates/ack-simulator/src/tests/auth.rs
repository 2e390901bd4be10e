//! The stand-in checks signatures, dates and nonces as the vendor does.

use serde::Deserialize;

use super::*;

fn set(request: &mut Request<Bytes>, name: &'static str, value: &str) {
    request.headers_mut().insert(name, value.parse().unwrap());
}

async fn tampered(scheme: Signature, tamper: impl FnOnce(&mut Request<Bytes>)) -> (u16, String) {
    let client = Client {
        scheme,
        ..Client::usual()
    };
    let mut request = client.request(
        Action::GetUpgradeStatus,
        &format!("/api/v2/clusters/{}/upgrade/status", client.first()),
        "n",
    );
    tamper(&mut request);
    refused(&client.sim.handle(request).await)
}

#[tokio::test(start_paused = true)]
async fn both_signatures_are_accepted() {
    for scheme in [Signature::Acs3, Signature::Roa] {
        let client = Client {
            scheme,
            ..Client::usual()
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
async fn what_was_not_signed_as_sent_is_refused() {
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
async fn what_is_not_signed_at_all_is_incomplete() {
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
async fn a_wrong_secret_is_told_the_string_to_sign_and_not_the_secret() {
    let mut client = Client::usual();
    client.credential.access_key_secret = ack_client::secret::Secret::new("wrong");
    let reply = client.ask(Action::DescribeRegions, "/regions").await;
    assert_eq!(refused(&reply), (400, "SignatureDoesNotMatch".to_owned()));
    assert!(text(&reply).contains("server string to sign is:ACS3-HMAC-SHA256\\n"));
    assert!(!text(&reply).contains(KeyPair::demo().access_key_secret.expose()));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_not_found() {
    let mut client = Client::usual();
    client.credential.access_key_id = "LTAI5tNobody".to_owned();
    let reply = client.ask(Action::DescribeRegions, "/regions").await;
    assert_eq!(
        refused(&reply),
        (404, "InvalidAccessKeyId.NotFound".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_date_a_quarter_of_an_hour_off_is_refused() {
    for scheme in [Signature::Acs3, Signature::Roa] {
        let client = Client {
            scheme,
            ..Client::usual()
        };
        let request = client.request(Action::DescribeRegions, "/regions", "early");
        tokio::time::advance(Duration::from_secs(15 * 60 + 1)).await;
        assert_eq!(
            refused(&client.sim.handle(request).await),
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
async fn a_nonce_is_good_once() {
    let client = Client::usual();
    let again = || client.request(Action::DescribeRegions, "/regions", "same");
    assert_eq!(client.sim.handle(again()).await.status, StatusCode::OK);
    assert_eq!(
        refused(&client.sim.handle(again()).await),
        (400, "SignatureNonceUsed".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_nonce_of_a_bad_signature_stays_good() {
    let client = Client::usual();
    let mut forged = client.request(Action::DescribeRegions, "/regions", "n");
    set(&mut forged, "host", "elsewhere.example");
    assert_eq!(
        client.sim.handle(forged).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        client
            .sim
            .handle(client.request(Action::DescribeRegions, "/regions", "n"))
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_asks_for_no_json_gets_xml() {
    let client = Client::usual();
    let mut request = client.request(Action::DescribeRegions, "/nowhere", "n");
    request.headers_mut().remove("accept");
    let reply = client.sim.handle(request).await;
    assert_eq!(reply.headers["content-type"], "text/xml;charset=utf-8");
    assert!(
        text(&reply).contains("<Error><RequestId>"),
        "{}",
        text(&reply)
    );
    assert!(text(&reply).contains("<Code>InvalidAction.NotFound</Code>"));
}

#[tokio::test(start_paused = true)]
async fn every_reply_has_a_request_id_and_a_date() {
    let client = Client::usual();
    for path in ["/regions", "/nowhere"] {
        let reply = client.ask(Action::DescribeRegions, path).await;
        assert_eq!(reply.headers["x-acs-request-id"].len(), 36);
        assert!(reply.headers["date"].to_str().unwrap().ends_with(" GMT"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_action_that_is_not_that_of_the_path_is_refused() {
    let client = Client::usual();
    let reply = client.ask(Action::DescribeClustersV1, "/regions").await;
    assert_eq!(refused(&reply), (400, "InvalidParameter.Action".to_owned()));
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

/// Both SDKs, both schemes, keys fixed and temporary, queries in each SDK's own spelling.
#[tokio::test(start_paused = true)]
async fn recorded_requests_of_the_sdks_are_accepted() {
    let vectors: Vectors = serde_json::from_str(include_str!(
        "../../../ack-client/tests/data/signatures.json"
    ))
    .expect("the vectors are JSON");
    for recorded in vectors.captured {
        let start = "2026-11-23T08:45:00Z".parse().unwrap();
        let sim = Sim::new(Options {
            start,
            clock_tolerance: Duration::from_secs(86_400),
            ..Options::default()
        });
        let secret = ack_client::secret::Secret::new(&recorded.access_key_secret);
        let expires_at = start.checked_add(SignedDuration::from_hours(48)).unwrap();
        let temporary = recorded
            .security_token
            .map(|token| crate::auth::keys::Temporary {
                token: ack_client::secret::Secret::new(token),
                expires_at,
            });
        sim.keys
            .add(&recorded.access_key_id, Known { secret, temporary });
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
        let reply = sim.handle(request).await;
        let expected = if recorded
            .request
            .target
            .contains("c106f377e16f34eb1808d6b9362c9abcd")
        {
            "ErrorClusterNotFound"
        } else {
            ""
        };
        // The task operations are no exception: a cluster that is not there is what is wrong, not
        // the signature.
        assert_eq!(
            refused(&reply).1,
            expected,
            "{}: {}",
            recorded.label,
            text(&reply)
        );
    }
}

/// The headers of the vendor's old core SDK: no nonce, no action, and a query whose empty value is
/// signed as a bare name.
#[tokio::test(start_paused = true)]
async fn a_request_in_the_manner_of_the_old_sdk_is_accepted() {
    let client = Client::usual();
    let date = crate::world::clock::http_date(client.sim.world().now());
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
            let reply = client.sim.handle(request.body(Bytes::new()).unwrap()).await;
            assert_eq!(reply.status, StatusCode::OK, "{resource}: {}", text(&reply));
            assert!(text(&reply).contains("<DescribeClustersV1Response>"));
        }
    }
}
