//! The providers of credentials and their settings. Each has a type that cannot hold incomplete or
//! contradictory settings. Profile files are converted to the same types.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use http::Uri;

use crate::endpoint::Endpoint;
use crate::secret::Secret;

/// A provider of credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provider {
    /// The default chain of Alibaba Cloud's SDKs.
    Default(DefaultChain),
    /// A key pair, given directly or in files.
    AccessKey {
        /// The public half.
        access_key_id: String,
        /// The secret half.
        access_key_secret: SecretSource,
        /// The token of temporary credentials.
        security_token: Option<SecretSource>,
    },
    /// A RAM role that is assumed with other credentials.
    RamRoleArn(RamRoleArn),
    /// A RAM role that is assumed with the token of a Kubernetes service account (RRSA).
    OidcRoleArn(OidcRoleArn),
    /// The RAM role of an ECS instance, from its metadata service.
    EcsRamRole(EcsRamRole),
    /// A server of the operator that gives credentials.
    CredentialsUri(CredentialsUri),
    /// A profile of the aliyun command line.
    Profile(Profile),
}

impl Default for Provider {
    fn default() -> Self {
        Self::Default(DefaultChain::default())
    }
}

/// The place of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The secret itself.
    Inline(Secret),
    /// A file, which is read again when it changes.
    File(PathBuf),
}

/// The default chain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DefaultChain {
    /// The endpoint of STS. It precedes those of the environment and of profiles.
    pub sts_endpoint: Option<Endpoint>,
    /// The endpoint of the metadata service, in place of `http://100.100.100.200`.
    pub metadata_endpoint: Option<Endpoint>,
}

/// The session of an assumed role.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoleSession {
    /// The name in Alibaba Cloud's audit log, in place of that of the [`Context`](super::Context).
    pub name: Option<String>,
    /// The lifetime of the credentials, in place of one hour.
    pub duration: Option<Duration>,
    /// A policy that narrows that of the role.
    pub policy: Option<String>,
}

/// A RAM role that is assumed with other credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RamRoleArn {
    /// The credentials that assume the role.
    pub source: Box<Provider>,
    /// The ARN of the role.
    pub role_arn: String,
    /// The session.
    pub session: RoleSession,
    /// The external ID that the role's trust policy requires.
    pub external_id: Option<String>,
    /// The endpoint of STS. It precedes that of the environment.
    pub sts_endpoint: Option<Endpoint>,
}

/// A RAM role that is assumed with an OIDC token. Absent settings are taken from the environment,
/// where ACK's webhook (ack-pod-identity-webhook) puts them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OidcRoleArn {
    /// The ARN of the role.
    pub role_arn: Option<String>,
    /// The ARN of the identity provider that the role trusts.
    pub oidc_provider_arn: Option<String>,
    /// The file with the token. It is read at every refresh.
    pub oidc_token_file: Option<PathBuf>,
    /// The session.
    pub session: RoleSession,
    /// The endpoint of STS. It precedes that of the environment.
    pub sts_endpoint: Option<Endpoint>,
}

/// The RAM role of an ECS instance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EcsRamRole {
    /// The name of the role. Without one, the metadata service gives it.
    pub role_name: Option<String>,
    /// The endpoint of the metadata service, in place of `http://100.100.100.200`.
    pub metadata_endpoint: Option<Endpoint>,
    /// The use of `IMDSv1`, if the metadata service gives no token.
    pub imds_v1: ImdsV1,
}

/// The rule for requests to the metadata service without a token (`IMDSv1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImdsV1 {
    /// They are allowed if the service gives no token.
    #[default]
    Allowed,
    /// They are never sent.
    Disabled,
}

/// A profile of the aliyun command line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// The name. Without one, that in the environment is used, else the file's current profile.
    pub name: Option<String>,
    /// The file. Without one, that in the environment is used, else `~/.aliyun/config.json`.
    pub config_file: Option<PathBuf>,
}

/// The URI of a server that gives credentials. It prints without its path and query, which may
/// contain a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct CredentialsUri(Uri);

impl CredentialsUri {
    /// Parses a URI with `http://` or `https://`, a host, and no user name. The error does not
    /// repeat `text`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const COMPLAINT: &str =
            "must be http:// or https://, a host, perhaps a path, and no user name";
        let uri: Uri = text.parse().map_err(|_| COMPLAINT)?;
        let has_no_user = uri
            .authority()
            .is_some_and(|authority| !authority.as_str().contains('@'));
        if has_no_user && matches!(uri.scheme_str(), Some("http" | "https")) {
            Ok(Self(uri))
        } else {
            Err(COMPLAINT)
        }
    }

    /// The whole URI, for sending alone.
    pub fn expose(&self) -> &Uri {
        &self.0
    }

    /// The host, and the port if there is one.
    pub fn authority(&self) -> &str {
        self.0
            .authority()
            .map_or("", |authority| authority.as_str())
    }
}

impl fmt::Display for CredentialsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}/…",
            self.0.scheme_str().unwrap_or_default(),
            self.authority()
        )
    }
}

impl fmt::Debug for CredentialsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Parses the endpoint of STS. Without a scheme, as in the SDKs' settings, it is https.
pub fn sts_endpoint(text: &str) -> Result<Endpoint, String> {
    endpoint(text, "https")
}

/// Parses the endpoint of a metadata service. Without a scheme, it is http.
pub fn metadata_endpoint(text: &str) -> Result<Endpoint, String> {
    endpoint(text, "http")
}

fn endpoint(text: &str, scheme: &str) -> Result<Endpoint, String> {
    if text.contains("://") {
        Endpoint::parse(text)
    } else {
        Endpoint::parse(&format!("{scheme}://{text}"))
    }
}
