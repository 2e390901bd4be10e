//! STS, which turns an identity into the temporary credentials of a role. API version 2015-04-01.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use serde::Deserialize;

use super::Credential;
use super::context::{Context, Environment};
use super::error::{Problem, Refusal};
use super::network::Route;
use super::reply::{self, Expiry, Keys};
use crate::config::{self, Endpoint, RoleSession, Signature};
use crate::names::Region;
use crate::secret::Secret;
use crate::sign::encode::canonical_query;
use crate::sign::{self, Stamp, Unsigned};

const VERSION: &str = "2015-04-01";
const DEFAULT_DURATION: Duration = Duration::from_secs(3600);
const DEFAULT_SESSION: &str = "ack-upgrade-exporter";
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// A role to assume.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) role_arn: &'a str,
    pub(super) session: &'a RoleSession,
    pub(super) proof: Proof<'a>,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Proof<'a> {
    /// The holder of other credentials: `AssumeRole`, signed.
    Credential { credential: &'a Credential, external_id: Option<&'a str> },
    /// The bearer of a service account's token: `AssumeRoleWithOIDC`, not signed.
    Token { token: &'a Secret, oidc_provider_arn: &'a str },
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    #[serde(rename = "Credentials")]
    credentials: Keys,
}

/// Assumes the role.
pub(super) async fn assume(context: &Context, call: &Call<'_>) -> Result<Credential, Problem> {
    let host = call.endpoint.authority();
    let request = call.request(&Stamp { time: context.clock.now(), nonce: nonce() })?;
    let response = context.http.send(Route::to(request.uri()), request).await.map_err(|error| Problem::unanswered(host, error))?;
    if response.status() != StatusCode::OK {
        return Err(call.explain(reply::refusal(host, &response, &call.secrets())));
    }
    if let Some(objection) = reply::objection(host, &response, &call.secrets()) {
        return Err(call.explain(objection));
    }
    let answer: Answer = reply::decode(host, &response)?;
    answer.credentials.credential(host, Expiry::Required)
}

/// The endpoint of STS: as configured, else as the environment says.
pub(super) fn endpoint(configured: Option<&Endpoint>, environment: &Environment) -> Result<Endpoint, Problem> {
    if let Some(endpoint) = configured {
        return Ok(endpoint.clone());
    }
    if let Some(host) = environment.value("ALIBABA_CLOUD_STS_ENDPOINT") {
        return config::sts_endpoint(host).map_err(|error| Problem::Malformed(format!("ALIBABA_CLOUD_STS_ENDPOINT: {error}")));
    }
    let network = if environment.is_on("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED") { Network::Vpc } else { Network::Public };
    match environment.value("ALIBABA_CLOUD_STS_REGION") {
        Some(region) => regional(region, network).map_err(|error| Problem::Malformed(format!("ALIBABA_CLOUD_STS_REGION: {error}"))),
        None => config::sts_endpoint("sts.aliyuncs.com").map_err(Problem::Malformed),
    }
}

/// The network that STS is asked over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    Public,
    Vpc,
}

/// The endpoint of STS in one region.
pub(super) fn regional(region: &str, network: Network) -> Result<Endpoint, String> {
    let region = Region::parse(region).map_err(|error| error.to_string())?;
    // The one finance region without an STS of its own.
    let region = if region.as_str() == "cn-hangzhou-finance" { "cn-hangzhou" } else { region.as_str() };
    let service = if network == Network::Vpc { "sts-vpc" } else { "sts" };
    config::sts_endpoint(&format!("{service}.{region}.aliyuncs.com"))
}

impl Call<'_> {
    fn request(&self, stamp: &Stamp) -> Result<Request<Bytes>, Problem> {
        let form = canonical_query(&self.parameters());
        let (target, headers) = match self.proof {
            Proof::Credential { credential, .. } => {
                let unsigned = Unsigned {
                    method: "POST",
                    authority: self.endpoint.authority(),
                    action: "AssumeRole",
                    path: "/",
                    query: &[],
                    version: VERSION,
                    form: Some(&form),
                };
                ("/".to_owned(), sign::sign(Signature::Acs3, &unsigned, credential, stamp)?.headers)
            }
            Proof::Token { .. } => {
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
        };
        let uri = self.endpoint.uri(&target).map_err(|error| Problem::Malformed(error.to_string()))?;
        let mut request = Request::new(Bytes::from(form));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// What goes into the body: a URL ends up in logs, and the token must not.
    fn parameters(&self) -> Vec<(&str, String)> {
        let mut parameters = vec![
            ("DurationSeconds", self.session.duration.unwrap_or(DEFAULT_DURATION).as_secs().to_string()),
            ("RoleArn", self.role_arn.to_owned()),
            ("RoleSessionName", self.session.name.clone().unwrap_or_else(|| DEFAULT_SESSION.to_owned())),
        ];
        parameters.extend(self.session.policy.clone().map(|policy| ("Policy", policy)));
        match self.proof {
            Proof::Credential { external_id, .. } => parameters.extend(external_id.map(|id| ("ExternalId", id.to_owned()))),
            Proof::Token { token, oidc_provider_arn } => {
                parameters.push(("OIDCProviderArn", oidc_provider_arn.to_owned()));
                parameters.push(("OIDCToken", token.expose().to_owned()));
            }
        }
        parameters
    }

    /// The refusal with what would help.
    fn explain(&self, mut refusal: Refusal) -> Problem {
        refusal.advice = self.advice(&refusal);
        Problem::refused(refusal)
    }

    fn secrets(&self) -> Vec<&Secret> {
        match self.proof {
            Proof::Credential { credential, .. } => {
                std::iter::once(&credential.access_key_secret).chain(&credential.security_token).collect()
            }
            Proof::Token { token, .. } => vec![token],
        }
    }

    fn advice(&self, refusal: &Refusal) -> Option<String> {
        let role = self.role_arn;
        let code = refusal.code.as_deref().unwrap_or_default().to_ascii_lowercase();
        let is = |prefixes: &[&str]| prefixes.iter().any(|prefix| code.starts_with(prefix));
        if is(&["entitynotexist.role"]) {
            Some(format!("there is no role {role}"))
        } else if is(&["invalidtimestamp", "illegaltimestamp"]) {
            Some("the clock of this machine is wrong".to_owned())
        } else if is(&["nopermission", "authenticationfail.nopermission", "forbidden"]) {
            Some(match self.proof {
                Proof::Credential { .. } => {
                    format!("the source credentials need sts:AssumeRole on {role}, and the role's trust policy must name them")
                }
                Proof::Token { oidc_provider_arn, .. } => {
                    format!("the trust policy of {role} must allow sts:AssumeRole to {oidc_provider_arn} for this service account")
                }
            })
        } else {
            None
        }
    }
}

/// A value that is never used twice.
fn nonce() -> String {
    let mut bytes = [0; 16];
    let random = getrandom::fill(&mut bytes).map_or_else(|_| fastrand::u128(..), |()| u128::from_ne_bytes(bytes));
    format!("{random:032x}")
}
