//! STS: `AssumeRole` and `AssumeRoleWithOIDC`.

use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;

use crate::Sim;
use crate::auth::rpc;
use crate::auth::{Gate, Principal};
use crate::error_response::Refusal;
use crate::identity::IssuedKey;
use crate::request::{Received, decode_form};

/// The version of the STS API.
pub(crate) const VERSION: &str = "2015-04-01";

/// A call's parameters, from its query and its form.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

/// What both actions answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Answer<'a> {
    request_id: &'a str,
    assumed_role_user: AssumedRoleUser,
    credentials: IssuedKey,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser {
    arn: String,
    assumed_role_id: String,
}

impl Parameters {
    pub(crate) fn of(received: &Received) -> Self {
        let form = std::str::from_utf8(&received.body)
            .map(decode_form)
            .unwrap_or_default();
        Self(received.query.iter().cloned().chain(form).collect())
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn require(&self, name: &str) -> Result<&str, Refusal> {
        self.find(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| {
                let code = format!("MissingParameter.{name}");
                bad_request(&code, format!("{name} is mandatory for this action."))
            })
    }

    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

/// Checks who calls `AssumeRole`: under ACS3, or with the signature among the parameters.
pub(crate) fn admit(gate: &Gate<'_>, received: &Received) -> Result<Principal, Refusal> {
    if received.headers.contains_key("authorization") {
        gate.admit(received)
    } else {
        rpc::admit(gate, received, &Parameters::of(received))
    }
}

/// Answers `AssumeRole`.
pub(crate) fn assume_role<'a>(
    sim: &Sim,
    parameters: &Parameters,
    request_id: &'a str,
    now: Timestamp,
) -> Result<Answer<'a>, Refusal> {
    let external_id = sim.with_identities(|identities| identities.external_id.clone());
    if external_id.is_some() && parameters.find("ExternalId") != external_id.as_deref() {
        return Err(Refusal::gateway(
            StatusCode::FORBIDDEN,
            "NoPermission",
            "You are not authorized to do this action. You should be authorized by RAM.",
        ));
    }
    answer(sim, parameters, request_id, now)
}

/// Answers `AssumeRoleWithOIDC`, which nobody signs: the token tells who calls.
pub(crate) fn assume_role_with_oidc<'a>(
    sim: &Sim,
    parameters: &Parameters,
    request_id: &'a str,
    now: Timestamp,
) -> Result<Answer<'a>, Refusal> {
    parameters.require("OIDCProviderArn")?;
    let token = parameters.require("OIDCToken")?;
    if !sim.with_identities(|identities| identities.oidc_token == token) {
        return Err(bad_request(
            "AuthenticationFail.OIDCToken.Invalid",
            "This OIDC token is invalid.",
        ));
    }
    answer(sim, parameters, request_id, now)
}

fn answer<'a>(
    sim: &Sim,
    parameters: &Parameters,
    request_id: &'a str,
    now: Timestamp,
) -> Result<Answer<'a>, Refusal> {
    let role = parameters.require("RoleArn")?;
    let session = parameters.require("RoleSessionName")?;
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b".@-_".contains(&byte);
    if !(2..=64).contains(&session.len()) || !session.bytes().all(legal) {
        return Err(bad_request(
            "InvalidParameter.RoleSessionName",
            "The format of RoleSessionName is invalid.",
        ));
    }
    if !sim.with_identities(|identities| identities.role_arns.iter().any(|known| known == role)) {
        return Err(Refusal::gateway(
            StatusCode::NOT_FOUND,
            "EntityNotExist.Role",
            "The specified Role not exists.",
        ));
    }
    let assumed_role_user = AssumedRoleUser {
        arn: format!("{}/{session}", role.replacen(":role/", ":assumed-role/", 1)),
        assumed_role_id: format!("300000000000000001:{session}"),
    };
    Ok(Answer {
        request_id,
        assumed_role_user,
        credentials: sim.issue(duration(parameters)?, now),
    })
}

fn duration(parameters: &Parameters) -> Result<Duration, Refusal> {
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

fn bad_request(code: &str, message: impl Into<String>) -> Refusal {
    Refusal::gateway(StatusCode::BAD_REQUEST, code, message)
}
