//! Profiles of the older SDKs, `~/.alibabacloud/credentials`, in INI format.
//!
//! Source: the credentials SDKs, which use the section that `ALIBABA_CLOUD_PROFILE` names, else
//! `default`.

mod format;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::{PROFILE, SelectedProfile, read_file};
use crate::Endpoint;
use crate::credentials::context::{Context, Environment, is_on};
use crate::credentials::error::{Problem, ProviderName};
use crate::credentials::sts::{self, ProfileKeys};
use crate::credentials::{
    DefaultChain, EcsRamRole, ImdsV1, OidcRoleArn, Provider, RamRoleArn, RoleSession, SecretSource,
};
use crate::secret::Secret;

pub(in crate::credentials) const NAME: &str = "ini_profile";

const FILE: &str = "ALIBABA_CLOUD_CREDENTIALS_FILE";
const DEFAULT_PATHS: [&str; 2] = [".alibabacloud/credentials", ".alibabacloud/credentials.ini"];

/// Finds the profile that is a link of the default chain.
pub(in crate::credentials) async fn find(
    chain: &DefaultChain,
    context: &Context,
) -> Result<SelectedProfile, Problem> {
    let environment = &context.environment;
    let named = environment.value(PROFILE);
    let name = named.unwrap_or("default");
    let missing = match read_file(FILE, &DEFAULT_PATHS, context).await {
        Err(Problem::NotConfigured(missing)) => missing,
        Err(problem) => return Err(problem),
        Ok((path, text)) => {
            let place = path.display();
            let keys = format::section(&text, name).map_err(|line| {
                Problem::Malformed(format!("{place} is not INI, at line {line}"))
            })?;
            match keys {
                Some(keys) => {
                    let section = Section {
                        name,
                        path: &path,
                        keys,
                        chain,
                        environment,
                    };
                    return section.select();
                }
                None => format!("{place} has no section [{name}]"),
            }
        }
    };
    // No other file follows, so a file or a profile that the environment names is an error now.
    if named.is_some() {
        Err(Problem::Incomplete(format!(
            "there is no profile {name:?}, which {PROFILE} names: {missing}"
        )))
    } else if environment.value(FILE).is_some() {
        Err(Problem::Incomplete(missing))
    } else {
        Err(Problem::NotConfigured(missing))
    }
}

/// A section of the file. It has no `Debug`, since some values are secrets.
struct Section<'a> {
    name: &'a str,
    path: &'a Path,
    keys: BTreeMap<&'a str, &'a str>,
    chain: &'a DefaultChain,
    environment: &'a Environment,
}

impl Section<'_> {
    fn select(&self) -> Result<SelectedProfile, Problem> {
        let kind = self.required("type")?;
        let provider = match kind {
            "access_key" => self.access_key()?,
            "ecs_ram_role" => Provider::EcsRamRole(EcsRamRole {
                role_name: self.owned("role_name"),
                metadata_endpoint: self.chain.metadata_endpoint.clone(),
                imds_v1: ImdsV1::Allowed,
            }),
            "ram_role_arn" => Provider::RamRoleArn(RamRoleArn {
                source: Box::new(self.access_key()?),
                role_arn: self.required("role_arn")?.to_owned(),
                session: self.session(),
                external_id: self.owned("external_id"),
                sts_endpoint: Some(self.sts_endpoint()?),
            }),
            "oidc_role_arn" => Provider::OidcRoleArn(OidcRoleArn {
                role_arn: self.owned("role_arn"),
                oidc_provider_arn: self.owned("oidc_provider_arn"),
                oidc_token_file: self
                    .value("oidc_token_file_path")
                    .or_else(|| self.value("oidc_token_file"))
                    .map(PathBuf::from),
                session: self.session(),
                sts_endpoint: Some(self.sts_endpoint()?),
            }),
            other => {
                return Err(Problem::Unsupported(format!(
                    "{self} has the type {other}, which is not supported"
                )));
            }
        };
        Ok(SelectedProfile {
            name: ProviderName::new(&format!("{NAME}:{} ({kind})", self.name)),
            provider,
        })
    }

    fn access_key(&self) -> Result<Provider, Problem> {
        Ok(Provider::AccessKey {
            access_key_id: self.required("access_key_id")?.to_owned(),
            access_key_secret: SecretSource::Inline(Secret::new(
                self.required("access_key_secret")?,
            )),
            security_token: self
                .value("security_token")
                .map(|token| SecretSource::Inline(Secret::new(token))),
        })
    }

    fn session(&self) -> RoleSession {
        RoleSession {
            name: self.owned("role_session_name"),
            duration: None,
            policy: self.owned("policy"),
        }
    }

    /// The endpoint by the keys that the command line's profiles have too.
    fn sts_endpoint(&self) -> Result<Endpoint, Problem> {
        let keys = ProfileKeys {
            sts_endpoint: self.value("sts_endpoint"),
            sts_region: self.value("sts_region"),
            enable_vpc: self.value("enable_vpc").map(is_on),
        };
        let endpoint = sts::endpoint(self.chain.sts_endpoint.as_ref(), keys, self.environment);
        endpoint.map_err(|error| Problem::Malformed(format!("{self}: {error}")))
    }

    fn required(&self, key: &str) -> Result<&str, Problem> {
        self.value(key)
            .ok_or_else(|| Problem::Incomplete(format!("{self} has no {key}")))
    }

    fn value(&self, key: &str) -> Option<&str> {
        self.keys
            .get(key)
            .copied()
            .filter(|value| !value.is_empty())
    }

    fn owned(&self, key: &str) -> Option<String> {
        self.value(key).map(str::to_owned)
    }
}

impl fmt::Display for Section<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "section [{}] of {}", self.name, self.path.display())
    }
}
