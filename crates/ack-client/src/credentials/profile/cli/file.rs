//! The file of the command line.

use std::path::Path;

use serde::Deserialize as _;
use serde_json::Value;

use super::NAME;
use super::entry::{Entry, MAX_SOURCES};
use crate::credentials::DefaultChain;
use crate::credentials::context::Environment;
use crate::credentials::error::{Problem, ProviderName};
use crate::credentials::profile::SelectedProfile;

/// The parts of the file that are used. It has no `Debug`, since some values are secrets.
pub(super) struct ConfigFile<'a> {
    path: &'a Path,
    current: Option<String>,
    profiles: Vec<Value>,
}

impl<'a> ConfigFile<'a> {
    /// Parses `text`, the content of the file at `path`. JSON of another form is a file without
    /// profiles.
    pub(super) fn parse(path: &'a Path, text: &str) -> Result<Self, Problem> {
        let text = text.trim_start_matches('\u{feff}').trim();
        let mut file = if text.is_empty() {
            Value::Null
        } else {
            parse_json(path, text)?
        };
        let profiles = match file.get_mut("profiles").map(Value::take) {
            Some(Value::Array(profiles)) => profiles.into_iter().filter(Value::is_object).collect(),
            _ => Vec::new(),
        };
        let current = file.get("current").and_then(Value::as_str);
        Ok(Self {
            path,
            current: current.map(str::to_owned),
            profiles,
        })
    }

    /// Returns true if the file has no profiles.
    pub(super) fn is_empty(&self) -> bool {
        self.profiles.is_empty()
    }

    /// The name of the current profile.
    pub(super) fn current(&self) -> &str {
        self.current
            .as_deref()
            .filter(|name| !name.is_empty())
            .unwrap_or("default")
    }

    /// The profile `name`, if the file has it.
    pub(super) fn entry(&self, name: &str) -> Result<Option<Entry>, Problem> {
        let found = self
            .profiles
            .iter()
            .find(|profile| profile.get("name").and_then(Value::as_str) == Some(name));
        let Some(profile) = found else {
            return Ok(None);
        };
        // serde's own message would repeat a value.
        Entry::deserialize(profile).map(Some).map_err(|_| {
            Problem::Malformed(format!(
                "the profile {name:?} of {} is not what the command line writes",
                self.path.display()
            ))
        })
    }

    /// Converts the profile `name`, which must exist.
    pub(super) fn select(
        &self,
        name: &str,
        chain: &DefaultChain,
        environment: &Environment,
    ) -> Result<SelectedProfile, Problem> {
        let required = |name: &str| {
            self.entry(name)?.ok_or_else(|| {
                let path = self.path.display();
                Problem::Incomplete(format!("{path} has no profile {name:?}"))
            })
        };
        let entry = required(name)?;
        let provider = entry.provider(&required, chain, environment, MAX_SOURCES)?;
        Ok(SelectedProfile {
            name: ProviderName::new(&format!("{NAME}:{name} ({})", entry.mode())),
            provider,
        })
    }
}

/// Parses JSON. The error gives the place of a mistake and never the text there, since the file
/// contains secrets.
fn parse_json(path: &Path, text: &str) -> Result<Value, Problem> {
    serde_json::from_str(text).map_err(|error| {
        Problem::Malformed(format!(
            "{} is not what the command line writes, at line {} column {}",
            path.display(),
            error.line(),
            error.column()
        ))
    })
}
