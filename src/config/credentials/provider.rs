//! The conversion of the keys into the types of the client.

use ack_client::credentials::{
    DefaultChain, EcsRamRole, ImdsV1, OidcRoleArn, Profile, Provider, RamRoleArn, RoleSession,
    SecretSource,
};

use super::{Credentials, Kind};
use crate::config::text::{File, SecretText};

impl Credentials {
    /// The way to log in.
    pub(in crate::config) fn provider(&self) -> Provider {
        self.complete()
            .expect("the validator refuses credentials that lack a key")
    }

    /// The way to log in, unless a key is missing.
    fn complete(&self) -> Option<Provider> {
        let sts_endpoint = self.sts_endpoint.as_ref().map(|server| server.0.clone());
        let metadata_endpoint = self
            .metadata_endpoint
            .as_ref()
            .map(|server| server.0.clone());
        let role_arn = self.role_arn.as_ref().map(|role| role.0.clone());
        Some(match self.kind.unwrap_or(Kind::Default) {
            Kind::Default => Provider::Default(DefaultChain {
                sts_endpoint,
                metadata_endpoint,
            }),
            Kind::AccessKey => Provider::AccessKey {
                access_key_id: self.access_key_id.as_ref()?.0.clone(),
                access_key_secret: secret(
                    self.access_key_secret.as_ref(),
                    self.access_key_secret_file.as_ref(),
                )?,
                security_token: secret(
                    self.security_token.as_ref(),
                    self.security_token_file.as_ref(),
                ),
            },
            Kind::RamRoleArn => Provider::RamRoleArn(RamRoleArn {
                source: Box::new(self.source.as_ref()?.complete()?),
                role_arn: role_arn?,
                session: self.session(),
                external_id: self.external_id.as_ref().map(|id| id.0.clone()),
                sts_endpoint,
            }),
            Kind::OidcRoleArn => Provider::OidcRoleArn(OidcRoleArn {
                role_arn,
                oidc_provider_arn: self.oidc_provider_arn.as_ref().map(|arn| arn.0.clone()),
                oidc_token_file: self.oidc_token_file.as_ref().map(|file| file.0.clone()),
                session: self.session(),
                sts_endpoint,
            }),
            Kind::EcsRamRole => Provider::EcsRamRole(EcsRamRole {
                role_name: self.role_name.as_ref().map(|name| name.0.clone()),
                metadata_endpoint,
                imds_v1: if self.disable_imds_v1 == Some(true) {
                    ImdsV1::Disabled
                } else {
                    ImdsV1::Allowed
                },
            }),
            Kind::CredentialsUri => Provider::CredentialsUri(self.uri.as_ref()?.0.clone()),
            Kind::Profile => Provider::Profile(Profile {
                name: self.profile.as_ref().map(|name| name.0.clone()),
                config_file: self.config_file.as_ref().map(|file| file.0.clone()),
            }),
        })
    }

    fn session(&self) -> RoleSession {
        RoleSession {
            name: self.role_session_name.as_ref().map(|name| name.0.clone()),
            duration: self.duration.map(|duration| duration.0),
            policy: self.policy.as_ref().map(|policy| policy.0.clone()),
        }
    }
}

fn secret(inline: Option<&SecretText>, file: Option<&File>) -> Option<SecretSource> {
    match (inline, file) {
        (Some(SecretText(secret)), _) => Some(SecretSource::Inline(secret.clone())),
        (None, Some(File(path))) => Some(SecretSource::File(path.clone())),
        (None, None) => None,
    }
}
