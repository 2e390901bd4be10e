//! The `credentials` mapping as it is written, a table for each type: the keys of another type are
//! unknown keys.

use serde::Deserialize;
use serde::de::DeserializeOwned;

#[cfg(test)]
use super::schema;
use ack_client::secret::Secret;

use crate::config::duration::Friendly;
use crate::config::raw::Untyped;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Tag {
    #[serde(rename = "type")]
    pub(super) kind: Option<Kind>,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// The vendor's default chain: environment, RRSA, CLI profile, INI profile, ECS role, URI.
    #[default]
    Default,
    /// A key pair.
    AccessKey,
    /// A RAM role, assumed with other credentials.
    RamRoleArn,
    /// A RAM role, assumed with the token of a Kubernetes service account (RRSA).
    OidcRoleArn,
    /// The role of the machine, from its metadata service.
    EcsRamRole,
    /// A server of your own that hands out credentials.
    CredentialsUri,
    /// A profile of the vendor's command line.
    Profile,
}

impl Kind {
    pub(super) const ALL: [Self; 7] = [
        Self::Default,
        Self::AccessKey,
        Self::RamRoleArn,
        Self::OidcRoleArn,
        Self::EcsRamRole,
        Self::CredentialsUri,
        Self::Profile,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::AccessKey => "access_key",
            Self::RamRoleArn => "ram_role_arn",
            Self::OidcRoleArn => "oidc_role_arn",
            Self::EcsRamRole => "ecs_ram_role",
            Self::CredentialsUri => "credentials_uri",
            Self::Profile => "profile",
        }
    }

    /// Whether a mapping of this type may have `key`.
    pub(super) fn knows(self, key: &str) -> bool {
        match self {
            Self::Default => is_key_of::<DefaultChain>(key),
            Self::AccessKey => is_key_of::<KeyPair>(key),
            Self::RamRoleArn => is_key_of::<RamRoleArn>(key),
            Self::OidcRoleArn => is_key_of::<OidcRoleArn>(key),
            Self::EcsRamRole => is_key_of::<EcsRamRole>(key),
            Self::CredentialsUri => is_key_of::<CredentialsUri>(key),
            Self::Profile => is_key_of::<Profile>(key),
        }
    }
}

fn is_key_of<T: DeserializeOwned>(key: &str) -> bool {
    serde_json::from_value::<T>(serde_json::json!({ key: null })).is_ok()
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(transform = schema::default_chain))]
#[serde(deny_unknown_fields, default)]
pub(super) struct DefaultChain {
    /// The STS server that is asked, in place of the usual one.
    pub(super) sts_endpoint: Option<String>,
    /// The metadata service that is asked, in place of the usual one.
    pub(super) metadata_endpoint: Option<String>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(transform = schema::key_pair))]
#[serde(deny_unknown_fields, default)]
pub(super) struct KeyPair {
    /// The public half of the key.
    pub(super) access_key_id: Option<String>,
    /// The secret half; rather put it into a file.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) access_key_secret: Option<Secret>,
    /// The file with the secret half, read again when it changes.
    pub(super) access_key_secret_file: Option<String>,
    /// The token of temporary credentials.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) security_token: Option<Secret>,
    /// The file with the token, read again when it changes.
    pub(super) security_token_file: Option<String>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(transform = schema::ram_role_arn))]
#[serde(deny_unknown_fields, default)]
pub(super) struct RamRoleArn {
    /// The role, such as `acs:ram::1234567890123456:role/name`.
    pub(super) role_arn: Option<String>,
    /// The session's name in the vendor's audit log.
    pub(super) role_session_name: Option<String>,
    /// How long the credentials last: 15m to 12h, and no longer than the role allows.
    pub(super) duration: Option<Friendly>,
    /// A RAM policy in JSON that narrows the role's.
    pub(super) policy: Option<String>,
    /// What the role's trust policy asks to be told.
    pub(super) external_id: Option<String>,
    /// The STS server that is asked, in place of the usual one.
    pub(super) sts_endpoint: Option<String>,
    /// Credentials that may assume the role; without them, a key pair beside it or the default
    /// chain.
    pub(super) source: Option<Untyped>,
    /// The public half of the key.
    pub(super) access_key_id: Option<String>,
    /// The secret half; rather put it into a file.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) access_key_secret: Option<Secret>,
    /// The file with the secret half, read again when it changes.
    pub(super) access_key_secret_file: Option<String>,
    /// The token of temporary credentials.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) security_token: Option<Secret>,
    /// The file with the token, read again when it changes.
    pub(super) security_token_file: Option<String>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(transform = schema::oidc_role_arn))]
#[serde(deny_unknown_fields, default)]
pub(super) struct OidcRoleArn {
    /// The role, such as `acs:ram::1234567890123456:role/name`; without it, the environment's.
    pub(super) role_arn: Option<String>,
    /// The identity provider that the role trusts; without it, the environment's.
    pub(super) oidc_provider_arn: Option<String>,
    /// The file with the token, read at every refresh; without it, the environment's.
    pub(super) oidc_token_file: Option<String>,
    /// The session's name in the vendor's audit log.
    pub(super) role_session_name: Option<String>,
    /// How long the credentials last: 15m to 12h, and no longer than the role allows.
    pub(super) duration: Option<Friendly>,
    /// A RAM policy in JSON that narrows the role's.
    pub(super) policy: Option<String>,
    /// The STS server that is asked, in place of the usual one.
    pub(super) sts_endpoint: Option<String>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(transform = schema::ecs_ram_role))]
#[serde(deny_unknown_fields, default)]
pub(super) struct EcsRamRole {
    /// The role; without it, the metadata service is asked.
    pub(super) role_name: Option<String>,
    /// The metadata service that is asked, in place of the usual one.
    pub(super) metadata_endpoint: Option<String>,
    /// Whether the metadata service is never asked without a token.
    pub(super) disable_imds_v1: Option<bool>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(transform = schema::credentials_uri))]
#[serde(deny_unknown_fields, default)]
pub(super) struct CredentialsUri {
    /// Its address: `http://` or `https://`, a host, perhaps a path.
    pub(super) uri: Option<String>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Profile {
    /// Its name; without it, the environment's, else the file's current one.
    pub(super) profile: Option<String>,
    /// The file; without it, the environment's, else `~/.aliyun/config.json`.
    pub(super) config_file: Option<String>,
}
