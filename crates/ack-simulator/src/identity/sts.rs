//! STS: `AssumeRole` and `AssumeRoleWithOIDC`.

use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;

use crate::Simulator;
use crate::auth::errors::bad_request;
use crate::error_response::ErrorResponse;
use crate::identity::IssuedCredentials;
use crate::request::Parameters;

/// The version of the STS API.
pub(crate) const VERSION: &str = "2015-04-01";

/// The response of both actions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AssumeRoleBody<'a> {
    request_id: &'a str,
    assumed_role_user: AssumedRoleUser,
    credentials: IssuedCredentials,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser {
    arn: String,
    assumed_role_id: String,
}

/// The response to `AssumeRole`, whose caller has been authenticated.
pub(crate) fn assume_role<'a>(
    simulator: &Simulator,
    parameters: &Parameters,
    request_id: &'a str,
    now: Timestamp,
) -> Result<AssumeRoleBody<'a>, ErrorResponse> {
    let external_id = simulator.with_identities(|identities| identities.external_id.clone());
    if external_id.is_some() && parameters.find("ExternalId") != external_id.as_deref() {
        return Err(ErrorResponse::gateway(
            StatusCode::FORBIDDEN,
            "NoPermission",
            "You are not authorized to do this action. You should be authorized by RAM.",
        ));
    }
    issue_for_role(simulator, parameters, request_id, now)
}

/// The response to `AssumeRoleWithOIDC`. It is not signed: the token identifies the caller.
pub(crate) fn assume_role_with_oidc<'a>(
    simulator: &Simulator,
    parameters: &Parameters,
    request_id: &'a str,
    now: Timestamp,
) -> Result<AssumeRoleBody<'a>, ErrorResponse> {
    parameters.require("OIDCProviderArn")?;
    let token = parameters.require("OIDCToken")?;
    if !simulator.with_identities(|identities| identities.oidc_token == token) {
        return Err(bad_request(
            "AuthenticationFail.OIDCToken.Invalid",
            "This OIDC token is invalid.",
        ));
    }
    issue_for_role(simulator, parameters, request_id, now)
}

fn issue_for_role<'a>(
    simulator: &Simulator,
    parameters: &Parameters,
    request_id: &'a str,
    now: Timestamp,
) -> Result<AssumeRoleBody<'a>, ErrorResponse> {
    let role = parameters.require("RoleArn")?;
    let session = parameters.require("RoleSessionName")?;
    if !is_session_name(session) {
        return Err(bad_request(
            "InvalidParameter.RoleSessionName",
            "The format of RoleSessionName is invalid.",
        ));
    }
    if !simulator.with_identities(|identities| identities.role_arns.iter().any(|arn| arn == role)) {
        return Err(ErrorResponse::gateway(
            StatusCode::NOT_FOUND,
            "EntityNotExist.Role",
            "The specified Role not exists.",
        ));
    }
    let assumed_role_user = AssumedRoleUser {
        arn: format!("{}/{session}", role.replacen(":role/", ":assumed-role/", 1)),
        assumed_role_id: format!("300000000000000001:{session}"),
    };
    Ok(AssumeRoleBody {
        request_id,
        assumed_role_user,
        credentials: simulator.issue(requested_lifetime(parameters)?, now),
    })
}

fn is_session_name(text: &str) -> bool {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b".@-_".contains(&byte);
    (2..=64).contains(&text.len()) && text.bytes().all(is_legal)
}

fn requested_lifetime(parameters: &Parameters) -> Result<Duration, ErrorResponse> {
    let Some(text) = parameters.find("DurationSeconds") else {
        return Ok(Duration::from_secs(3600));
    };
    let seconds = text
        .parse()
        .ok()
        .filter(|seconds| (900..=43_200).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| {
        bad_request(
            "InvalidParameter.DurationSeconds",
            "The Min/Max value of DurationSeconds is 15min/12hr.",
        )
    })
}
