//! The ways to log in, each with its settings: one type for each, in which what is missing or
//! contradictory can't be written down. Profile files are read into the same types.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use http::Uri;

use crate::endpoint::Endpoint;
use crate::secret::Secret;

/// How to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provider {
    /// The vendor's default chain.
    Default(DefaultChain),
    /// A key pair from the file or from files it names.
    AccessKey {
        /// The public half.
        access_key_id: String,
        /// The secret half.
        access_key_secret: SecretSource,
        /// The token of temporary credentials.
        security_token: Option<SecretSource>,
    },
    /// A RAM role, assumed with other credentials.
    RamRoleArn(RamRoleArn),
    /// A RAM role, assumed with the token of a Kubernetes service account (RRSA).
    OidcRoleArn(OidcRoleArn),
    /// The role of the machine, from its metadata service.
    EcsRamRole(EcsRamRole),
    /// A server of the operator's own.
    CredentialsUri(CredentialsUri),
    /// A profile of the vendor's command line.
    Profile(Profile),
}

impl Default for Provider {
    fn default() -> Self {
        Self::Default(DefaultChain::default())
    }
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In the configuration itself.
    Inline(Secret),
    /// In a file, read again when it changes.
    File(PathBuf),
}

/// The default chain: where its calls go, if not to the usual places.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DefaultChain {
    /// STS, ahead of what the environment and profiles say.
    pub sts_endpoint: Option<Endpoint>,
    /// The metadata service.
    pub metadata_endpoint: Option<Endpoint>,
}

/// What is asked for when a role is assumed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoleSession {
    /// The name that the vendor's audit log shows.
    pub name: Option<String>,
    /// How long the credentials last.
    pub duration: Option<Duration>,
    /// A policy that narrows the role's.
    pub policy: Option<String>,
}

/// A role that is assumed with other credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RamRoleArn {
    /// The credentials that may assume it.
    pub source: Box<Provider>,
    /// The role.
    pub role_arn: String,
    /// The session.
    pub session: RoleSession,
    /// What the role's trust policy asks to be told.
    pub external_id: Option<String>,
    /// STS, ahead of what the environment says.
    pub sts_endpoint: Option<Endpoint>,
}

/// A role that is assumed with an OIDC token. What is absent is taken from the environment, where
/// the vendor's webhook puts it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OidcRoleArn {
    /// The role.
    pub role_arn: Option<String>,
    /// The identity provider that the role trusts.
    pub oidc_provider_arn: Option<String>,
    /// The file with the token; read at every refresh.
    pub oidc_token_file: Option<PathBuf>,
    /// The session.
    pub session: RoleSession,
    /// STS, ahead of what the environment says.
    pub sts_endpoint: Option<Endpoint>,
}

/// The role of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EcsRamRole {
    /// The role; without it, the metadata service is asked.
    pub role_name: Option<String>,
    /// The metadata service.
    pub metadata_endpoint: Option<Endpoint>,
    /// What happens where the metadata service issues no tokens.
    pub imds_v1: ImdsV1,
}

/// Whether the metadata service may be asked without a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImdsV1 {
    /// Where it issues none.
    #[default]
    Allowed,
    /// Never.
    Disabled,
}

/// A profile of the vendor's command line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// Its name; without it, the one in the environment, else the file's current one.
    pub name: Option<String>,
    /// The file; without it, the one in the environment, else `~/.aliyun/config.json`.
    pub config_file: Option<PathBuf>,
}

/// The address of a server that hands out credentials. Shown without what follows the host, which
/// may hold a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct CredentialsUri(Uri);

impl CredentialsUri {
    /// Checks `text`: `http://` or `https://`, a host, and no user name. The messages do not repeat
    /// it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const COMPLAINT: &str =
            "must be http:// or https://, a host, perhaps a path, and no user name";
        let uri: Uri = text.parse().map_err(|_| COMPLAINT)?;
        let anonymous = uri
            .authority()
            .is_some_and(|authority| !authority.as_str().contains('@'));
        if anonymous && matches!(uri.scheme_str(), Some("http" | "https")) {
            Ok(Self(uri))
        } else {
            Err(COMPLAINT)
        }
    }

    /// The whole address; only for sending.
    pub fn expose(&self) -> &Uri {
        &self.0
    }

    /// The host, with its port if it has one.
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

/// Reads the address of an STS server; the vendor's own settings leave the scheme out.
pub fn sts_endpoint(text: &str) -> Result<Endpoint, String> {
    endpoint(text, "https")
}

/// Reads the address of a metadata service, which speaks plain HTTP unless the operator says
/// otherwise.
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
