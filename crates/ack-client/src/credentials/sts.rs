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
use crate::credentials::RoleSession;
use crate::names::Region;
use crate::secret::Secret;
use crate::sign::encode::canonical_query;
use crate::sign::{self, Stamp, UnsignedRequest};
use crate::{Endpoint, Signature};

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
    Credential {
        credential: &'a Credential,
        external_id: Option<&'a str>,
    },
    /// The bearer of a service account's token: `AssumeRoleWithOIDC`, not signed.
    Token {
        token: &'a Secret,
        oidc_provider_arn: &'a str,
    },
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
    let request = call.request(&Stamp {
        time: context.clock.now(),
        nonce: nonce(),
    })?;
    let response = context
        .http
        .send(Route::to(request.uri()), request)
        .await
        .map_err(|error| Problem::unanswered(host, error))?;
    if response.status() != StatusCode::OK {
        return Err(call.explain(reply::refusal(host, &response, &call.secrets())));
    }
    if let Some(objection) = reply::objection(host, &response, &call.secrets()) {
        return Err(call.explain(objection));
    }
    let answer: Answer = reply::decode(host, &response)?;
    answer.credentials.credential(host, Expiry::Required)
}

/// The keys of a profile that say which STS is asked; any of them may be absent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ProfileKeys<'a> {
    pub(super) sts_endpoint: Option<&'a str>,
    pub(super) sts_region: Option<&'a str>,
    pub(super) enable_vpc: Option<bool>,
}

const ENDPOINT: &str = "ALIBABA_CLOUD_STS_ENDPOINT";
const REGION: &str = "ALIBABA_CLOUD_STS_REGION";
const VPC: &str = "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED";

/// The endpoint of STS: the configured one, else that of the profile, else that of the environment,
/// else the one of the region, inside the VPC if so asked; without a region the central one. A
/// profile's region and network come before the environment's. The error names the key or the
/// variable that is wrong.
pub(super) fn endpoint(
    configured: Option<&Endpoint>,
    profile: ProfileKeys<'_>,
    environment: &Environment,
) -> Result<Endpoint, String> {
    if let Some(endpoint) = configured {
        return Ok(endpoint.clone());
    }
    if let Some((name, host)) = setting(profile.sts_endpoint, "sts_endpoint", ENDPOINT, environment)
    {
        return super::provider::sts_endpoint(host).map_err(|error| format!("{name}: {error}"));
    }
    let vpc = profile.enable_vpc.unwrap_or_else(|| environment.is_on(VPC));
    match setting(profile.sts_region, "sts_region", REGION, environment) {
        Some((name, region)) => {
            let region = Region::parse(region).map_err(|error| format!("{name}: {error}"))?;
            // The one finance region without an STS of its own.
            let region = if region.as_str() == "cn-hangzhou-finance" {
                "cn-hangzhou"
            } else {
                region.as_str()
            };
            super::provider::sts_endpoint(&format!(
                "{}.{region}.aliyuncs.com",
                if vpc { "sts-vpc" } else { "sts" }
            ))
        }
        None => super::provider::sts_endpoint("sts.aliyuncs.com"),
    }
}

/// What a profile says, else what the environment does, and where that stands.
fn setting<'a>(
    key: Option<&'a str>,
    name: &'static str,
    variable: &'static str,
    environment: &'a Environment,
) -> Option<(&'static str, &'a str)> {
    key.map(|value| (name, value))
        .or_else(|| environment.value(variable).map(|value| (variable, value)))
}

impl Call<'_> {
    fn request(&self, stamp: &Stamp) -> Result<Request<Bytes>, Problem> {
        let form = canonical_query(&self.parameters());
        let (target, headers) = match self.proof {
            Proof::Credential { credential, .. } => {
                let unsigned = UnsignedRequest {
                    method: "POST",
                    authority: self.endpoint.authority(),
                    action: "AssumeRole",
                    path: "/",
                    query: &[],
                    version: VERSION,
                    form: Some(&form),
                };
                (
                    "/".to_owned(),
                    sign::sign(Signature::Acs3, &unsigned, credential, stamp)?.headers,
                )
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

    /// What goes into the body: a URL ends up in logs, and the token must not.
    fn parameters(&self) -> Vec<(&str, String)> {
        let mut parameters = vec![
            (
                "DurationSeconds",
                self.session
                    .duration
                    .unwrap_or(DEFAULT_DURATION)
                    .as_secs()
                    .to_string(),
            ),
            ("RoleArn", self.role_arn.to_owned()),
            (
                "RoleSessionName",
                self.session
                    .name
                    .clone()
                    .unwrap_or_else(|| DEFAULT_SESSION.to_owned()),
            ),
        ];
        parameters.extend(self.session.policy.clone().map(|policy| ("Policy", policy)));
        match self.proof {
            Proof::Credential { external_id, .. } => {
                parameters.extend(external_id.map(|id| ("ExternalId", id.to_owned())));
            }
            Proof::Token {
                token,
                oidc_provider_arn,
            } => {
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
            Proof::Credential { credential, .. } => std::iter::once(&credential.access_key_secret)
                .chain(&credential.security_token)
                .collect(),
            Proof::Token { token, .. } => vec![token],
        }
    }

    fn advice(&self, refusal: &Refusal) -> Option<String> {
        let role = self.role_arn;
        let code = refusal
            .code
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let is = |prefixes: &[&str]| prefixes.iter().any(|prefix| code.starts_with(prefix));
        if is(&["entitynotexist.role"]) {
            Some(format!("there is no role {role}"))
        } else if is(&["invalidtimestamp", "illegaltimestamp"]) {
            Some("the clock of this machine is wrong".to_owned())
        } else if is(&[
            "nopermission",
            "authenticationfail.nopermission",
            "forbidden",
        ]) {
            Some(match self.proof {
                Proof::Credential { .. } => {
                    format!(
                        "the source credentials need sts:AssumeRole on {role}, and the role's trust policy must name them"
                    )
                }
                Proof::Token {
                    oidc_provider_arn, ..
                } => {
                    format!(
                        "the trust policy of {role} must allow sts:AssumeRole to {oidc_provider_arn} for this service account"
                    )
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
    let random = getrandom::fill(&mut bytes)
        .map_or_else(|_| fastrand::u128(..), |()| u128::from_ne_bytes(bytes));
    format!("{random:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::too_many_lines, reason = "a table")]
    #[test]
    fn sts_is_where_the_most_explicit_of_all_settings_says() {
        let none = ProfileKeys::default();
        let region = ProfileKeys {
            sts_region: Some("cn-beijing"),
            ..none
        };
        let vpc = ProfileKeys {
            enable_vpc: Some(true),
            ..none
        };
        let no_vpc = ProfileKeys {
            enable_vpc: Some(false),
            ..region
        };
        let host = ProfileKeys {
            sts_endpoint: Some("sts.profile"),
            enable_vpc: Some(true),
            ..region
        };
        for (configured, profile, environment, expected) in [
            (None, none, &[][..], "sts.aliyuncs.com"),
            (None, none, &[(VPC, "true")], "sts.aliyuncs.com"),
            (
                None,
                none,
                &[(REGION, "cn-hangzhou")],
                "sts.cn-hangzhou.aliyuncs.com",
            ),
            (
                None,
                none,
                &[(REGION, "cn-hangzhou"), (VPC, "true")],
                "sts-vpc.cn-hangzhou.aliyuncs.com",
            ),
            (
                None,
                none,
                &[(REGION, "cn-hangzhou-finance"), (VPC, "true")],
                "sts-vpc.cn-hangzhou.aliyuncs.com",
            ),
            (
                None,
                none,
                &[
                    (REGION, "cn-hangzhou"),
                    (VPC, "true"),
                    (ENDPOINT, "sts.environment"),
                ],
                "sts.environment",
            ),
            (None, vpc, &[], "sts.aliyuncs.com"),
            (
                None,
                vpc,
                &[(REGION, "cn-hangzhou")],
                "sts-vpc.cn-hangzhou.aliyuncs.com",
            ),
            (None, region, &[], "sts.cn-beijing.aliyuncs.com"),
            (
                None,
                region,
                &[(REGION, "cn-hangzhou")],
                "sts.cn-beijing.aliyuncs.com",
            ),
            (
                None,
                region,
                &[(VPC, "true")],
                "sts-vpc.cn-beijing.aliyuncs.com",
            ),
            (
                None,
                region,
                &[(ENDPOINT, "sts.environment")],
                "sts.environment",
            ),
            (
                None,
                no_vpc,
                &[(VPC, "true")],
                "sts.cn-beijing.aliyuncs.com",
            ),
            (
                None,
                host,
                &[
                    (ENDPOINT, "sts.environment"),
                    (REGION, "cn-hangzhou"),
                    (VPC, "true"),
                ],
                "sts.profile",
            ),
            (
                Some("sts.configured"),
                host,
                &[
                    (ENDPOINT, "sts.environment"),
                    (REGION, "cn-hangzhou"),
                    (VPC, "true"),
                ],
                "sts.configured",
            ),
        ] {
            let configured = configured
                .map(|host| super::super::provider::sts_endpoint(host).expect("an endpoint"));
            let variables: Environment = environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            let endpoint = endpoint(configured.as_ref(), profile, &variables).expect("an endpoint");
            assert_eq!(
                endpoint.authority(),
                expected,
                "{configured:?} {profile:?} {environment:?}"
            );
        }
    }
}
