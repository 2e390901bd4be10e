//! One profile: its keys, and the provider that its mode stands for.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::Endpoint;
use crate::credentials::context::Environment;
use crate::credentials::error::Problem;
use crate::credentials::sts::{self, ProfileKeys};
use crate::credentials::{
    CredentialsUri, DefaultChain, EcsRamRole, ImdsV1, OidcRoleArn, Provider, RamRoleArn,
    RoleSession, SecretSource,
};
use crate::secret::Secret;

/// The length of a chain of source profiles. It ends a circle.
pub(super) const MAX_SOURCES: usize = 8;

/// The keys of a profile that are used. It has no `Debug`, since some values are secrets.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Entry {
    pub(super) name: Option<String>,
    mode: Option<String>,
    access_key_id: Option<String>,
    access_key_secret: Option<String>,
    sts_token: Option<String>,
    sts_region: Option<String>,
    sts_endpoint: Option<String>,
    enable_vpc: Option<bool>,
    ram_role_name: Option<String>,
    ram_role_arn: Option<String>,
    // The command line's name of the session, and the Python SDK's.
    ram_session_name: Option<String>,
    role_session_name: Option<String>,
    expired_seconds: Option<u64>,
    policy: Option<String>,
    external_id: Option<String>,
    source_profile: Option<String>,
    oidc_provider_arn: Option<String>,
    oidc_token_file: Option<String>,
    credentials_uri: Option<String>,
}

impl Entry {
    pub(super) fn mode(&self) -> &str {
        present(self.mode.as_deref()).unwrap_or_default()
    }

    /// Converts the profile to a provider. `lookup` finds its source profile; a chain of at most
    /// `sources` of them is followed.
    pub(super) fn provider(
        &self,
        lookup: &dyn Fn(&str) -> Result<Entry, Problem>,
        chain: &DefaultChain,
        environment: &Environment,
        sources: usize,
    ) -> Result<Provider, Problem> {
        match self.mode() {
            "AK" => self.access_key(None),
            "StsToken" => {
                self.access_key(Some(self.required("sts_token", self.sts_token.as_deref())?))
            }
            "RamRoleArn" => self.role(
                self.access_key(present(self.sts_token.as_deref()))?,
                chain,
                environment,
            ),
            "ChainableRamRoleArn" => {
                let name = self.required("source_profile", self.source_profile.as_deref())?;
                let sources = sources
                    .checked_sub(1)
                    .ok_or_else(|| self.complaint("its source_profiles go round in a circle"))?;
                self.role(
                    lookup(name)?.provider(lookup, chain, environment, sources)?,
                    chain,
                    environment,
                )
            }
            "EcsRamRole" => Ok(Provider::EcsRamRole(EcsRamRole {
                role_name: owned(self.ram_role_name.as_deref()),
                metadata_endpoint: chain.metadata_endpoint.clone(),
                imds_v1: ImdsV1::Allowed,
            })),
            "OIDC" => Ok(Provider::OidcRoleArn(OidcRoleArn {
                role_arn: owned(self.ram_role_arn.as_deref()),
                oidc_provider_arn: owned(self.oidc_provider_arn.as_deref()),
                oidc_token_file: present(self.oidc_token_file.as_deref()).map(PathBuf::from),
                session: self.session(),
                sts_endpoint: Some(self.sts_endpoint(chain, environment)?),
            })),
            "CredentialsURI" => {
                let uri = self.required("credentials_uri", self.credentials_uri.as_deref())?;
                let uri = CredentialsUri::parse(uri)
                    .map_err(|complaint| self.complaint(&format!("credentials_uri {complaint}")))?;
                Ok(Provider::CredentialsUri(uri))
            }
            "" => Err(self.complaint("it has no mode")),
            mode => Err(Problem::Unsupported(format!(
                "the profile {:?} {}",
                self.name(),
                unsupported(mode)
            ))),
        }
    }

    fn access_key(&self, token: Option<&str>) -> Result<Provider, Problem> {
        let secret = |text: &str| SecretSource::Inline(Secret::new(text));
        Ok(Provider::AccessKey {
            access_key_id: self
                .required("access_key_id", self.access_key_id.as_deref())?
                .to_owned(),
            access_key_secret: secret(
                self.required("access_key_secret", self.access_key_secret.as_deref())?,
            ),
            security_token: token.map(secret),
        })
    }

    fn role(
        &self,
        source: Provider,
        chain: &DefaultChain,
        environment: &Environment,
    ) -> Result<Provider, Problem> {
        Ok(Provider::RamRoleArn(RamRoleArn {
            source: Box::new(source),
            role_arn: self
                .required("ram_role_arn", self.ram_role_arn.as_deref())?
                .to_owned(),
            session: self.session(),
            external_id: owned(self.external_id.as_deref()),
            sts_endpoint: Some(self.sts_endpoint(chain, environment)?),
        }))
    }

    fn session(&self) -> RoleSession {
        RoleSession {
            name: owned(self.ram_session_name.as_deref())
                .or_else(|| owned(self.role_session_name.as_deref())),
            duration: self
                .expired_seconds
                .filter(|seconds| *seconds > 0)
                .map(Duration::from_secs),
            policy: owned(self.policy.as_deref()),
        }
    }

    fn sts_endpoint(
        &self,
        chain: &DefaultChain,
        environment: &Environment,
    ) -> Result<Endpoint, Problem> {
        let keys = ProfileKeys {
            sts_endpoint: present(self.sts_endpoint.as_deref()),
            sts_region: present(self.sts_region.as_deref()),
            enable_vpc: self.enable_vpc,
        };
        sts::endpoint(chain.sts_endpoint.as_ref(), keys, environment)
            .map_err(|error| self.complaint(&error))
    }

    fn required<'a>(&self, key: &str, value: Option<&'a str>) -> Result<&'a str, Problem> {
        present(value).ok_or_else(|| {
            Problem::Incomplete(format!("the profile {:?} has no {key}", self.name()))
        })
    }

    fn complaint(&self, text: &str) -> Problem {
        Problem::Malformed(format!(
            "the profile {:?} is of no use: {text}",
            self.name()
        ))
    }

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }
}

fn unsupported(mode: &str) -> String {
    let reason = match mode {
        "CloudSSO" | "OAuth" => "a person has to log in for it",
        "External" => "it runs a command",
        _ => "it is unknown",
    };
    format!("has the mode {mode}, which is not supported: {reason}")
}

/// A value that is set. The command line writes an absent one as an empty string.
fn present(value: Option<&str>) -> Option<&str> {
    value.map(str::trim).filter(|value| !value.is_empty())
}

fn owned(value: Option<&str>) -> Option<String> {
    present(value).map(str::to_owned)
}
