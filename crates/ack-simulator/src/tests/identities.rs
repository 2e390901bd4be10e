//! STS, the metadata service and the credentials URI.

use ack_client::secret::Secret;
use ack_client::sign::acs3;
use ack_client::sign::encode::percent_encode;

use super::*;

const ROLE: &str = "acs:ram::1000000000000001:role/ack-upgrade-exporter";

pub(super) fn plain(
    method: &str,
    path: &str,
    headers: &[(&'static str, &str)],
    body: &str,
) -> Request<Bytes> {
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
fn assume_role(client: &SignedClient, parameters: &[(&str, &str)], nonce: &str) -> Request<Bytes> {
    let query: Vec<_> = parameters
        .iter()
        .map(|(key, value)| (*key, (*value).to_owned()))
        .collect();
    let call = UnsignedRequest {
        method: "POST",
        authority: HOST,
        action: "AssumeRole",
        path: "/",
        query: &query,
        version: crate::identity::sts::VERSION,
        form: None,
    };
    let stamp = Stamp {
        time: client.simulator.world().now(),
        nonce: nonce.to_owned(),
    };
    let signed = sign(Signature::Acs3, &call, &client.credential, &stamp).expect("signs");
    let mut request = Request::post(format!("/?{}", canonical_query(&query)))
        .body(Bytes::new())
        .expect("a request");
    *request.headers_mut() = signed.headers;
    request
}

/// The credentials in a response of STS, the metadata service or the credentials URI.
pub(super) fn issued(response: &Response) -> Credential {
    let body: Value =
        serde_json::from_slice(&response.body).unwrap_or_else(|_| panic!("{}", text(response)));
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

async fn with_oidc(client: &SignedClient, token: &str, role: &str) -> Response {
    client
        .simulator
        .handle(plain("POST", "/", &[], &form(&oidc(token, role))))
        .await
}

#[tokio::test(start_paused = true)]
async fn an_assumed_role_can_call_until_its_key_expires() {
    let mut client = SignedClient::with_defaults();
    let parameters = [
        ("RoleArn", ROLE),
        ("RoleSessionName", "a-b"),
        ("DurationSeconds", "900"),
    ];
    client.credential = issued(
        &client
            .simulator
            .handle(assume_role(&client, &parameters, "n1"))
            .await,
    );
    let lifetime = client
        .credential
        .expires_at
        .unwrap()
        .duration_since(client.simulator.world().now());
    assert!((899..=900).contains(&lifetime.as_secs()), "{lifetime}");
    client.json(Action::DescribeRegions, "/regions").await;
    tokio::time::advance(Duration::from_secs(901)).await;
    let response = client.send(Action::DescribeRegions, "/regions").await;
    assert_eq!(
        error_of(&response),
        (400, "InvalidSecurityToken.Expired".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn temporary_keys_can_be_expired_at_once() {
    let mut client = SignedClient::with_defaults();
    client.credential = issued(&with_oidc(&client, "demo-oidc-token", ROLE).await);
    client.json(Action::DescribeRegions, "/regions").await;
    client.simulator.expire_temporary_keys();
    let response = client.send(Action::DescribeRegions, "/regions").await;
    assert_eq!(
        error_of(&response),
        (400, "InvalidSecurityToken.Expired".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_of_another_key_is_an_error() {
    let mut client = SignedClient::with_defaults();
    let (one, other) = (
        issued(&with_oidc(&client, "demo-oidc-token", ROLE).await),
        issued(&with_oidc(&client, "demo-oidc-token", ROLE).await),
    );
    assert_ne!(one.access_key_id, other.access_key_id);
    let code = async |client: &SignedClient| {
        error_of(&client.send(Action::DescribeRegions, "/regions").await).1
    };
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
async fn an_oidc_token_is_read_from_form_or_query_and_compared() {
    let client = SignedClient::with_defaults();
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
    assert_eq!(client.simulator.handle(query).await.status, StatusCode::OK);
    client
        .simulator
        .change_identities(|identities| identities.oidc_token = "rotated".to_owned());
    let code = error_of(&with_oidc(&client, "demo-oidc-token", ROLE).await);
    assert_eq!(
        code,
        (400, "AuthenticationFail.OIDCToken.Invalid".to_owned())
    );
    assert_eq!(
        error_of(&with_oidc(&client, "rotated", "acs:ram::1:role/other").await).1,
        "EntityNotExist.Role"
    );
    assert_eq!(client.simulator.count(Action::AssumeRoleWithOidc), 4);
}

#[tokio::test(start_paused = true)]
async fn a_role_requires_its_external_id() {
    let client = SignedClient::with_defaults();
    client
        .simulator
        .change_identities(|identities| identities.external_id = Some("abc".to_owned()));
    let asked = [("RoleArn", ROLE), ("RoleSessionName", "s1")];
    let without = client
        .simulator
        .handle(assume_role(&client, &asked, "n1"))
        .await;
    assert_eq!(error_of(&without), (403, "NoPermission".to_owned()));
    let with = [
        ("RoleArn", ROLE),
        ("RoleSessionName", "s1"),
        ("ExternalId", "abc"),
    ];
    assert_eq!(
        client
            .simulator
            .handle(assume_role(&client, &with, "n2"))
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test(start_paused = true)]
async fn invalid_parameters_are_errors() {
    let client = SignedClient::with_defaults();
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
        let response = client
            .simulator
            .handle(assume_role(&client, &parameters, expected))
            .await;
        assert_eq!(error_of(&response), (400, expected.to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn an_unsigned_assume_role_is_an_error() {
    let client = SignedClient::with_defaults();
    let response = client
        .simulator
        .handle(plain("GET", "/?Action=AssumeRole&Format=JSON", &[], ""))
        .await;
    assert_eq!(error_of(&response), (400, "IncompleteSignature".to_owned()));
}

/// A signature in the parameters, computed from Alibaba Cloud's description and not by the code
/// under test.
fn rpc_signed(client: &SignedClient, secret: &str) -> Request<Bytes> {
    let time = crate::world::clock::utc(client.simulator.world().now());
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
async fn the_signature_of_the_credential_sdks_is_checked() {
    let client = SignedClient::with_defaults();
    let secret = KeyPair::demo().access_key_secret.expose().to_owned();
    assert_eq!(
        error_of(&client.simulator.handle(rpc_signed(&client, "wrong")).await).1,
        "SignatureDoesNotMatch"
    );
    issued(&client.simulator.handle(rpc_signed(&client, &secret)).await);
    assert_eq!(
        error_of(&client.simulator.handle(rpc_signed(&client, &secret)).await).1,
        "SignatureNonceUsed"
    );
}

#[tokio::test(start_paused = true)]
async fn a_denial_names_the_assumed_role() {
    let mut client = SignedClient::with_defaults();
    client.credential = issued(&with_oidc(&client, "demo-oidc-token", ROLE).await);
    client.simulator.deny(Action::DescribeRegions);
    let response = client.send(Action::DescribeRegions, "/regions").await;
    assert!(text(&response).contains("STSToken policy Forbidden for action cs:DescribeRegions"));
}

#[tokio::test(start_paused = true)]
async fn the_body_of_a_form_is_signed() {
    let client = SignedClient::with_defaults();
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
        error_of(&client.simulator.handle(request).await).1,
        "SignatureDoesNotMatch"
    );
}
