//! Profiles in files: those of the aliyun command line in JSON, and those of the older SDKs in INI.
//! Both are converted to a [`Provider`].

pub(super) mod cli;
pub(super) mod ini;

use std::path::PathBuf;

use super::access_key::FILE_CHECK_INTERVAL;
use super::context::Context;
use super::error::{CredentialsError, Problem, ProviderName};
use super::{Loaded, Provider};

/// The variable with the name of the profile, for both formats.
const PROFILE: &str = "ALIBABA_CLOUD_PROFILE";

/// The provider that a profile stands for.
pub(super) struct SelectedProfile {
    /// The name of the profile, as that of a provider.
    name: ProviderName,
    pub(super) provider: Provider,
}

impl SelectedProfile {
    /// The result of loading from the provider, under the name of the profile.
    pub(super) fn under_profile_name(
        self,
        result: Result<Loaded, CredentialsError>,
    ) -> Result<Loaded, CredentialsError> {
        match result {
            Ok(loaded) => {
                // Credentials without an expiry are valid until the profile changes.
                let has_no_expiry = loaded.credential.expires_at.is_none();
                let check_again = loaded
                    .check_again
                    .or_else(|| has_no_expiry.then_some(FILE_CHECK_INTERVAL));
                Ok(Loaded {
                    provider: self.name,
                    check_again,
                    ..loaded
                })
            }
            Err(error) => Err(CredentialsError {
                provider: self.name,
                problem: error.problem,
            }),
        }
    }
}

/// Reads the file that `variable` names, else the first of the `default_paths` in the user's home
/// that exists. Returns its path and text.
async fn read_file(
    variable: &str,
    default_paths: &[&str],
    context: &Context,
) -> Result<(PathBuf, String), Problem> {
    let Context {
        environment, files, ..
    } = context;
    if let Some(path) = environment.value(variable).map(PathBuf::from) {
        let text = files
            .read(&path)
            .await
            .map_err(|error| Problem::unreadable(&path, &error))?;
        return Ok((path, text));
    }
    let mut missing = "HOME is not set".to_owned();
    for path in default_paths {
        let Some(path) = environment.in_home(path) else {
            continue;
        };
        let text = files
            .find(&path)
            .await
            .map_err(|error| Problem::unreadable(&path, &error))?;
        match text {
            Some(text) => return Ok((path, text)),
            None => missing = format!("{} does not exist", path.display()),
        }
    }
    Err(Problem::NotConfigured(missing))
}
