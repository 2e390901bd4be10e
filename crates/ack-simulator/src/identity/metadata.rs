//! The metadata service of an instance, and the credentials URI.

use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;

use crate::Sim;
use crate::error_response::json;
use crate::identity::{IssuedKey, MetadataVersions, USUAL_LIFETIME};
use crate::random::mix;
use crate::request::Received;
use crate::response::Reply;
use crate::world::clock::utc;

/// The longest life of a session token, in seconds.
const MAX_TTL: i64 = 21_600;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    code: &'static str,
    last_updated: String,
    #[serde(flatten)]
    key: IssuedKey,
}

/// `PUT /latest/api/token`: a session token, which holds the time of its end and needs no memory.
pub(crate) fn session_token(sim: &Sim, received: &Received, now: Timestamp) -> Reply {
    if matches!(
        versions(sim),
        MetadataVersions::OnlyV1 | MetadataVersions::Off
    ) {
        return refusal(StatusCode::NOT_FOUND);
    }
    let ttl = received
        .header("x-aliyun-ecs-metadata-token-ttl-seconds")
        .and_then(|ttl| ttl.parse().ok());
    match ttl.filter(|ttl| (1..=MAX_TTL).contains(ttl)) {
        Some(ttl) => Reply::new(
            StatusCode::OK,
            "text/plain",
            token_until(sim, now.as_second() + ttl),
        ),
        None => refusal(StatusCode::BAD_REQUEST),
    }
}

/// The name of the instance's role.
pub(crate) fn role(sim: &Sim, received: &Received, now: Timestamp) -> Reply {
    if let Err(status) = admit(sim, received, now) {
        return refusal(status);
    }
    Reply::new(
        StatusCode::OK,
        "text/plain",
        sim.with_identities(|identities| identities.instance_role.clone()),
    )
}

/// The credentials of the instance's role.
pub(crate) fn credentials(sim: &Sim, received: &Received, role: &str, now: Timestamp) -> Reply {
    match admit(sim, received, now) {
        Ok(()) if sim.with_identities(|identities| identities.instance_role == role) => {
            credentials_uri(sim, now)
        }
        Ok(()) => refusal(StatusCode::NOT_FOUND),
        Err(status) => refusal(status),
    }
}

/// The same credentials for whoever asks.
pub(crate) fn credentials_uri(sim: &Sim, now: Timestamp) -> Reply {
    let credentials = Credentials {
        code: "Success",
        last_updated: utc(now),
        key: sim.issue(USUAL_LIFETIME, now),
    };
    Reply::new(StatusCode::OK, "application/json", json(&credentials))
}

fn admit(sim: &Sim, received: &Received, now: Timestamp) -> Result<(), StatusCode> {
    let token = received.header("x-aliyun-ecs-metadata-token");
    match (versions(sim), token) {
        (MetadataVersions::Off, _) => Err(StatusCode::NOT_FOUND),
        (MetadataVersions::OnlyV2, None) => Err(StatusCode::FORBIDDEN),
        (MetadataVersions::Both | MetadataVersions::OnlyV1, None)
        | (MetadataVersions::OnlyV1, Some(_)) => Ok(()),
        (MetadataVersions::Both | MetadataVersions::OnlyV2, Some(token)) => {
            if is_good(sim, token, now) {
                Ok(())
            } else {
                Err(StatusCode::UNAUTHORIZED)
            }
        }
    }
}

fn versions(sim: &Sim) -> MetadataVersions {
    sim.with_identities(|identities| identities.metadata)
}

fn token_until(sim: &Sim, end: i64) -> String {
    format!("{end:x}.{:016x}", mix(&[sim.seed, 90, end.unsigned_abs()]))
}

fn is_good(sim: &Sim, token: &str, now: Timestamp) -> bool {
    let end = token
        .split('.')
        .next()
        .and_then(|end| i64::from_str_radix(end, 16).ok());
    end.is_some_and(|end| end > now.as_second() && token_until(sim, end) == token)
}

fn refusal(status: StatusCode) -> Reply {
    let title = status.canonical_reason().unwrap_or_default();
    Reply::new(
        status,
        "text/html",
        format!("<html><head><title>{status}</title></head><body><h1>{title}</h1></body></html>"),
    )
}
