//! The `credentials` mapping as it is written, a table for each type: the keys of another type are unknown keys.

use std::time::Duration;

use serde::Deserialize;

use crate::config::duration;
use crate::config::raw::Untyped;
use crate::secret::Secret;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Tag {
    #[serde(rename = "type")]
    pub(super) kind: Option<Kind>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    #[default]
    Default,
    AccessKey,
    RamRoleArn,
    OidcRoleArn,
    EcsRamRole,
    CredentialsUri,
    Profile,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DefaultChain {
    pub(super) sts_endpoint: Option<String>,
    pub(super) metadata_endpoint: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KeyPair {
    pub(super) access_key_id: Option<String>,
    pub(super) access_key_secret: Option<Secret>,
    pub(super) access_key_secret_file: Option<String>,
    pub(super) security_token: Option<Secret>,
    pub(super) security_token_file: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RamRoleArn {
    pub(super) role_arn: Option<String>,
    pub(super) role_session_name: Option<String>,
    #[serde(deserialize_with = "duration::optional")]
    pub(super) duration: Option<Duration>,
    pub(super) policy: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) sts_endpoint: Option<String>,
    pub(super) source: Option<Untyped>,
    pub(super) access_key_id: Option<String>,
    pub(super) access_key_secret: Option<Secret>,
    pub(super) access_key_secret_file: Option<String>,
    pub(super) security_token: Option<Secret>,
    pub(super) security_token_file: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OidcRoleArn {
    pub(super) role_arn: Option<String>,
    pub(super) oidc_provider_arn: Option<String>,
    pub(super) oidc_token_file: Option<String>,
    pub(super) role_session_name: Option<String>,
    #[serde(deserialize_with = "duration::optional")]
    pub(super) duration: Option<Duration>,
    pub(super) policy: Option<String>,
    pub(super) sts_endpoint: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EcsRamRole {
    pub(super) role_name: Option<String>,
    pub(super) metadata_endpoint: Option<String>,
    pub(super) disable_imds_v1: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CredentialsUri {
    pub(super) uri: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Profile {
    pub(super) profile: Option<String>,
    pub(super) config_file: Option<String>,
}
