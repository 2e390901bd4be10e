//! The RAM role of an ECS instance, from its metadata service.
//!
//! Source: Alibaba Cloud's credentials SDKs. One token serves both requests of a refresh.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};

use super::context::Context;
use super::error::{Problem, ProviderName};
use super::network::{HttpError, Route};
use super::response::{self, Expiry, TemporaryKeys};
use super::{Credential, Loaded};
use crate::Endpoint;
use crate::credentials::{DefaultChain, EcsRamRole, ImdsV1};

pub(super) const NAME: &str = "ecs_ram_role";

const ROLE: &str = "ALIBABA_CLOUD_ECS_METADATA";
const DISABLED: &str = "ALIBABA_CLOUD_ECS_METADATA_DISABLED";
const V1_DISABLED: &str = "ALIBABA_CLOUD_IMDSV1_DISABLED";

const SERVICE: &str = "http://100.100.100.200";
const ROLES: &str = "/latest/meta-data/ram/security-credentials/";
static TOKEN: HeaderName = HeaderName::from_static("x-aliyun-ecs-metadata-token");
static TOKEN_TTL: HeaderName = HeaderName::from_static("x-aliyun-ecs-metadata-token-ttl-seconds");

pub(super) async fn load(role: &EcsRamRole, context: &Context) -> Result<Loaded, Problem> {
    if context.environment.is_on(DISABLED) {
        return Err(Problem::Incomplete(format!("{DISABLED} is set")));
    }
    find(role, context).await?.load().await
}

/// Loads credentials as a link of the default chain. A machine without a metadata service or
/// without a role has not configured it, unless the environment names a role.
pub(super) async fn load_if_configured(
    chain: &DefaultChain,
    context: &Context,
) -> Result<Loaded, Problem> {
    if context.environment.is_on(DISABLED) {
        return Err(Problem::NotConfigured(format!("{DISABLED} is set")));
    }
    let role = EcsRamRole {
        metadata_endpoint: chain.metadata_endpoint.clone(),
        ..EcsRamRole::default()
    };
    match find(&role, context).await {
        Ok(found) => found.load().await,
        Err(problem @ (Problem::Unreachable { .. } | Problem::NoRole { .. }))
            if context.environment.value(ROLE).is_none() =>
        {
            Err(Problem::NoMachineRole(Box::new(problem)))
        }
        Err(problem) => Err(problem),
    }
}

/// A role, and the service that gives its credentials.
struct MachineRole<'a> {
    service: MetadataService<'a>,
    role: String,
}

async fn find<'a>(role: &EcsRamRole, context: &'a Context) -> Result<MachineRole<'a>, Problem> {
    let environment = &context.environment;
    let endpoint = match &role.metadata_endpoint {
        Some(endpoint) => endpoint.clone(),
        None => Endpoint::parse(SERVICE).map_err(Problem::Malformed)?,
    };
    let v1 = if environment.is_on(V1_DISABLED) {
        ImdsV1::Disabled
    } else {
        role.imds_v1
    };
    let service = MetadataService {
        token: token(&endpoint, v1, context).await?,
        endpoint,
        context,
    };
    let role = match role
        .role_name
        .as_deref()
        .or_else(|| environment.value(ROLE))
    {
        Some(name) => name.to_owned(),
        None => service.role().await?,
    };
    Ok(MachineRole { service, role })
}

impl MachineRole<'_> {
    async fn load(self) -> Result<Loaded, Problem> {
        let credential = self.service.credential(&self.role).await?;
        Ok(Loaded {
            credential,
            provider: ProviderName::new(NAME),
            check_again: None,
        })
    }
}

/// Fetches the token of `IMDSv2`. Returns `None` if the service gives no token and `v1` allows
/// requests without one.
async fn token(
    endpoint: &Endpoint,
    v1: ImdsV1,
    context: &Context,
) -> Result<Option<HeaderValue>, Problem> {
    let host = endpoint.authority();
    let mut request = request(endpoint, Method::PUT, "/latest/api/token")?;
    request
        .headers_mut()
        .insert(&TOKEN_TTL, HeaderValue::from_static("21600"));
    let refused = match context.http.send(Route::Metadata, request).await {
        Ok(response) if response.status() == StatusCode::OK => {
            match HeaderValue::from_bytes(response.body().trim_ascii()) {
                Ok(mut token) if !token.is_empty() => {
                    token.set_sensitive(true);
                    return Ok(Some(token));
                }
                _ => Problem::bad_response(host, "to the request for a token is none"),
            }
        }
        Ok(response) => Problem::refused(response::refusal(host, &response, &[])),
        // There is no service, so a request without a token would fail too.
        Err(error @ HttpError::Connect(_)) => return Err(Problem::no_response(host, error)),
        Err(error) => Problem::no_response(host, error),
    };
    match v1 {
        ImdsV1::Allowed => Ok(None),
        ImdsV1::Disabled => Err(refused),
    }
}

fn request(endpoint: &Endpoint, method: Method, path: &str) -> Result<Request<Bytes>, Problem> {
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = method;
    *request.uri_mut() = endpoint
        .uri(path)
        .map_err(|error| Problem::Malformed(error.to_string()))?;
    Ok(request)
}

struct MetadataService<'a> {
    endpoint: Endpoint,
    token: Option<HeaderValue>,
    context: &'a Context,
}

impl MetadataService<'_> {
    async fn role(&self) -> Result<String, Problem> {
        let host = self.endpoint.authority();
        let response = self.get(ROLES).await?;
        let text = std::str::from_utf8(response.body())
            .unwrap_or_default()
            .trim();
        match response.status() {
            StatusCode::NOT_FOUND => Err(Problem::NoRole {
                host: host.to_owned(),
            }),
            StatusCode::OK if text.is_empty() => Err(Problem::NoRole {
                host: host.to_owned(),
            }),
            StatusCode::OK => Ok(text.lines().next().unwrap_or_default().trim().to_owned()),
            _ => Err(Problem::refused(response::refusal(host, &response, &[]))),
        }
    }

    async fn credential(&self, role: &str) -> Result<Credential, Problem> {
        let host = self.endpoint.authority();
        let is_legal = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if role.is_empty() || role.len() > 64 || !role.bytes().all(is_legal) {
            return Err(Problem::Malformed(format!(
                "the role that {host} or the configuration names has no role's name"
            )));
        }
        let response = self.get(&format!("{ROLES}{role}")).await?;
        if response.status() != StatusCode::OK {
            let mut refusal = response::refusal(host, &response, &[]);
            if response.status() == StatusCode::NOT_FOUND {
                refusal.advice = Some(format!("the machine has no RAM role {role}"));
            }
            return Err(Problem::refused(refusal));
        }
        if let Some(refusal) = response::refusal_in_body(host, &response, &[]) {
            return Err(Problem::refused(refusal));
        }
        response::decode::<TemporaryKeys>(host, &response)?.credential(host, Expiry::Required)
    }

    async fn get(&self, path: &str) -> Result<Response<Bytes>, Problem> {
        let mut request = request(&self.endpoint, Method::GET, path)?;
        if let Some(token) = &self.token {
            request.headers_mut().insert(&TOKEN, token.clone());
        }
        let host = self.endpoint.authority();
        self.context
            .http
            .send(Route::Metadata, request)
            .await
            .map_err(|error| match self.token {
                // The service has given a token, so it must not count as missing.
                Some(_) => Problem::bad_response(host, format!("is overdue: {error}")),
                None => Problem::no_response(host, error),
            })
    }
}
