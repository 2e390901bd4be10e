//! Profiles of the older SDKs, `~/.alibabacloud/credentials`, in INI form.
//!
//! Source: the credentials SDKs, which look for the section that `ALIBABA_CLOUD_PROFILE` names,
//! else for `default`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::chain::Attempt;
use super::context::{Environment, is_on};
use super::error::{CredentialsError, Problem, ProviderName};
use super::loader::Loader;
use super::profile::{self, Found, PROFILE, Selected};
use super::sts::{self, ProfileKeys};
use crate::Endpoint;
use crate::credentials::{
    DefaultChain, EcsRamRole, ImdsV1, OidcRoleArn, Provider, RamRoleArn, RoleSession, SecretSource,
};
use crate::secret::Secret;

pub(super) const NAME: &str = "ini_profile";

const FILE: &str = "ALIBABA_CLOUD_CREDENTIALS_FILE";
const USUAL_PLACES: [&str; 2] = [".alibabacloud/credentials", ".alibabacloud/credentials.ini"];

/// As part of the default chain.
pub(super) async fn attempt(
    chain: &DefaultChain,
    loader: &Loader,
) -> Result<Attempt, CredentialsError> {
    find(chain, loader)
        .await
        .map_err(|problem| problem.of(NAME))?
        .attempt(loader)
        .await
}

async fn find(chain: &DefaultChain, loader: &Loader) -> Result<Found<Selected>, Problem> {
    let environment = &loader.context().environment;
    let named = environment.value(PROFILE);
    let name = named.unwrap_or("default");
    let missed = match profile::text(FILE, &USUAL_PLACES, loader).await? {
        Found::Nothing(missed) => missed,
        Found::Here((path, text)) => {
            let keys = section(&text, name).map_err(|line| {
                Problem::Malformed(format!("{} is not INI, at line {line}", path.display()))
            })?;
            match keys {
                Some(keys) => {
                    return Section {
                        name,
                        path: &path,
                        keys,
                        chain,
                        environment,
                    }
                    .select()
                    .map(Found::Here);
                }
                None => format!("{} has no section [{name}]", path.display()),
            }
        }
    };
    // This is the last place to look: a file or a profile that is named must have been found by
    // now.
    if named.is_some() {
        Err(Problem::Incomplete(format!(
            "there is no profile {name:?}, which {PROFILE} names: {missed}"
        )))
    } else if environment.value(FILE).is_some() {
        Err(Problem::Incomplete(missed))
    } else {
        Ok(Found::Nothing(missed))
    }
}

/// The keys of the section called `name`, or the number of the line that can't be read.
fn section<'a>(text: &'a str, name: &str) -> Result<Option<BTreeMap<&'a str, &'a str>>, usize> {
    let mut found: Option<BTreeMap<_, _>> = None;
    let mut inside = false;
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            inside = header.split_once(']').ok_or(index + 1)?.0.trim() == name;
            if inside {
                found.get_or_insert_default();
            }
            continue;
        }
        let (key, value) = line.split_once(['=', ':']).ok_or(index + 1)?;
        if let Some(keys) = found.as_mut().filter(|_| inside) {
            keys.insert(key.trim(), bare(value));
        }
    }
    Ok(found)
}

/// A value without its quotes or, where it has none, without a comment behind it.
fn bare(value: &str) -> &str {
    let value = value.trim();
    for quote in ['"', '\'', '`'] {
        if let Some(inner) = value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return inner;
        }
    }
    let comment = [" #", " ;", "\t#", "\t;"]
        .iter()
        .filter_map(|start| value.find(start))
        .min();
    value[..comment.unwrap_or(value.len())].trim_end()
}

/// One section. Not shown: some of its values are secrets.
struct Section<'a> {
    name: &'a str,
    path: &'a Path,
    keys: BTreeMap<&'a str, &'a str>,
    chain: &'a DefaultChain,
    environment: &'a Environment,
}

impl Section<'_> {
    fn select(&self) -> Result<Selected, Problem> {
        let kind = self.required("type")?;
        let credentials = match kind {
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
        Ok(Selected {
            provider: ProviderName::new(&format!("{NAME}:{} ({kind})", self.name)),
            credentials,
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

    /// Of the same keys as in the command line's profiles.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::section;

    proptest! {
        #[test]
        fn no_file_is_too_odd_to_be_read_or_refused(text in r#"([\[\]=:#;"'` \n\ta-z\u{feff}é]|\[default\]\n){0,60}"#) {
            if let Ok(Some(keys)) = section(&text, "default") {
                prop_assert!(keys.iter().all(|(key, value)| text.contains(key) && text.contains(value)));
            }
        }
    }
}
