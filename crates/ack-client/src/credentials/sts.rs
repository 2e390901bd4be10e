//! STS 2015-04-01, which gives temporary credentials of a role.

mod endpoint;

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use serde::Deserialize;

pub(super) use self::endpoint::{ProfileKeys, endpoint};
use super::context::Context;
use super::error::Problem;
use super::network::Route;
use super::refusal::Refusal;
use super::response::{self, Expiry, TemporaryKeys};
use super::{Credential, RoleSession};
use crate::secret::Secret;
use crate::sign::encode::canonical_query;
use crate::sign::{self, Stamp, UnsignedRequest};
use crate::{Endpoint, Signature};

const VERSION: &str = "2015-04-01";
const DEFAULT_DURATION: Duration = Duration::from_secs(3600);
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// A request to assume a role.
#[derive(Debug)]
pub(super) struct AssumeRole<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) role_arn: &'a str,
    pub(super) session: &'a RoleSession,
    pub(super) identity: Identity<'a>,
}

/// The identity that assumes the role.
#[derive(Debug, Clone, Copy)]
pub(super) enum Identity<'a> {
    /// Other credentials: `AssumeRole`, signed.
    Credential {
        credential: &'a Credential,
        external_id: Option<&'a str>,
    },
    /// The token of a service account: `AssumeRoleWithOIDC`, not signed.
    Token {
        token: &'a Secret,
        oidc_provider_arn: &'a str,
    },
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AssumeRoleResponse {
    #[serde(rename = "Credentials")]
    credentials: TemporaryKeys,
}

/// Assumes the role.
pub(super) async fn assume(
    context: &Context,
    role: &AssumeRole<'_>,
) -> Result<Credential, Problem> {
    let host = role.endpoint.authority();
    let stamp = Stamp {
        time: context.clock.now(),
        nonce: nonce(),
    };
    let request = role.request(&stamp, &context.session_name)?;
    let response = context
        .http
        .send(Route::to(request.uri()), request)
        .await
        .map_err(|error| Problem::no_response(host, error))?;
    let secrets = role.secrets();
    if response.status() != StatusCode::OK {
        return Err(role.refused(response::refusal(host, &response, &secrets)));
    }
    if let Some(refusal) = response::refusal_in_body(host, &response, &secrets) {
        return Err(role.refused(refusal));
    }
    let decoded: AssumeRoleResponse = response::decode(host, &response)?;
    decoded.credentials.credential(host, Expiry::Required)
}

impl AssumeRole<'_> {
    fn request(&self, stamp: &Stamp, default_session: &str) -> Result<Request<Bytes>, Problem> {
        let form = canonical_query(&self.parameters(default_session));
        let (target, headers) = match self.identity {
            Identity::Credential { credential, .. } => (
                "/".to_owned(),
                self.signed_headers(credential, &form, stamp)?,
            ),
            Identity::Token { .. } => unsigned_target_and_headers(stamp),
        };
        let uri = self
            .endpoint
            .uri(&target)
            .map_err(|error| Problem::Malformed(error.to_string()))?;
        let mut request = Request::new(Bytes::from(form));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }

    fn signed_headers(
        &self,
        credential: &Credential,
        form: &str,
        stamp: &Stamp,
    ) -> Result<HeaderMap, Problem> {
        let unsigned = UnsignedRequest {
            method: "POST",
            authority: self.endpoint.authority(),
            action: "AssumeRole",
            path: "/",
            query: &[],
            version: VERSION,
            form: Some(form),
        };
        Ok(sign::sign(Signature::Acs3, &unsigned, credential, stamp)?.headers)
    }

    /// The parameters in the body. They are not in the URL, which may be logged, since one is the
    /// token.
    fn parameters(&self, default_session: &str) -> Vec<(&str, String)> {
        let duration = self.session.duration.unwrap_or(DEFAULT_DURATION);
        let session_name = self.session.name.as_deref().unwrap_or(default_session);
        let mut parameters = vec![
            ("DurationSeconds", duration.as_secs().to_string()),
            ("RoleArn", self.role_arn.to_owned()),
            ("RoleSessionName", session_name.to_owned()),
        ];
        parameters.extend(self.session.policy.clone().map(|policy| ("Policy", policy)));
        match self.identity {
            Identity::Credential { external_id, .. } => {
                parameters.extend(external_id.map(|id| ("ExternalId", id.to_owned())));
            }
            Identity::Token {
                token,
                oidc_provider_arn,
            } => {
                parameters.push(("OIDCProviderArn", oidc_provider_arn.to_owned()));
                parameters.push(("OIDCToken", token.expose().to_owned()));
            }
        }
        parameters
    }

    fn secrets(&self) -> Vec<&Secret> {
        match self.identity {
            Identity::Credential { credential, .. } => {
                std::iter::once(&credential.access_key_secret)
                    .chain(&credential.security_token)
                    .collect()
            }
            Identity::Token { token, .. } => vec![token],
        }
    }

    /// Adds advice to `refusal`.
    fn refused(&self, refusal: Refusal) -> Problem {
        let code = refusal.code.as_deref().unwrap_or_default();
        Problem::refused(Refusal {
            advice: self.advice(&code.to_ascii_lowercase()),
            ..refusal
        })
    }

    /// The advice for an error code in lower case.
    fn advice(&self, code: &str) -> Option<String> {
        let has_prefix = |prefixes: &[&str]| prefixes.iter().any(|prefix| code.starts_with(prefix));
        if code.starts_with("entitynotexist.role") {
            Some(format!("there is no role {}", self.role_arn))
        } else if has_prefix(&["invalidtimestamp", "illegaltimestamp"]) {
            Some("the clock of this machine is wrong".to_owned())
        } else if has_prefix(&[
            "nopermission",
            "authenticationfail.nopermission",
            "forbidden",
        ]) {
            Some(self.missing_permission())
        } else {
            None
        }
    }

    fn missing_permission(&self) -> String {
        let role = self.role_arn;
        match self.identity {
            Identity::Credential { .. } => format!(
                "the source credentials need sts:AssumeRole on {role}, \
                 and the role's trust policy must name them"
            ),
            Identity::Token {
                oidc_provider_arn, ..
            } => format!(
                "the trust policy of {role} must allow sts:AssumeRole \
                 to {oidc_provider_arn} for this service account"
            ),
        }
    }
}

/// The target and the headers of `AssumeRoleWithOIDC`, which has its stamp in the query.
fn unsigned_target_and_headers(stamp: &Stamp) -> (String, HeaderMap) {
    let time = stamp.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let query = canonical_query(&[
        ("Action", "AssumeRoleWithOIDC"),
        ("Format", "JSON"),
        ("SignatureNonce", &stamp.nonce),
        ("Timestamp", &time),
        ("Version", VERSION),
    ]);
    let headers = [(CONTENT_TYPE, FORM), (ACCEPT, JSON)].into_iter().collect();
    (format!("/?{query}"), headers)
}

/// A random value, which is used once.
fn nonce() -> String {
    let mut bytes = [0; 16];
    let random = getrandom::fill(&mut bytes)
        .map_or_else(|_| fastrand::u128(..), |()| u128::from_ne_bytes(bytes));
    format!("{random:032x}")
}
