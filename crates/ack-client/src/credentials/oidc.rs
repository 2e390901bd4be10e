//! RRSA: a RAM role for a Kubernetes service account, whose token the kubelet renews in a file.
//!
//! Source: Alibaba Cloud's page on RRSA, and its credentials SDKs. The token is sent in the body of
//! a POST, never in a URL.

use std::path::PathBuf;

use super::context::{Context, Environment};
use super::error::{Problem, ProviderName};
use super::sts::{self, AssumeRole, Identity, ProfileKeys};
use super::{Loaded, access_key};
use crate::credentials::{DefaultChain, OidcRoleArn};

pub(super) const NAME: &str = "oidc_role_arn";

const ROLE_ARN: &str = "ALIBABA_CLOUD_ROLE_ARN";
const PROVIDER_ARN: &str = "ALIBABA_CLOUD_OIDC_PROVIDER_ARN";
const TOKEN_FILE: &str = "ALIBABA_CLOUD_OIDC_TOKEN_FILE";
const SESSION_NAME: &str = "ALIBABA_CLOUD_ROLE_SESSION_NAME";

/// The length of a token that STS accepts.
const TOKEN_LENGTH: std::ops::RangeInclusive<usize> = 4..=20_000;

pub(super) async fn load(role: &OidcRoleArn, context: &Context) -> Result<Loaded, Problem> {
    let environment = &context.environment;
    let role_arn = setting(role.role_arn.as_deref(), "role_arn", ROLE_ARN, environment)?;
    let oidc_provider_arn = setting(
        role.oidc_provider_arn.as_deref(),
        "oidc_provider_arn",
        PROVIDER_ARN,
        environment,
    )?;
    let token_file = match &role.oidc_token_file {
        Some(file) => file.clone(),
        None => PathBuf::from(setting(None, "oidc_token_file", TOKEN_FILE, environment)?),
    };
    let mut session = role.session.clone();
    session.name = session
        .name
        .or_else(|| environment.value(SESSION_NAME).map(str::to_owned));
    // Read at every refresh: the kubelet replaces the token before it expires.
    let token = access_key::read_secret(&token_file, &context.files).await?;
    if !TOKEN_LENGTH.contains(&token.expose().len()) {
        return Err(Problem::Malformed(format!(
            "{} holds no token: it has {} characters",
            token_file.display(),
            token.expose().len()
        )));
    }
    let endpoint = sts::endpoint(
        role.sts_endpoint.as_ref(),
        ProfileKeys::default(),
        environment,
    )
    .map_err(Problem::Malformed)?;
    let request = AssumeRole {
        endpoint: &endpoint,
        role_arn,
        session: &session,
        identity: Identity::Token {
            token: &token,
            oidc_provider_arn,
        },
    };
    let credential = sts::assume(context, &request).await?;
    Ok(Loaded {
        credential,
        provider: ProviderName::new(NAME),
        check_again: None,
    })
}

/// Loads credentials as a link of the default chain. The variable of the role alone does not
/// configure this provider, since other tools use it too.
pub(super) async fn load_if_configured(
    chain: &DefaultChain,
    context: &Context,
) -> Result<Loaded, Problem> {
    if [PROVIDER_ARN, TOKEN_FILE]
        .iter()
        .all(|name| context.environment.value(name).is_none())
    {
        return Err(Problem::NotConfigured(format!("{TOKEN_FILE} is not set")));
    }
    let role = OidcRoleArn {
        sts_endpoint: chain.sts_endpoint.clone(),
        ..OidcRoleArn::default()
    };
    load(&role, context).await
}

fn setting<'a>(
    configured: Option<&'a str>,
    key: &str,
    variable: &str,
    environment: &'a Environment,
) -> Result<&'a str, Problem> {
    configured
        .or_else(|| environment.value(variable))
        .ok_or_else(|| Problem::Incomplete(format!("neither {key} nor {variable} is set")))
}
