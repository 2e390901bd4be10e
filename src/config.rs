//! The configuration: YAML text → [`Config`].
//!
//! A key is a field of one of these structs. Its doc comment is the description that editors show,
//! its type checks the value, and its default applies where the key is absent. serde reads it and
//! writes it at `/config`; schemars generates `deploy/config.schema.json`. The types of single
//! values are in `text`, `number` and `duration`; checks of several keys are in `validate`.
//!
//! [`Config::parse`] reports every mistake at once, each with its path in the file. This module
//! uses neither the network nor the environment. It reads the files with certificate authorities; a
//! check reads the files with secrets as well.

mod account;
mod credentials;
mod discovery;
mod duration;
mod labels;
mod number;
mod regions;
#[cfg(test)]
mod schema;
mod text;
mod validate;
mod watch;

use std::path::{Path as FilePath, PathBuf};
use std::time::Duration;

use exporter_toolkit::yaml::document;
use safe_input::file;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use account::{Access, Account, Cluster, Source};
pub use discovery::{Discovery, ListedRegion, Match};
pub use exporter_toolkit::yaml::{Path, Problem, Problems};
pub use labels::{LABELS_BESIDE_CLUSTER, RESERVED_LABELS};
pub use watch::{Per, Watch, WatchKey};

use duration::Friendly;
use validate::Validator;

/// The whole configuration.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(transform = schema::config))]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Time limits of a scrape.
    pub scrape: Scrape,
    /// The form of the metrics.
    pub metrics: Metrics,
    /// The accounts, one for each set of credentials.
    #[cfg_attr(test, schemars(length(min = 1)))]
    pub accounts: Vec<Account>,
}

/// Time limits of a scrape.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Scrape {
    /// The time for a scrape whose client sends no timeout; Prometheus sends one.
    #[serde(with = "Friendly")]
    #[cfg_attr(test, schemars(transform = schema::above_zero))]
    pub timeout: Duration,
    /// The part of Prometheus' timeout that is kept back, so that the response arrives in time.
    #[serde(with = "Friendly")]
    pub timeout_offset: Duration,
    /// The time for which a finished, complete collection serves further scrapes, such as those of
    /// a second Prometheus; 0s turns it off.
    #[serde(with = "Friendly")]
    pub cache_ttl: Duration,
    /// The age up to which an earlier result stands in for one that the rate limit did not allow.
    #[serde(with = "Friendly")]
    pub max_age: Duration,
    /// The time for which a cluster without an upgrade is not queried again while the account's
    /// cluster list shows nothing new; 0s turns it off.
    #[serde(with = "Friendly")]
    pub idle_interval: Duration,
}

impl Default for Scrape {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            timeout_offset: Duration::from_millis(500),
            cache_ttl: Duration::ZERO,
            max_age: Duration::from_secs(300),
            idle_interval: Duration::ZERO,
        }
    }
}

/// The form of the metrics.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// The name of the label that holds the cluster ID.
    #[serde(deserialize_with = "labels::cluster_label")]
    #[cfg_attr(test, schemars(regex(pattern = schema::cluster_label())))]
    pub cluster_label: String,
    /// Shows the error messages of the API in `cs_upgrade_error_info`.
    #[cfg_attr(test, schemars(with = "bool"))]
    pub error_message: ErrorMessages,
    /// The values of a state set that are exposed.
    pub state_sets: StateSets,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            cluster_label: "cluster".to_owned(),
            error_message: ErrorMessages::Shown,
            state_sets: StateSets::Full,
        }
    }
}

/// The exposition of `cs_upgrade_error_info`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "bool", into = "bool")]
pub enum ErrorMessages {
    /// While there is a message.
    Shown,
    /// Never.
    Hidden,
}

impl From<bool> for ErrorMessages {
    fn from(shown: bool) -> Self {
        if shown { Self::Shown } else { Self::Hidden }
    }
}

impl From<ErrorMessages> for bool {
    fn from(messages: ErrorMessages) -> Self {
        messages == ErrorMessages::Shown
    }
}

/// The values of a state set that are exposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum StateSets {
    /// All of them, exactly one being 1.
    Full,
    /// Only the one that is 1.
    Active,
}

/// The result of reading a configuration.
#[derive(Debug)]
pub struct Reading {
    /// The configuration, or every mistake in it.
    pub config: Result<Config, Problems>,
    /// The files whose content is part of it or was to be, as they were read.
    pub files: Vec<ReferencedFile>,
    /// Values that are accepted but look like mistakes; only for a check.
    pub warnings: Problems,
}

/// The reason why a configuration is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To serve it.
    Serve,
    /// To report all mistakes in it.
    Check,
}

/// A file whose content is part of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferencedFile {
    /// The path of the file.
    pub path: PathBuf,
    /// The SHA-256 of its content, or of nothing if it could not be read.
    pub digest: [u8; 32],
}

impl ReferencedFile {
    /// Reads the file and returns it with its content; blocks.
    pub fn read(path: &FilePath) -> (Self, std::io::Result<Vec<u8>>) {
        let content = file::read(path, file::MAX_SMALL);
        let digest = Sha256::digest(content.as_deref().unwrap_or_default()).into();
        (
            Self {
                path: path.to_owned(),
                digest,
            },
            content,
        )
    }
}

impl Config {
    /// Parses and checks `text`; relative paths inside it start at `folder`.
    pub fn parse(text: &str, folder: &FilePath) -> Result<Self, Problems> {
        Self::read(text, folder).config
    }

    /// Parses and checks `text`, and returns the files that were read with it; relative paths
    /// inside it start at `folder`.
    pub fn read(text: &str, folder: &FilePath) -> Reading {
        Self::read_for(Purpose::Serve, text, folder)
    }

    /// Parses and checks `text` like [`Config::read`], reads the files with secrets as well, and
    /// collects warnings.
    pub fn check(text: &str, folder: &FilePath) -> Reading {
        Self::read_for(Purpose::Check, text, folder)
    }

    fn read_for(purpose: Purpose, text: &str, folder: &FilePath) -> Reading {
        let mut problems = Problems::default();
        let mut config: Self = document::read(text, &mut problems);
        let mut validator = Validator::new(purpose, folder, problems);
        if !validator.problems.has(&Path::root()) {
            validator.config(&mut config);
        }
        let Validator {
            mut problems,
            mut warnings,
            files,
            ..
        } = validator;
        problems.locate(text);
        warnings.locate(text);
        Reading {
            config: if problems.is_empty() {
                Ok(config)
            } else {
                Err(problems)
            },
            files,
            warnings,
        }
    }

    /// The configuration in force as YAML, defaults included; each secret is `<secret>`. But for
    /// the secrets, it reads as the same configuration again.
    pub fn to_yaml(&self) -> String {
        yaml_serde::to_string(self).unwrap_or_else(|error| format!("# {error}\n"))
    }
}

#[cfg(test)]
mod tests;
