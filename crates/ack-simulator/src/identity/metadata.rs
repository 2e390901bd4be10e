//! The metadata service of an ECS instance, and the credentials URI.

use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;

use crate::Simulator;
use crate::error_response::json;
use crate::identity::{DEFAULT_LIFETIME, IssuedCredentials, MetadataVersions};
use crate::random::mix;
use crate::request::ReceivedRequest;
use crate::response::Response;
use crate::world::clock::utc;

/// The longest lifetime of a session token, in seconds.
const MAX_TTL: i64 = 21_600;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CredentialsBody {
    code: &'static str,
    last_updated: String,
    #[serde(flatten)]
    credentials: IssuedCredentials,
}

/// `PUT /latest/api/token`: a session token.
pub(crate) fn session_token(
    simulator: &Simulator,
    request: &ReceivedRequest,
    now: Timestamp,
) -> Response {
    if matches!(
        versions(simulator),
        MetadataVersions::OnlyV1 | MetadataVersions::Off
    ) {
        return error_page(StatusCode::NOT_FOUND);
    }
    let ttl = request
        .header("x-aliyun-ecs-metadata-token-ttl-seconds")
        .and_then(|ttl| ttl.parse().ok());
    match ttl.filter(|ttl| (1..=MAX_TTL).contains(ttl)) {
        Some(ttl) => Response::new(
            StatusCode::OK,
            "text/plain",
            token_until(simulator, now.as_second() + ttl),
        ),
        None => error_page(StatusCode::BAD_REQUEST),
    }
}

/// The name of the instance's role.
pub(crate) fn role(simulator: &Simulator, request: &ReceivedRequest, now: Timestamp) -> Response {
    match check_session(simulator, request, now) {
        Ok(()) => Response::new(
            StatusCode::OK,
            "text/plain",
            simulator.with_identities(|identities| identities.instance_role.clone()),
        ),
        Err(status) => error_page(status),
    }
}

/// The credentials of the instance's role.
pub(crate) fn credentials(
    simulator: &Simulator,
    request: &ReceivedRequest,
    role: &str,
    now: Timestamp,
) -> Response {
    match check_session(simulator, request, now) {
        Ok(()) if simulator.with_identities(|identities| identities.instance_role == role) => {
            credentials_uri(simulator, now)
        }
        Ok(()) => error_page(StatusCode::NOT_FOUND),
        Err(status) => error_page(status),
    }
}

/// The response of the credentials URI: the same credentials, without a session.
pub(crate) fn credentials_uri(simulator: &Simulator, now: Timestamp) -> Response {
    let body = CredentialsBody {
        code: "Success",
        last_updated: utc(now),
        credentials: simulator.issue(DEFAULT_LIFETIME, now),
    };
    Response::new(StatusCode::OK, "application/json", json(&body))
}

fn check_session(
    simulator: &Simulator,
    request: &ReceivedRequest,
    now: Timestamp,
) -> Result<(), StatusCode> {
    let token = request.header("x-aliyun-ecs-metadata-token");
    match (versions(simulator), token) {
        (MetadataVersions::Off, _) => Err(StatusCode::NOT_FOUND),
        (MetadataVersions::OnlyV2, None) => Err(StatusCode::FORBIDDEN),
        (MetadataVersions::Both | MetadataVersions::OnlyV1, None)
        | (MetadataVersions::OnlyV1, Some(_)) => Ok(()),
        (MetadataVersions::Both | MetadataVersions::OnlyV2, Some(token)) => {
            if is_valid(simulator, token, now) {
                Ok(())
            } else {
                Err(StatusCode::UNAUTHORIZED)
            }
        }
    }
}

fn versions(simulator: &Simulator) -> MetadataVersions {
    simulator.with_identities(|identities| identities.metadata)
}

/// A token that contains its expiry and a checksum, so that none needs to be stored.
fn token_until(simulator: &Simulator, expiry: i64) -> String {
    let checksum = mix(&[simulator.seed, 90, expiry.unsigned_abs()]);
    format!("{expiry:x}.{checksum:016x}")
}

fn is_valid(simulator: &Simulator, token: &str, now: Timestamp) -> bool {
    let expiry = token
        .split('.')
        .next()
        .and_then(|expiry| i64::from_str_radix(expiry, 16).ok());
    expiry.is_some_and(|expiry| expiry > now.as_second() && token_until(simulator, expiry) == token)
}

fn error_page(status: StatusCode) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    Response::new(
        status,
        "text/html",
        format!("<html><head><title>{status}</title></head><body><h1>{title}</h1></body></html>"),
    )
}
