//! Profiles of the aliyun command line, `~/.aliyun/config.json`.
//!
//! Source: aliyun-cli and the credentials SDKs. The file is read at every refresh.

mod entry;
mod file;

use std::path::PathBuf;

use self::file::ConfigFile;
use super::{PROFILE, SelectedProfile, read_file};
use crate::credentials::context::Context;
use crate::credentials::error::Problem;
use crate::credentials::{DefaultChain, Profile};

pub(in crate::credentials) const NAME: &str = "cli_profile";

const CONFIG_FILE: &str = "ALIBABA_CLOUD_CONFIG_FILE";
const DISABLED: &str = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED";
const DEFAULT_PATH: &str = ".aliyun/config.json";

/// Selects the profile in the configuration. File and profile must exist.
pub(in crate::credentials) async fn select(
    profile: &Profile,
    context: &Context,
) -> Result<SelectedProfile, Problem> {
    let environment = &context.environment;
    let configured = profile
        .config_file
        .clone()
        .or_else(|| environment.value(CONFIG_FILE).map(PathBuf::from));
    let path = configured
        .or_else(|| environment.in_home(DEFAULT_PATH))
        .ok_or_else(|| Problem::Incomplete("HOME is not set".to_owned()))?;
    let text = context
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

/// Finds the profile that is a link of the default chain.
pub(in crate::credentials) async fn find(
    chain: &DefaultChain,
    context: &Context,
) -> Result<SelectedProfile, Problem> {
    let environment = &context.environment;
    if environment.is_on(DISABLED) {
        return Err(Problem::NotConfigured(format!("{DISABLED} is set")));
    }
    let (path, text) = read_file(CONFIG_FILE, &[DEFAULT_PATH], context).await?;
    let file = ConfigFile::parse(&path, &text)?;
    let place = path.display();
    if file.is_empty() {
        return Err(Problem::NotConfigured(format!("{place} has no profiles")));
    }
    let named = environment.value(PROFILE);
    let name = named.unwrap_or_else(|| file.current());
    match file.entry(name)? {
        // The name may be that of a section of the INI file, which comes next.
        None if named.is_some() => Err(Problem::NotConfigured(format!(
            "{place} has no profile {name:?}"
        ))),
        // The command line writes such a profile before it is configured.
        Some(entry) if entry.mode().is_empty() => Err(Problem::NotConfigured(format!(
            "the profile {name:?} of {place} has no mode"
        ))),
        _ => file.select(name, chain, environment),
    }
}
