//! STS, the metadata service and the credentials URI of the stand-in.

use ack_client::secret::Secret;
use ack_client::sign::acs3;
use ack_client::sign::encode::percent_encode;

use super::*;

const ROLE: &str = "acs:ram::1000000000000001:role/ack-upgrade-exporter";

fn plain(method: &str, path: &str, headers: &[(&'static str, &str)], body: &str) -> Request<Bytes> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", HOST);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .expect("a request")
}

/// An `AssumeRole` under ACS3, its parameters in the query.
fn assume_role(client: &Client, parameters: &[(&str, &str)], nonce: &str) -> Request<Bytes> {
    let query: Vec<_> = parameters
        .iter()
        .map(|(key, value)| (*key, (*value).to_owned()))
        .collect();
    let call = Unsigned {
        method: "POST",
        authority: HOST,
        action: "AssumeRole",
        path: "/",
        query: &query,
        version: crate::identity::sts::VERSION,
        form: None,
    };
    let stamp = Stamp {
        time: client.sim.world().now(),
        nonce: nonce.to_owned(),
    };
    let signed = sign(Signature::Acs3, &call, &client.credential, &stamp).expect("signs");
    let mut request = Request::post(format!("/?{}", canonical_query(&query)))
        .body(Bytes::new())
        .expect("a request");
    *request.headers_mut() = signed.headers;
    request
}

/// The key in a reply of STS, the metadata service or the credentials URI.
fn issued(reply: &Reply) -> Credential {
    let body: Value =
        serde_json::from_slice(&reply.body).unwrap_or_else(|_| panic!("{}", text(reply)));
    let key = body.get("Credentials").unwrap_or(&body);
    let field = |name: &str| {
        key[name]
            .as_str()
            .unwrap_or_else(|| panic!("{name} in {body}"))
            .to_owned()
    };
    Credential {
        access_key_id: field("AccessKeyId"),
        access_key_secret: Secret::new(field("AccessKeySecret")),
        security_token: Some(Secret::new(field("SecurityToken"))),
        expires_at: Some(field("Expiration").parse().expect("a time")),
    }
}

fn form(parameters: &[(&str, &str)]) -> String {
    canonical_query(parameters)
}

fn oidc<'a>(token: &'a str, role: &'a str) -> [(&'a str, &'a str); 7] {
    [
        ("Action", "AssumeRoleWithOIDC"),
        ("Version", "2015-04-01"),
        ("Format", "JSON"),
        (
            "OIDCProviderArn",
            "acs:ram::1000000000000001:oidc-provider/ack-rrsa-c1",
        ),
        ("OIDCToken", token),
        ("RoleArn", role),
        ("RoleSessionName", "ack-upgrade-exporter"),
    ]
}

async fn with_oidc(client: &Client, token: &str, role: &str) -> Reply {
    client
        .sim
        .handle(plain("POST", "/", &[], &form(&oidc(token, role))))
        .await
}

#[tokio::test(start_paused = true)]
async fn an_assumed_role_may_call_until_its_key_runs_out() {
    let mut client = Client::usual();
    let parameters = [
        ("RoleArn", ROLE),
        ("RoleSessionName", "a-b"),
        ("DurationSeconds", "900"),
    ];
    client.credential = issued(
        &client
            .sim
            .handle(assume_role(&client, &parameters, "n1"))
            .await,
    );
    let lifetime = client
        .credential
        .expires_at
        .unwrap()
        .duration_since(client.sim.world().now());
    assert!((899..=900).contains(&lifetime.as_secs()), "{lifetime}");
    client.json(Action::DescribeRegions, "/regions").await;
    tokio::time::advance(Duration::from_secs(901)).await;
    let reply = client.ask(Action::DescribeRegions, "/regions").await;
    assert_eq!(
        refused(&reply),
        (400, "InvalidSecurityToken.Expired".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn temporary_keys_can_be_ended_at_once() {
    let mut client = Client::usual();
    client.credential = issued(&with_oidc(&client, "demo-oidc-token", ROLE).await);
    client.json(Action::DescribeRegions, "/regions").await;
    client.sim.expire_temporary_keys();
    let reply = client.ask(Action::DescribeRegions, "/regions").await;
    assert_eq!(
        refused(&reply),
        (400, "InvalidSecurityToken.Expired".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_belongs_to_its_key() {
    let mut client = Client::usual();
    let (one, other) = (
        issued(&with_oidc(&client, "demo-oidc-token", ROLE).await),
        issued(&with_oidc(&client, "demo-oidc-token", ROLE).await),
    );
    assert_ne!(one.access_key_id, other.access_key_id);
    let code =
        async |client: &Client| refused(&client.ask(Action::DescribeRegions, "/regions").await).1;
    client.credential = Credential {
        security_token: other.security_token,
        ..one.clone()
    };
    assert_eq!(
        code(&client).await,
        "InvalidSecurityToken.MismatchWithAccessKey"
    );
    client.credential = Credential {
        security_token: None,
        ..one.clone()
    };
    assert_eq!(code(&client).await, "MissingSecurityToken");
    client.credential = Credential {
        security_token: one.security_token,
        ..demo()
    };
    assert_eq!(
        code(&client).await,
        "InvalidSecurityToken.MismatchWithAccessKey"
    );
}

#[tokio::test(start_paused = true)]
async fn an_oidc_token_is_taken_from_form_or_query_and_must_be_the_right_one() {
    let client = Client::usual();
    assert_eq!(
        with_oidc(&client, "demo-oidc-token", ROLE).await.status,
        StatusCode::OK
    );
    let query = plain(
        "GET",
        &format!("/?{}", form(&oidc("demo-oidc-token", ROLE))),
        &[],
        "",
    );
    assert_eq!(client.sim.handle(query).await.status, StatusCode::OK);
    client
        .sim
        .change_identities(|identities| identities.oidc_token = "rotated".to_owned());
    let code = refused(&with_oidc(&client, "demo-oidc-token", ROLE).await);
    assert_eq!(
        code,
        (400, "AuthenticationFail.OIDCToken.Invalid".to_owned())
    );
    assert_eq!(
        refused(&with_oidc(&client, "rotated", "acs:ram::1:role/other").await).1,
        "EntityNotExist.Role"
    );
    assert_eq!(client.sim.count(Action::AssumeRoleWithOidc), 4);
}

#[tokio::test(start_paused = true)]
async fn a_role_asks_for_its_external_id() {
    let client = Client::usual();
    client
        .sim
        .change_identities(|identities| identities.external_id = Some("abc".to_owned()));
    let asked = [("RoleArn", ROLE), ("RoleSessionName", "s1")];
    let without = client.sim.handle(assume_role(&client, &asked, "n1")).await;
    assert_eq!(refused(&without), (403, "NoPermission".to_owned()));
    let with = [
        ("RoleArn", ROLE),
        ("RoleSessionName", "s1"),
        ("ExternalId", "abc"),
    ];
    assert_eq!(
        client
            .sim
            .handle(assume_role(&client, &with, "n2"))
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test(start_paused = true)]
async fn parameters_outside_the_rules_are_refused() {
    let client = Client::usual();
    for (parameters, expected) in [
        (vec![("RoleSessionName", "s1")], "MissingParameter.RoleArn"),
        (vec![("RoleArn", ROLE)], "MissingParameter.RoleSessionName"),
        (
            vec![("RoleArn", ROLE), ("RoleSessionName", "a b")],
            "InvalidParameter.RoleSessionName",
        ),
        (
            vec![
                ("RoleArn", ROLE),
                ("RoleSessionName", "s1"),
                ("DurationSeconds", "899"),
            ],
            "InvalidParameter.DurationSeconds",
        ),
    ] {
        let reply = client
            .sim
            .handle(assume_role(&client, &parameters, expected))
            .await;
        assert_eq!(refused(&reply), (400, expected.to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn an_unsigned_assume_role_is_refused() {
    let client = Client::usual();
    let reply = client
        .sim
        .handle(plain("GET", "/?Action=AssumeRole&Format=JSON", &[], ""))
        .await;
    assert_eq!(refused(&reply), (400, "IncompleteSignature".to_owned()));
}

/// The signature among the parameters, computed from the vendor's description and not by the code
/// under test.
fn rpc_signed(client: &Client, secret: &str) -> Request<Bytes> {
    let time = crate::world::clock::utc(client.sim.world().now());
    let key = client.credential.access_key_id.as_str();
    let mut query = vec![
        ("AccessKeyId", key),
        ("Action", "AssumeRole"),
        ("Format", "JSON"),
        ("RoleArn", ROLE),
        ("RoleSessionName", "s1"),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureNonce", "n1"),
        ("SignatureVersion", "1.0"),
        ("Timestamp", &time),
        ("Version", "2015-04-01"),
    ];
    let mut to_sign = "GET&%2F&".to_owned();
    percent_encode(&mut to_sign, &form(&query));
    let signature = ack_client::sign::roa::signature(&Secret::new(format!("{secret}&")), &to_sign);
    query.push(("Signature", &signature));
    plain("GET", &format!("/?{}", form(&query)), &[], "")
}

#[tokio::test(start_paused = true)]
async fn the_signature_of_the_credential_sdks_is_checked_too() {
    let client = Client::usual();
    let secret = KeyPair::demo().access_key_secret.expose().to_owned();
    assert_eq!(
        refused(&client.sim.handle(rpc_signed(&client, "wrong")).await).1,
        "SignatureDoesNotMatch"
    );
    issued(&client.sim.handle(rpc_signed(&client, &secret)).await);
    assert_eq!(
        refused(&client.sim.handle(rpc_signed(&client, &secret)).await).1,
        "SignatureNonceUsed"
    );
}

async fn metadata(client: &Client, path: &str, token: Option<&str>) -> Reply {
    let headers: Vec<_> = token
        .into_iter()
        .map(|token| ("x-aliyun-ecs-metadata-token", token))
        .collect();
    client
        .sim
        .handle(plain(
            "GET",
            &format!("/latest/meta-data/ram/security-credentials/{path}"),
            &headers,
            "",
        ))
        .await
}

async fn session(client: &Client, ttl: &str) -> Reply {
    client
        .sim
        .handle(plain(
            "PUT",
            "/latest/api/token",
            &[("x-aliyun-ecs-metadata-token-ttl-seconds", ttl)],
            "",
        ))
        .await
}

#[tokio::test(start_paused = true)]
async fn the_metadata_service_hands_out_keys_of_the_instance() {
    let mut client = Client::usual();
    let token = text(&session(&client, "60").await);
    let role = text(&metadata(&client, "", Some(&token)).await);
    assert_eq!(role, "ack-upgrade-exporter");
    client.credential = issued(&metadata(&client, &role, Some(&token)).await);
    client.json(Action::DescribeRegions, "/regions").await;
    assert_eq!(
        metadata(&client, "another", Some(&token)).await.status,
        StatusCode::NOT_FOUND
    );
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(
        metadata(&client, "", Some(&token)).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        metadata(&client, "", Some("forged")).await.status,
        StatusCode::UNAUTHORIZED
    );
    for ttl in ["0", "21601", "x"] {
        assert_eq!(
            session(&client, ttl).await.status,
            StatusCode::BAD_REQUEST,
            "{ttl}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_metadata_service_speaks_the_versions_that_it_is_told_to() {
    let client = Client::usual();
    for (versions, put, get) in [
        (MetadataVersions::Both, 200, 200),
        (MetadataVersions::OnlyV1, 404, 200),
        (MetadataVersions::OnlyV2, 200, 403),
        (MetadataVersions::Off, 404, 404),
    ] {
        client
            .sim
            .change_identities(|identities| identities.metadata = versions);
        assert_eq!(
            session(&client, "60").await.status.as_u16(),
            put,
            "{versions:?}"
        );
        assert_eq!(
            metadata(&client, "", None).await.status.as_u16(),
            get,
            "{versions:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_credentials_uri_hands_out_keys_that_last_as_long_as_configured() {
    let identities = Identities {
        key_lifetime: Some(Duration::from_secs(30)),
        ..Identities::default()
    };
    let mut client = Client::new(Options {
        identities,
        ..Options::default()
    });
    let reply = client
        .sim
        .handle(plain("GET", "/credentials?x=1", &[], ""))
        .await;
    assert!(text(&reply).contains("\"Code\":\"Success\""));
    client.credential = issued(&reply);
    client.json(Action::DescribeRegions, "/regions").await;
    tokio::time::advance(Duration::from_secs(31)).await;
    let reply = client.ask(Action::DescribeRegions, "/regions").await;
    assert_eq!(refused(&reply).1, "InvalidSecurityToken.Expired");
}

#[tokio::test(start_paused = true)]
async fn a_denial_of_an_assumed_role_says_so() {
    let mut client = Client::usual();
    client.credential = issued(&with_oidc(&client, "demo-oidc-token", ROLE).await);
    client.sim.deny(Action::DescribeRegions);
    let reply = client.ask(Action::DescribeRegions, "/regions").await;
    assert!(text(&reply).contains("STSToken policy Forbidden for action cs:DescribeRegions"));
}

#[tokio::test(start_paused = true)]
async fn the_body_of_a_form_is_under_the_signature() {
    let client = Client::usual();
    let mut request = assume_role(
        &client,
        &[("RoleArn", ROLE), ("RoleSessionName", "s1")],
        "n",
    );
    assert_eq!(
        request.headers()["x-acs-content-sha256"],
        acs3::EMPTY_SHA256
    );
    *request.body_mut() = Bytes::from_static(b"DurationSeconds=43200");
    assert_eq!(
        refused(&client.sim.handle(request).await).1,
        "SignatureDoesNotMatch"
    );
}
