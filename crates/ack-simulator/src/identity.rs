//! Roles, OIDC tokens and temporary keys: the rules of the simulated STS and metadata service.

pub(crate) mod metadata;
pub(crate) mod sts;

use std::time::Duration;

use ack_client::secret::Secret;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::Simulator;
use crate::auth::keys::{SessionToken, StoredKey};
use crate::random::mix;
use crate::world::clock::utc;

/// The rules of the simulated STS and metadata service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identities {
    /// The roles that exist and can be assumed.
    pub role_arns: Vec<String>,
    /// The external ID that a call of `AssumeRole` must name, if any.
    pub external_id: Option<String>,
    /// The only OIDC token that is accepted.
    pub oidc_token: String,
    /// The lifetime of temporary keys; `None` gives each caller what it asks for.
    pub key_lifetime: Option<Duration>,
    /// The name of the instance's role.
    pub instance_role: String,
    /// The versions of the metadata service.
    pub metadata: MetadataVersions,
}

/// The versions of the metadata service that are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataVersions {
    /// With and without a session token.
    Both,
    /// Without a session token only.
    OnlyV1,
    /// With a session token only.
    OnlyV2,
    /// Neither: the instance has no role.
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

/// A temporary key in the body of a response.
// Plain strings and not `Secret`, which cannot be serialised; the simulator invented them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct IssuedCredentials {
    access_key_id: String,
    access_key_secret: String,
    security_token: String,
    expiration: String,
}

/// The lifetime of keys of the metadata service and the credentials URI.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(6 * 3600);

impl Simulator {
    /// Issues a temporary key for `requested`, or for the lifetime that the rules fix.
    fn issue(&self, requested: Duration, now: Timestamp) -> IssuedCredentials {
        let lifetime = self
            .with_identities(|identities| identities.key_lifetime)
            .unwrap_or(requested);
        let expires_at = SignedDuration::try_from(lifetime)
            .ok()
            .and_then(|lifetime| now.checked_add(lifetime).ok())
            .unwrap_or(now);
        let number = self.next_number();
        let word = |salt| format!("{:016x}", mix(&[self.seed, salt, number]));
        let issued = IssuedCredentials {
            access_key_id: format!("STS.NTDemo{}", word(80)),
            access_key_secret: format!("DemoOnly{}{}", word(81), word(82)),
            security_token: format!("CAISDemo+/{}{}==", word(83), word(84)),
            expiration: utc(expires_at),
        };
        let key = StoredKey {
            secret: Secret::new(issued.access_key_secret.clone()),
            session: Some(SessionToken {
                token: Secret::new(issued.security_token.clone()),
                expires_at,
            }),
        };
        self.keys.add(&issued.access_key_id, key);
        issued
    }
}
