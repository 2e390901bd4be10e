//! What providers reach the world through: environment, files, HTTP and the clock. Nothing else of
//! them is used.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::network::{Http, HttpError, Offline, Online};
use crate::clock::Clock;
use crate::lookup::Lookup;
use crate::proxy::Proxies;
use http::HeaderValue;

/// The world, as providers see it. Cheap to clone; one serves all accounts.
#[derive(Debug, Clone)]
pub struct Context {
    /// The environment, as it was when the process started.
    pub environment: Environment,
    /// The file system.
    pub files: Files,
    /// The way to STS, the metadata service and credentials URIs.
    pub http: Arc<dyn Http>,
    /// The time of day.
    pub clock: Clock,
}

impl Context {
    /// The real world: this process's environment, this machine's files, its network and its clock.
    /// Requests call their sender `user_agent`.
    pub fn system(
        tls: &rustls::ClientConfig,
        lookup: &Lookup,
        proxies: &Proxies,
        user_agent: HeaderValue,
    ) -> Result<Self, HttpError> {
        let http = Arc::new(Online::new(tls, lookup, proxies, user_agent)?);
        Ok(Self {
            environment: Environment::of_process(),
            files: Files::system(),
            http,
            clock: Clock::System,
        })
    }

    /// No environment and no network: for credentials that are at hand.
    pub fn offline(clock: Clock) -> Self {
        Self {
            environment: Environment::default(),
            files: Files::system(),
            http: Arc::new(Offline),
            clock,
        }
    }
}

/// The captured environment. Shows names, never values: keys and tokens are among them.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// This process's environment, reduced to the names that providers know.
    pub fn of_process() -> Self {
        let known = |name: &str| {
            name.starts_with("ALIBABA_CLOUD_") || matches!(name, "HOME" | "USERPROFILE")
        };
        std::env::vars_os()
            .filter_map(|(name, value)| {
                Some((
                    name.into_string().ok()?,
                    value.to_string_lossy().into_owned(),
                ))
            })
            .filter(|(name, _)| known(name))
            .collect()
    }

    /// The value of `name` without white space around it; an empty one counts as not set.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// Whether the switch `name` is on.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.value(name).is_some_and(is_on)
    }

    /// `path` below the user's home.
    pub(super) fn in_home(&self, path: &str) -> Option<PathBuf> {
        let home = self.value("HOME").or_else(|| self.value("USERPROFILE"))?;
        Some(Path::new(home).join(path))
    }
}

/// Whether a switch of this value is on.
pub(super) fn is_on(value: &str) -> bool {
    ["true", "1", "yes", "on"]
        .iter()
        .any(|on| value.eq_ignore_ascii_case(on))
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(variables: T) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The file system, or the part of it below one folder.
#[derive(Debug, Clone)]
pub struct Files {
    root: Option<PathBuf>,
}

impl Files {
    /// Keys, tokens and profiles are far smaller; this keeps `/dev/zero` out.
    const MAX_SIZE: u64 = 1 << 20;

    /// All of it.
    pub fn system() -> Self {
        Self { root: None }
    }

    /// What is below `root`, as if that were `/`.
    pub fn rooted(root: impl Into<PathBuf>) -> Self {
        Self {
            root: Some(root.into()),
        }
    }

    /// The text of the file at `path`.
    pub(super) async fn read(&self, path: &Path) -> io::Result<String> {
        let path = self.place(path);
        // A file may lie on a network: reading must not hold up the scrapes.
        tokio::task::spawn_blocking(move || read(&path))
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    /// The text of the file at `path`, if there is one.
    pub(super) async fn find(&self, path: &Path) -> io::Result<Option<String>> {
        match self.read(path).await {
            Ok(text) => Ok(Some(text)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            // A container's home is often another user's: what can't even be seen there was not put
            // there for us.
            Err(error)
                if error.kind() == io::ErrorKind::PermissionDenied
                    && self.place(path).symlink_metadata().is_err() =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn place(&self, path: &Path) -> PathBuf {
        match &self.root {
            Some(root) => root.join(path.strip_prefix("/").unwrap_or(path)),
            None => path.to_owned(),
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(Files::MAX_SIZE + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > Files::MAX_SIZE {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "the file is longer than 1 MiB",
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_shows_names_and_no_values() {
        let environment: Environment = [(
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET".to_owned(),
            "hunter2".to_owned(),
        )]
        .into_iter()
        .collect();
        assert_eq!(
            format!("{environment:?}"),
            r#"{"ALIBABA_CLOUD_ACCESS_KEY_SECRET"}"#
        );
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let environment: Environment = [("A", " \n"), ("B", " b\n"), ("C", "True"), ("D", "false")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        assert_eq!(
            (environment.value("A"), environment.value("B")),
            (None, Some("b"))
        );
        assert_eq!(
            (
                environment.is_on("C"),
                environment.is_on("D"),
                environment.is_on("E")
            ),
            (true, false, false)
        );
    }

    #[tokio::test]
    async fn an_endless_file_is_refused() {
        let error = Files::system()
            .read(Path::new("/dev/zero"))
            .await
            .expect_err("endless");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
