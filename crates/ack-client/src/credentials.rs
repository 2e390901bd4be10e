//! Credentials: the providers of Alibaba Cloud's SDKs, their default chain, and a cache that renews
//! what expires.
//!
//! [`CachedCredentials`] holds the credentials of one account. It uses a [`Loader`], which asks the
//! configured [`Provider`], one file each. Providers use the environment, files and the network
//! through a [`Context`] alone. Profiles are converted to the types of the configuration, so they
//! need no providers of their own.

mod access_key;
mod assume_role;
mod cached;
mod chain;
mod context;
mod ecs_role;
mod env;
mod error;
mod loader;
mod network;
mod oidc;
mod profile;
mod provider;
mod redaction;
mod refusal;
mod response;
mod sts;
mod uri;

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;

pub use cached::CachedCredentials;
pub use context::{Context, Environment, Files};
pub use error::{CredentialsError, Problem, ProviderName};
pub use loader::Loader;
pub use network::{Http, HttpClient, HttpError, Route};
pub use provider::{
    CredentialsUri, DefaultChain, EcsRamRole, ImdsV1, OidcRoleArn, Profile, Provider, RamRoleArn,
    RoleSession, SecretSource, metadata_endpoint, sts_endpoint,
};
pub(crate) use redaction::redact;
pub use refusal::Refusal;

use crate::secret::Secret;
use crate::sign::Key;

/// A key pair, which may be temporary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The public half, which every request contains.
    pub access_key_id: String,
    /// The secret half.
    pub access_key_secret: Secret,
    /// The token of a temporary pair.
    pub security_token: Option<Secret>,
    /// The expiry of a temporary pair.
    pub expires_at: Option<Timestamp>,
}

impl Credential {
    /// Returns true if the pair has not expired at `now`.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expiry| now < expiry)
    }

    /// Replaces the secret half and the token in `text`, which a server may have taken from a
    /// request.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.security_token {
            Some(token) => redaction::redact(&[&self.access_key_secret, token], text),
            None => redaction::redact(&[&self.access_key_secret], text),
        }
    }
}

impl<'a> From<&'a Credential> for Key<'a> {
    fn from(credential: &'a Credential) -> Self {
        Self {
            access_key_id: &credential.access_key_id,
            access_key_secret: &credential.access_key_secret,
            security_token: credential.security_token.as_ref(),
        }
    }
}

/// Credentials as a provider gives them.
#[derive(Debug)]
pub struct Loaded {
    /// The credential.
    pub credential: Credential,
    /// The provider.
    pub provider: ProviderName,
    /// The time after which to load again, if the credential has no expiry but may change.
    pub check_again: Option<Duration>,
}

#[cfg(test)]
mod tests;
