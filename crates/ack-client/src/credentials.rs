//! Credentials: where they come from and how long they last.
//!
//! [`CachedCredentials`] keeps one account's at hand. It asks a loader, which knows one provider a file:
//! each turns its part of the configuration, and what it finds through the [`Context`], into one
//! [`Credential`]. Profiles are read into the configuration's own types, so they need no providers
//! of their own.

mod assume_role;
mod cached;
mod chain;
mod context;
mod ecs_role;
mod env;
mod error;
mod file;
mod hidden;
mod ini;
mod loader;
mod network;
mod oidc;
mod profile;
mod provider;
mod reply;
mod sts;
mod uri;

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;

pub use cached::CachedCredentials;
pub use context::{Context, Environment, Files};
pub use error::{CredentialsError, Problem, ProviderName, Refusal};
pub use loader::Loader;
pub use network::{Http, HttpError, Online, Route};
pub use provider::{
    CredentialsUri, DefaultChain, EcsRamRole, ImdsV1, OidcRoleArn, Profile, Provider, RamRoleArn,
    RoleSession, SecretSource, metadata_endpoint, sts_endpoint,
};

use crate::secret::Secret;
use crate::sign::Key;

/// A key pair, perhaps a temporary one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The public half; it is on the wire of every request.
    pub access_key_id: String,
    /// The secret half.
    pub access_key_secret: Secret,
    /// The token of a temporary pair.
    pub security_token: Option<Secret>,
    /// When a temporary pair runs out.
    pub expires_at: Option<Timestamp>,
}

impl Credential {
    /// Whether it has not run out yet.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expiry| now < expiry)
    }

    /// `text` without the secret half and the token; a server may repeat what it was sent.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.security_token {
            Some(token) => hidden::hide(&[&self.access_key_secret, token], text),
            None => hidden::hide(&[&self.access_key_secret], text),
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

/// What a provider came up with.
#[derive(Debug)]
pub struct Loaded {
    /// The credential.
    pub credential: Credential,
    /// The provider it came from.
    pub provider: ProviderName,
    /// When to ask again, if the credential does not say how long it lasts but may change.
    pub check_again: Option<Duration>,
}

#[cfg(test)]
mod tests;
