//! A key pair in the configuration, with secrets there or in files.

use std::path::Path;
use std::time::Duration;

use safe_input::text::is_invisible;

use super::context::{Context, Files};
use super::error::{Problem, ProviderName};
use super::{Credential, Loaded};
use crate::credentials::SecretSource;
use crate::secret::Secret;

pub(super) const NAME: &str = "access_key";

/// The interval at which files without an expiry are read again.
pub(super) const FILE_CHECK_INTERVAL: Duration = Duration::from_secs(1);

pub(super) async fn load(
    access_key_id: &str,
    access_key_secret: &SecretSource,
    security_token: Option<&SecretSource>,
    context: &Context,
) -> Result<Loaded, Problem> {
    let in_files = matches!(access_key_secret, SecretSource::File(_))
        || matches!(security_token, Some(SecretSource::File(_)));
    Ok(Loaded {
        credential: Credential {
            access_key_id: access_key_id.trim().to_owned(),
            access_key_secret: read(access_key_secret, &context.files).await?,
            security_token: match security_token {
                Some(source) => Some(read(source, &context.files).await?),
                None => None,
            },
            expires_at: None,
        },
        provider: ProviderName::new(NAME),
        check_again: in_files.then_some(FILE_CHECK_INTERVAL),
    })
}

async fn read(source: &SecretSource, files: &Files) -> Result<Secret, Problem> {
    match source {
        SecretSource::Inline(secret) => Ok(Secret::new(secret.expose().trim())),
        SecretSource::File(path) => read_secret(path, files).await,
    }
}

/// Reads the secret in a file: one word, with optional white space around it.
pub(super) async fn read_secret(path: &Path, files: &Files) -> Result<Secret, Problem> {
    let text = files
        .read(path)
        .await
        .map_err(|error| Problem::unreadable(path, &error))?;
    match text.trim_start_matches('\u{feff}').trim() {
        "" => Err(Problem::Malformed(format!("{} is empty", path.display()))),
        word if word.chars().any(char::is_whitespace) => Err(Problem::Malformed(format!(
            "{} holds more than one word",
            path.display()
        ))),
        // Such as U+200B, which comes with text that is copied from a page.
        word if word.chars().any(is_invisible) => Err(Problem::Malformed(format!(
            "{} has a character that cannot be seen beside the secret",
            path.display()
        ))),
        word => Ok(Secret::new(word)),
    }
}
