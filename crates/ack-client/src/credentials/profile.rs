//! Profiles of the vendor's command line, `~/.aliyun/config.json`.
//!
//! Source: aliyun-cli and the credentials SDKs. The file is read at every refresh.

mod entry;

use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use serde_json::Value;

use self::entry::Entry;
use super::Loaded;
use super::chain::Attempt;
use super::context::{Context, Environment};
use super::error::{CredentialsError, Problem, ProviderName};
use super::file::CHECK_FILES;
use super::loader::Loader;
use crate::credentials::{DefaultChain, Provider};

pub(super) const NAME: &str = "cli_profile";

/// The name of the profile, in this file and in the INI file.
pub(super) const PROFILE: &str = "ALIBABA_CLOUD_PROFILE";

const CONFIG_FILE: &str = "ALIBABA_CLOUD_CONFIG_FILE";
const DISABLED: &str = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED";
const USUAL_PLACE: &str = ".aliyun/config.json";

/// What a profile stands for.
pub(super) struct Selected {
    pub(super) provider: ProviderName,
    pub(super) credentials: Provider,
}

impl Selected {
    pub(super) async fn load(self, loader: &Loader) -> Result<Loaded, CredentialsError> {
        match loader.load_by(&self.credentials).await {
            Ok(Loaded {
                credential,
                check_again,
                ..
            }) => {
                // Without an expiry of its own, it lasts as long as the file says the same.
                let check_again =
                    check_again.or_else(|| credential.expires_at.is_none().then_some(CHECK_FILES));
                Ok(Loaded {
                    credential,
                    provider: self.provider,
                    check_again,
                })
            }
            Err(error) => Err(CredentialsError {
                provider: self.provider,
                problem: error.problem,
            }),
        }
    }
}

/// The profile that the configuration names; everything about it must be there.
pub(super) async fn load(
    profile: &super::provider::Profile,
    loader: &Loader,
) -> Result<Loaded, CredentialsError> {
    let environment = &loader.context().environment;
    let selected = async {
        let path = match profile
            .config_file
            .clone()
            .or_else(|| environment.value(CONFIG_FILE).map(PathBuf::from))
        {
            Some(path) => path,
            None => environment
                .in_home(USUAL_PLACE)
                .ok_or_else(|| Problem::Incomplete("HOME is not set".to_owned()))?,
        };
        let text = loader
            .context()
            .files
            .read(&path)
            .await
            .map_err(|error| Problem::unreadable(&path, &error))?;
        let file = File::parse(&path, &text)?;
        let name = profile
            .name
            .as_deref()
            .or_else(|| environment.value(PROFILE))
            .unwrap_or_else(|| file.current());
        file.select(&path, name, &DefaultChain::default(), environment)
    };
    selected
        .await
        .map_err(|problem| problem.of(NAME))?
        .load(loader)
        .await
}

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
    if environment.is_on(DISABLED) {
        return Ok(Found::Nothing(format!("{DISABLED} is set")));
    }
    let (path, text) = match text(CONFIG_FILE, &[USUAL_PLACE], loader).await? {
        Found::Here(found) => found,
        Found::Nothing(missed) => return Ok(Found::Nothing(missed)),
    };
    let file = File::parse(&path, &text)?;
    if file.profiles.is_empty() {
        return Ok(Found::Nothing(format!(
            "{} has no profiles",
            path.display()
        )));
    }
    let named = environment.value(PROFILE);
    let name = named.unwrap_or_else(|| file.current());
    match file.entry(&path, name)? {
        // It may be the name of a section of the INI file, which comes next.
        None if named.is_some() => Ok(Found::Nothing(format!(
            "{} has no profile {name:?}",
            path.display()
        ))),
        // The command line writes such a one before anybody has configured it.
        Some(entry) if entry.mode().is_empty() => Ok(Found::Nothing(format!(
            "the profile {name:?} of {} has no mode",
            path.display()
        ))),
        _ => file
            .select(&path, name, chain, environment)
            .map(Found::Here),
    }
}

/// What may be there or not; if not, the text says what was looked for.
pub(super) enum Found<T> {
    Here(T),
    Nothing(String),
}

impl Found<Selected> {
    pub(super) async fn attempt(self, loader: &Loader) -> Result<Attempt, CredentialsError> {
        match self {
            Self::Here(selected) => selected.load(loader).await.map(Attempt::Loaded),
            Self::Nothing(missed) => Ok(Attempt::NotConfigured(Problem::NotConfigured(missed))),
        }
    }
}

/// Path and text of the file that `variable` names, else of the first there is of the `usual` ones
/// in the user's home.
pub(super) async fn text(
    variable: &str,
    usual: &[&str],
    loader: &Loader,
) -> Result<Found<(PathBuf, String)>, Problem> {
    let Context {
        environment, files, ..
    } = loader.context();
    if let Some(path) = environment.value(variable).map(PathBuf::from) {
        let text = files
            .read(&path)
            .await
            .map_err(|error| Problem::unreadable(&path, &error))?;
        return Ok(Found::Here((path, text)));
    }
    let mut missed = "HOME is not set".to_owned();
    for path in usual.iter().filter_map(|path| environment.in_home(path)) {
        match files
            .find(&path)
            .await
            .map_err(|error| Problem::unreadable(&path, &error))?
        {
            Some(text) => return Ok(Found::Here((path, text))),
            None => missed = format!("{} does not exist", path.display()),
        }
    }
    Ok(Found::Nothing(missed))
}

/// The parts of the file that matter here. Not shown: some are secrets.
struct File {
    current: Option<String>,
    profiles: Vec<Value>,
}

impl File {
    /// Reads JSON of any shape: a file without profiles, however it says so, configures nothing.
    /// The complaint says where, never what: the file holds secrets.
    fn parse(path: &Path, text: &str) -> Result<Self, Problem> {
        let text = text.trim_start_matches('\u{feff}').trim();
        let mut whole = if text.is_empty() {
            Value::Null
        } else {
            parse(path, text)?
        };
        let profiles = match whole.get_mut("profiles").map(Value::take) {
            Some(Value::Array(profiles)) => profiles.into_iter().filter(Value::is_object).collect(),
            _ => Vec::new(),
        };
        Ok(Self {
            current: whole
                .get("current")
                .and_then(Value::as_str)
                .map(str::to_owned),
            profiles,
        })
    }

    fn current(&self) -> &str {
        self.current
            .as_deref()
            .filter(|name| !name.is_empty())
            .unwrap_or("default")
    }

    /// The profile called `name`, if there is one.
    fn entry(&self, path: &Path, name: &str) -> Result<Option<Entry>, Problem> {
        let found = self
            .profiles
            .iter()
            .find(|profile| profile.get("name").and_then(Value::as_str) == Some(name));
        // What serde says would repeat the value.
        let complaint = || {
            format!(
                "the profile {name:?} of {} is not what the command line writes",
                path.display()
            )
        };
        found
            .map(|profile| Entry::deserialize(profile).map_err(|_| Problem::Malformed(complaint())))
            .transpose()
    }

    fn select(
        &self,
        path: &Path,
        name: &str,
        chain: &DefaultChain,
        environment: &Environment,
    ) -> Result<Selected, Problem> {
        let missing =
            |name: &str| Problem::Incomplete(format!("{} has no profile {name:?}", path.display()));
        let lookup = |name: &str| self.entry(path, name)?.ok_or_else(|| missing(name));
        let entry = lookup(name)?;
        let credentials = entry.credentials(&lookup, chain, environment, entry::MAX_SOURCES)?;
        let provider = ProviderName::new(&format!("{NAME}:{name} ({})", entry.mode()));
        Ok(Selected {
            provider,
            credentials,
        })
    }
}

fn parse(path: &Path, text: &str) -> Result<Value, Problem> {
    serde_json::from_str(text).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        Problem::Malformed(format!(
            "{} is not what the command line writes, at {place}",
            path.display()
        ))
    })
}
