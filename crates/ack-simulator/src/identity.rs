//! Who may become whom: roles, OIDC tokens, the instance's role, and the temporary keys that they
//! lead to.

pub(crate) mod metadata;
pub(crate) mod sts;

use std::time::Duration;

use ack_client::secret::Secret;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::Sim;
use crate::auth::keys::{Known, Temporary};
use crate::random::mix;
use crate::world::clock::utc;

/// The rules of the simulated STS and metadata service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identities {
    /// The roles that may be assumed; all others do not exist.
    pub role_arns: Vec<String>,
    /// What a caller of `AssumeRole` must name, if anything.
    pub external_id: Option<String>,
    /// The content of the token file that counts as genuine.
    pub oidc_token: String,
    /// How long temporary keys last; without it, as long as the caller asks.
    pub key_lifetime: Option<Duration>,
    /// The name of the instance's role.
    pub instance_role: String,
    /// What the metadata service speaks.
    pub metadata: MetadataVersions,
}

/// The versions of the metadata service that are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataVersions {
    /// With and without a session token.
    Both,
    /// Without only: there are no session tokens.
    OnlyV1,
    /// With one only.
    OnlyV2,
    /// None: there is no role on this instance.
    Off,
}

impl Default for Identities {
    fn default() -> Self {
        Self {
            role_arns: vec!["acs:ram::1000000000000001:role/ack-upgrade-exporter".to_owned()],
            external_id: None,
            oidc_token: "demo-oidc-token".to_owned(),
            key_lifetime: None,
            instance_role: "ack-upgrade-exporter".to_owned(),
            metadata: MetadataVersions::Both,
        }
    }
}

/// A temporary key as it is handed out. The one place where the stand-in writes a secret; it is one
/// of its own.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct IssuedKey {
    pub(crate) access_key_id: String,
    pub(crate) access_key_secret: String,
    pub(crate) security_token: String,
    pub(crate) expiration: String,
}

/// How long the keys of the metadata service and the credentials URI last.
pub(crate) const USUAL_LIFETIME: Duration = Duration::from_secs(6 * 3600);

impl Sim {
    /// Makes and remembers a temporary key that lasts for `asked`, unless the rules say otherwise.
    pub(crate) fn issue(&self, asked: Duration, now: Timestamp) -> IssuedKey {
        let lifetime = self
            .with_identities(|identities| identities.key_lifetime)
            .unwrap_or(asked);
        let expires_at = SignedDuration::try_from(lifetime)
            .ok()
            .and_then(|lifetime| now.checked_add(lifetime).ok())
            .unwrap_or(now);
        let number = self.next_number();
        let word = |salt| format!("{:016x}", mix(&[self.seed, salt, number]));
        let issued = IssuedKey {
            access_key_id: format!("STS.NTDemo{}", word(80)),
            access_key_secret: format!("DemoOnly{}{}", word(81), word(82)),
            security_token: format!("CAISDemo+/{}{}==", word(83), word(84)),
            expiration: utc(expires_at),
        };
        let temporary = Temporary {
            token: Secret::new(issued.security_token.clone()),
            expires_at,
        };
        let known = Known {
            secret: Secret::new(issued.access_key_secret.clone()),
            temporary: Some(temporary),
        };
        self.keys.add(&issued.access_key_id, known);
        issued
    }
}
