//! The `credentials` mapping.

mod provider;
mod validate;

use serde::{Deserialize, Serialize};

use super::duration::SessionDuration;
#[cfg(test)]
use super::schema;
use super::text::{
    File, MetadataEndpoint, OidcProviderArn, Policy, RoleArn, SecretText, SessionName, StsEndpoint,
    Text, Uri,
};

/// The credentials of an account. The keys that are allowed depend on the type: see [`Kind::keys`].
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(transform = schema::credentials))]
#[serde(default, deny_unknown_fields)]
pub(super) struct Credentials {
    /// The type; without it, `default`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    /// The ID of the access key, which is no secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<Text>,
    /// The secret of the access key; better kept in a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_secret: Option<SecretText>,
    /// The file with the secret of the access key; read again when it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_secret_file: Option<File>,
    /// The token of temporary credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    security_token: Option<SecretText>,
    /// The file with the token; read again when it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    security_token_file: Option<File>,
    /// The RAM role, such as `acs:ram::1234567890123456:role/name`; without it, `oidc_role_arn`
    /// takes it from the environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<RoleArn>,
    /// The OIDC identity provider that the role trusts; without it, the one in the environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    oidc_provider_arn: Option<OidcProviderArn>,
    /// The file with the OIDC token, read at every refresh; without it, the one in the environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    oidc_token_file: Option<File>,
    /// The name of the session in the audit log of Alibaba Cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    role_session_name: Option<SessionName>,
    /// The lifetime of the temporary credentials: 15m to 12h, and no longer than the role allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<SessionDuration>,
    /// A RAM policy in JSON that narrows the permissions of the role.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Policy>,
    /// The external ID that the trust policy of the role asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<Text>,
    /// The STS server, in place of the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    sts_endpoint: Option<StsEndpoint>,
    /// The role of the ECS instance; without it, the one that the metadata service names.
    #[serde(skip_serializing_if = "Option::is_none")]
    role_name: Option<Text>,
    /// The metadata service, in place of the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata_endpoint: Option<MetadataEndpoint>,
    /// Forbids calls of the metadata service without a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("default" = false)))]
    disable_imds_v1: Option<bool>,
    /// The address of the server: `http://` or `https://`, a host, perhaps a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<Uri>,
    /// The name of the profile; without it, the one in the environment, else the file's current
    /// one.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<Text>,
    /// The file with the profile; without it, the one in the environment, else
    /// `~/.aliyun/config.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    config_file: Option<File>,
    /// The credentials that assume the role; without them, an access key beside the role or the
    /// default chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Box<Credentials>>,
}

/// The type of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// The default chain: environment, RRSA, CLI profile, INI profile, ECS role, URI.
    Default,
    /// An access key.
    AccessKey,
    /// A RAM role, assumed with other credentials.
    RamRoleArn,
    /// A RAM role, assumed with the token of a Kubernetes service account (RRSA).
    OidcRoleArn,
    /// The role of the ECS instance, from its metadata service.
    EcsRamRole,
    /// A server of your own that returns credentials.
    CredentialsUri,
    /// A profile of the Alibaba Cloud CLI.
    Profile,
}

/// The keys of an access key, which may also stand beside a role.
pub(super) const ACCESS_KEY: &[&str] = &[
    "access_key_id",
    "access_key_secret",
    "access_key_secret_file",
    "security_token",
    "security_token_file",
];

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

    /// The type as it is written.
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

    /// The keys that may stand beside the type.
    pub(super) fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Default => &["sts_endpoint", "metadata_endpoint"],
            Self::AccessKey => ACCESS_KEY,
            Self::RamRoleArn => &[
                "role_arn",
                "role_session_name",
                "duration",
                "policy",
                "external_id",
                "sts_endpoint",
                "source",
                "access_key_id",
                "access_key_secret",
                "access_key_secret_file",
                "security_token",
                "security_token_file",
            ],
            Self::OidcRoleArn => &[
                "role_arn",
                "oidc_provider_arn",
                "oidc_token_file",
                "role_session_name",
                "duration",
                "policy",
                "sts_endpoint",
            ],
            Self::EcsRamRole => &["role_name", "metadata_endpoint", "disable_imds_v1"],
            Self::CredentialsUri => &["uri"],
            Self::Profile => &["profile", "config_file"],
        }
    }

    /// Returns true if `key` is allowed beside the type.
    pub(super) fn has(self, key: &str) -> bool {
        self.keys().contains(&key)
    }

    /// The one of them that must stand there, if there is one.
    pub(super) fn required(self) -> Option<&'static str> {
        match self {
            Self::AccessKey => Some("access_key_id"),
            Self::RamRoleArn => Some("role_arn"),
            Self::CredentialsUri => Some("uri"),
            Self::Default | Self::OidcRoleArn | Self::EcsRamRole | Self::Profile => None,
        }
    }
}

#[cfg(test)]
mod tests;
