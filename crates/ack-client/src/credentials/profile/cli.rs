//! Profiles of the aliyun command line, `~/.aliyun/config.json`.
//!
//! Source: aliyun-cli and the credentials SDKs. The file is read at every refresh.

mod entry;
mod file;

use std::path::PathBuf;

use self::file::ConfigFile;
use super::{Found, PROFILE, SelectedProfile, read_file};
use crate::credentials::chain::Outcome;
use crate::credentials::error::{CredentialsError, Problem};
use crate::credentials::loader::Loader;
use crate::credentials::{DefaultChain, Loaded, Profile};

pub(in crate::credentials) const NAME: &str = "cli_profile";

const CONFIG_FILE: &str = "ALIBABA_CLOUD_CONFIG_FILE";
const DISABLED: &str = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED";
const DEFAULT_PATH: &str = ".aliyun/config.json";

/// Loads the credentials of the profile in the configuration. File and profile must exist.
pub(in crate::credentials) async fn load(
    profile: &Profile,
    loader: &Loader,
) -> Result<Loaded, CredentialsError> {
    select(profile, loader)
        .await
        .map_err(|problem| problem.of(NAME))?
        .load(loader)
        .await
}

async fn select(profile: &Profile, loader: &Loader) -> Result<SelectedProfile, Problem> {
    let environment = &loader.context().environment;
    let configured = profile
        .config_file
        .clone()
        .or_else(|| environment.value(CONFIG_FILE).map(PathBuf::from));
    let path = configured
        .or_else(|| environment.in_home(DEFAULT_PATH))
        .ok_or_else(|| Problem::Incomplete("HOME is not set".to_owned()))?;
    let text = loader
        .context()
        .files
        .read(&path)
        .await
        .map_err(|error| Problem::unreadable(&path, &error))?;
    let file = ConfigFile::parse(&path, &text)?;
    let name = profile
        .name
        .as_deref()
        .or_else(|| environment.value(PROFILE))
        .unwrap_or_else(|| file.current());
    file.select(name, &DefaultChain::default(), environment)
}

/// Loads credentials as a link of the default chain.
pub(in crate::credentials) async fn load_if_configured(
    chain: &DefaultChain,
    loader: &Loader,
) -> Result<Outcome, CredentialsError> {
    find(chain, loader)
        .await
        .map_err(|problem| problem.of(NAME))?
        .load(loader)
        .await
}

async fn find(chain: &DefaultChain, loader: &Loader) -> Result<Found<SelectedProfile>, Problem> {
    let environment = &loader.context().environment;
    if environment.is_on(DISABLED) {
        return Ok(Found::Missing(format!("{DISABLED} is set")));
    }
    let (path, text) = match read_file(CONFIG_FILE, &[DEFAULT_PATH], loader.context()).await? {
        Found::Present(found) => found,
        Found::Missing(missing) => return Ok(Found::Missing(missing)),
    };
    let file = ConfigFile::parse(&path, &text)?;
    let place = path.display();
    if file.is_empty() {
        return Ok(Found::Missing(format!("{place} has no profiles")));
    }
    let named = environment.value(PROFILE);
    let name = named.unwrap_or_else(|| file.current());
    match file.entry(name)? {
        // The name may be that of a section of the INI file, which comes next.
        None if named.is_some() => Ok(Found::Missing(format!("{place} has no profile {name:?}"))),
        // The command line writes such a profile before it is configured.
        Some(entry) if entry.mode().is_empty() => Ok(Found::Missing(format!(
            "the profile {name:?} of {place} has no mode"
        ))),
        _ => file.select(name, chain, environment).map(Found::Present),
    }
}
