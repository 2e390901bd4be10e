//! The configuration: YAML text → [`Config`], in which a mistake can no longer be written down.
//!
//! [`Config::parse`] finds every mistake at once and gives each with its path in the file. Nothing
//! here touches the network or the environment, and of the file system only the authorities that an
//! account names.

mod account;
mod credentials;
mod discovery;
mod duration;
mod raw;
mod regions;
#[cfg(test)]
mod schema;
mod show;

use std::num::NonZeroU32;
use std::path::{Path as FilePath, PathBuf};
use std::time::Duration;

use exporter_toolkit::yaml::document;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

pub use account::{Access, Account, Cluster, Source};
pub use discovery::{Discovery, ListedRegion, Match};
pub use exporter_toolkit::yaml::{Path, Problem, Problems};

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// How a scrape goes.
    pub scrape: Scrape,
    /// How the page looks.
    pub metrics: Metrics,
    /// Whose clusters; at least one account.
    pub accounts: Vec<Account>,
}

/// What comes of reading a configuration.
#[derive(Debug)]
pub struct Reading {
    /// The configuration, or every mistake in it.
    pub config: Result<Config, Problems>,
    /// The files whose content is part of it or was to be, as they were read.
    pub files: Vec<ReferencedFile>,
    /// What is accepted, but hardly what was meant; only for a check.
    pub warnings: Problems,
}

/// What a configuration is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To serve by it.
    Serve,
    /// To tell a person all that is wrong with it.
    Check,
}

/// A file whose content is part of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferencedFile {
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256 of what was read there; of nothing, if it could not be read.
    pub digest: [u8; 32],
}

impl ReferencedFile {
    /// The file with the content that it has now, which comes with it; blocks.
    pub fn read(path: &FilePath) -> (Self, std::io::Result<Vec<u8>>) {
        let content = std::fs::read(path);
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

/// How a scrape goes.
#[derive(Debug, Clone)]
pub struct Scrape {
    /// The budget of a scrape whose client names none.
    pub timeout: Duration,
    /// What is kept back from the client's own timeout, so that the answer arrives in time.
    pub timeout_offset: Duration,
    /// How long a finished, complete collection answers further scrapes; zero is off.
    pub cache_ttl: Duration,
    /// How old a reading may be that stands in for one that the limits did not allow.
    pub max_age: Duration,
    /// How long a cluster whose upgrade is over is not asked again while the account's list shows
    /// nothing new; zero is off.
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

/// How the page looks.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// The name of the label that holds the cluster ID.
    pub cluster_label: String,
    /// Whether the vendor's error messages are shown.
    pub error_message: ErrorMessages,
    /// Which values of a state set are sent.
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

/// Whether `cs_upgrade_error_info` is exposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorMessages {
    /// While there is a message.
    Shown,
    /// Never.
    Hidden,
}

/// Which values of a state set are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateSets {
    /// All of them, exactly one being 1.
    Full,
    /// Only the one that is 1.
    Active,
}

impl Config {
    /// Checks `text`; relative paths inside it start at `folder`.
    pub fn parse(text: &str, folder: &FilePath) -> Result<Self, Problems> {
        Self::read(text, folder).config
    }

    /// Checks `text` and tells what was read besides; relative paths inside it start at `folder`.
    pub fn read(text: &str, folder: &FilePath) -> Reading {
        Self::read_for(Purpose::Serve, text, folder)
    }

    /// The same, and looks into the files with secrets, which otherwise may come later, and for
    /// what cannot be meant.
    pub fn check(text: &str, folder: &FilePath) -> Reading {
        Self::read_for(Purpose::Check, text, folder)
    }

    fn read_for(purpose: Purpose, text: &str, folder: &FilePath) -> Reading {
        let (mut problems, mut warnings, mut files) =
            (Problems::default(), Problems::default(), Vec::new());
        let file: raw::File = document::read(text, &mut problems);
        let config = if problems.has(&Path::root()) {
            None
        } else {
            let (problems, warnings, files) = (&mut problems, &mut warnings, &mut files);
            Reader {
                problems,
                warnings,
                purpose,
                folder,
                files,
            }
            .config(file)
        };
        problems.locate(text);
        warnings.locate(text);
        Reading {
            config: config.filter(|_| problems.is_empty()).ok_or(problems),
            files,
            warnings,
        }
    }
}

/// Names that a user's label or the cluster label must not take: the labels of the `cs_*` families,
/// and those that Prometheus attaches itself.
pub const RESERVED_LABELS: &[&str] = &[
    "account",
    "cluster",
    "instance",
    "job",
    "le",
    "message",
    "name",
    "next_version",
    "precheck_report_id",
    "quantile",
    "reason",
    "region",
    "source",
    "spec",
    "state",
    "status",
    "step",
    "target_version",
    "task_id",
    "type",
    "version",
];

/// Turns the raw file into the typed one; what is wrong is noted, and the rest still checked.
struct Reader<'a> {
    problems: &'a mut Problems,
    warnings: &'a mut Problems,
    purpose: Purpose,
    folder: &'a FilePath,
    /// What was read besides.
    files: &'a mut Vec<ReferencedFile>,
}

impl Reader<'_> {
    fn config(mut self, file: raw::File) -> Option<Config> {
        let root = Path::root();
        let scrape = self.scrape(&root.key("scrape"), &file.scrape.unwrap_or_default());
        let metrics = self.metrics(&root.key("metrics"), file.metrics.unwrap_or_default());
        let accounts = self.accounts(&root.key("accounts"), file.accounts, &metrics);
        Some(Config {
            scrape,
            metrics,
            accounts: accounts?,
        })
    }

    fn scrape(&mut self, path: &Path, raw: &raw::Scrape) -> Scrape {
        let default = Scrape::default();
        let timeout = raw.timeout.map_or(default.timeout, Duration::from);
        if timeout.is_zero() {
            self.problems
                .note(path.key("timeout"), "a scrape needs some time");
        }
        Scrape {
            timeout,
            timeout_offset: raw
                .timeout_offset
                .map_or(default.timeout_offset, Duration::from),
            cache_ttl: raw.cache_ttl.map_or(default.cache_ttl, Duration::from),
            max_age: raw.max_age.map_or(default.max_age, Duration::from),
            idle_interval: raw
                .idle_interval
                .map_or(default.idle_interval, Duration::from),
        }
    }

    fn metrics(&mut self, path: &Path, raw: raw::Metrics) -> Metrics {
        let default = Metrics::default();
        let cluster_label = raw.cluster_label.unwrap_or(default.cluster_label);
        if cluster_label != "cluster" {
            let checked = check_label(&cluster_label, "");
            self.problems.keep(&path.key("cluster_label"), checked);
        }
        Metrics {
            cluster_label,
            error_message: if raw.error_message == Some(false) {
                ErrorMessages::Hidden
            } else {
                ErrorMessages::Shown
            },
            state_sets: match raw.state_sets {
                Some(raw::StateSets::Active) => StateSets::Active,
                Some(raw::StateSets::Full) | None => StateSets::Full,
            },
        }
    }

    fn required<T>(&mut self, path: &Path, key: &str, value: Option<T>) -> Option<T> {
        let path = path.key(key);
        if value.is_none() && !self.problems.has(&path) {
            self.problems.note(path, "is missing");
        }
        value
    }

    fn positive(&mut self, path: Path, value: Option<u32>, default: u32) -> Option<NonZeroU32> {
        let number = NonZeroU32::new(value.unwrap_or(default));
        if number.is_none() {
            self.problems.note(path, document::WHOLE_NUMBER);
        }
        number
    }

    /// Notes what is accepted but `doubtful`, if somebody is going to read it.
    fn doubt(&mut self, path: &Path, doubtful: impl FnOnce() -> Option<String>) {
        if self.purpose == Purpose::Check
            && let Some(doubtful) = doubtful()
        {
            self.warnings.note(path.clone(), doubtful);
        }
    }

    /// The mappings of a list, each read by itself, with their paths; what is none is noted.
    fn mappings<T: DeserializeOwned + Default>(
        &mut self,
        path: &Path,
        raw: Vec<Option<raw::Untyped>>,
    ) -> Vec<(Path, T)> {
        let mut mappings = Vec::with_capacity(raw.len());
        for (path, raw::Untyped(value)) in self.entries(path, raw) {
            let mapping = document::accept(value, &path, self.problems);
            if !self.problems.has(&path) {
                mappings.push((path, mapping));
            }
        }
        mappings
    }

    /// The entries of a list with their paths; those that are empty are noted, unless something was
    /// said of them before.
    fn entries<T>(&mut self, path: &Path, raw: Vec<Option<T>>) -> Vec<(Path, T)> {
        let mut entries = Vec::with_capacity(raw.len());
        for (index, entry) in raw.into_iter().enumerate() {
            let path = path.index(index);
            match entry {
                Some(entry) => entries.push((path, entry)),
                None if self.problems.has(&path) => {}
                None => self.problems.note(path, "is empty"),
            }
        }
        entries
    }
}

fn check_label(label: &str, cluster_label: &str) -> Result<(), String> {
    let legal = label.bytes().enumerate().all(|(index, b)| {
        b.is_ascii_alphabetic() || b == b'_' || (index > 0 && b.is_ascii_digit())
    });
    if label.is_empty() || !legal || label.starts_with("__") {
        return Err(format!(
            "{label:?} is not a label name: [a-zA-Z_][a-zA-Z0-9_]*, not starting with __"
        ));
    }
    if RESERVED_LABELS.contains(&label) || label == cluster_label {
        return Err(format!("{label:?} is a label of the exporter's own"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
