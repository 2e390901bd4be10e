//! The access of providers to the environment, files, the network and the clock. They use no other
//! way, so that tests can replace all of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::network::{Http, HttpClient, HttpError, NoNetwork};
use crate::clock::Clock;
use crate::lookup::Lookup;
use crate::proxy::Proxies;
use http::HeaderValue;
use safe_input::file;

/// The session name of assumed roles, unless another one is set.
const DEFAULT_SESSION_NAME: &str = "ack-client";

/// Everything that providers use. One context serves all accounts, and a clone is cheap.
#[derive(Debug, Clone)]
pub struct Context {
    /// The environment variables.
    pub environment: Environment,
    /// The file system.
    pub files: Files,
    /// Requests to STS, the metadata service and credentials URIs.
    pub http: Arc<dyn Http>,
    /// The time of day.
    pub clock: Clock,
    /// The session name of assumed roles that have none of their own. Alibaba Cloud's audit log
    /// (`ActionTrail`) shows it.
    pub session_name: Cow<'static, str>,
}

impl Context {
    /// A context of this process's environment, this machine's files, its network and its clock.
    /// Requests identify themselves as `user_agent`.
    pub fn system(
        tls: &rustls::ClientConfig,
        lookup: &Lookup,
        proxies: &Proxies,
        user_agent: HeaderValue,
    ) -> Result<Self, HttpError> {
        let http = Arc::new(HttpClient::new(tls, lookup, proxies, user_agent)?);
        Ok(Self {
            environment: Environment::of_process(),
            files: Files::system(),
            http,
            clock: Clock::System,
            session_name: DEFAULT_SESSION_NAME.into(),
        })
    }

    /// A context without environment and network, for keys in the configuration or in files.
    pub fn offline(clock: Clock) -> Self {
        Self {
            environment: Environment::default(),
            files: Files::system(),
            http: Arc::new(NoNetwork),
            clock,
            session_name: DEFAULT_SESSION_NAME.into(),
        }
    }

    /// Sets [`Self::session_name`].
    #[must_use]
    pub fn with_session_name(self, name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            session_name: name.into(),
            ..self
        }
    }
}

/// Environment variables, captured once. `Debug` prints their names and not their values, some of
/// which are secrets.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process that providers use.
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

    /// The trimmed value of `name`. An empty variable counts as not set.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// Returns true if the variable `name` is a switch that is on.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.value(name).is_some_and(is_on)
    }

    /// The path of `path` in the user's home.
    pub(super) fn in_home(&self, path: &str) -> Option<PathBuf> {
        let home = self.value("HOME").or_else(|| self.value("USERPROFILE"))?;
        Some(Path::new(home).join(path))
    }
}

/// Returns true if `value` is that of a switch that is on.
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

/// The file system, or one folder of it.
#[derive(Debug, Clone)]
pub struct Files {
    root: Option<PathBuf>,
}

impl Files {
    /// The whole file system.
    pub fn system() -> Self {
        Self { root: None }
    }

    /// The files in `root`, which stands for `/`.
    pub fn rooted(root: impl Into<PathBuf>) -> Self {
        Self {
            root: Some(root.into()),
        }
    }

    /// Reads the file at `path`.
    pub(super) async fn read(&self, path: &Path) -> io::Result<String> {
        let path = self.place(path);
        // A file may be on a network, and reading it may block the thread for long.
        tokio::task::spawn_blocking(move || file::read_text(&path, file::MAX_SMALL))
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    /// Reads the file at `path`, if there is one.
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
            // In a container, the home is often that of another user. A file there that cannot even
            // be seen is not meant for this process.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_prints_names_and_no_values() {
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
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
