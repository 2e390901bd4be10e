//! The metadata service of an instance, and the credentials URI.

use super::identities::{issued, plain};
use super::*;

async fn metadata(client: &SignedClient, path: &str, token: Option<&str>) -> Response {
    let headers: Vec<_> = token
        .into_iter()
        .map(|token| ("x-aliyun-ecs-metadata-token", token))
        .collect();
    client
        .simulator
        .handle(plain(
            "GET",
            &format!("/latest/meta-data/ram/security-credentials/{path}"),
            &headers,
            "",
        ))
        .await
}

async fn session(client: &SignedClient, ttl: &str) -> Response {
    client
        .simulator
        .handle(plain(
            "PUT",
            "/latest/api/token",
            &[("x-aliyun-ecs-metadata-token-ttl-seconds", ttl)],
            "",
        ))
        .await
}

#[tokio::test(start_paused = true)]
async fn the_metadata_service_issues_keys_of_the_instance_role() {
    let mut client = SignedClient::with_defaults();
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
async fn the_metadata_service_serves_the_configured_versions() {
    let client = SignedClient::with_defaults();
    for (versions, put, get) in [
        (MetadataVersions::Both, 200, 200),
        (MetadataVersions::OnlyV1, 404, 200),
        (MetadataVersions::OnlyV2, 200, 403),
        (MetadataVersions::Off, 404, 404),
    ] {
        client
            .simulator
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
async fn the_credentials_uri_issues_keys_with_the_configured_lifetime() {
    let identities = Identities {
        key_lifetime: Some(Duration::from_secs(30)),
        ..Identities::default()
    };
    let mut client = SignedClient::new(Options {
        identities,
        ..Options::default()
    });
    let response = client
        .simulator
        .handle(plain("GET", "/credentials?x=1", &[], ""))
        .await;
    assert!(text(&response).contains("\"Code\":\"Success\""));
    client.credential = issued(&response);
    client.json(Action::DescribeRegions, "/regions").await;
    tokio::time::advance(Duration::from_secs(31)).await;
    let response = client.send(Action::DescribeRegions, "/regions").await;
    assert_eq!(error_of(&response).1, "InvalidSecurityToken.Expired");
}
