//! Credentials: where they come from and how long they last.

use std::sync::Arc;

use jiff::Timestamp;

use crate::config;
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

/// Where an account's credentials come from.
#[derive(Debug)]
pub struct Credentials {
    fixed: Arc<Credential>,
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {}

impl Credentials {
    /// Credentials as configured.
    pub fn of(config: &config::Credentials) -> Self {
        let config::Credentials::AccessKey { access_key_id, access_key_secret: config::SecretSource::Inline(secret), .. } = config else {
            return Self::fixed(Credential {
                access_key_id: String::new(),
                access_key_secret: Secret::new(""),
                security_token: None,
                expires_at: None,
            });
        };
        Self::fixed(Credential {
            access_key_id: access_key_id.clone(),
            access_key_secret: secret.clone(),
            security_token: None,
            expires_at: None,
        })
    }

    /// Credentials that never change.
    pub fn fixed(credential: Credential) -> Self {
        Self { fixed: Arc::new(credential) }
    }

    /// The present credentials.
    #[expect(clippy::unused_async, reason = "other providers ask a server")]
    pub async fn current(&self) -> Result<Arc<Credential>, CredentialsError> {
        Ok(Arc::clone(&self.fixed))
    }

    /// Forgets `refused`, which the vendor says has expired.
    pub fn invalidate(&self, _refused: &Credential) {}

    /// The provider's name.
    pub fn provider(&self) -> Option<String> {
        Some("access_key".to_owned())
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
