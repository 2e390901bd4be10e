//! Where the configuration comes from.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use exporter_toolkit::yaml::reason;
use sha2::{Digest as _, Sha256};

use crate::config::{Config, Problems, Reading, ReferencedFile};

/// Where the configuration comes from.
#[derive(Debug, Clone)]
pub enum ConfigSource {
    /// A file, read again by each reload.
    File(PathBuf),
    /// The command line: the text that somebody would have written. It never changes.
    Text(String),
}

/// The file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {}", path.display(), reason(source))]
pub struct Unreadable {
    path: PathBuf,
    source: io::Error,
}

/// What is accepted, but hardly what was meant, with its places in the file; shown a line each.
#[derive(Debug)]
pub struct Warnings {
    list: Problems,
    text: Text,
}

/// The text of a configuration, and the folder where the relative paths inside it start.
#[derive(Debug)]
pub(super) struct Text {
    content: String,
    folder: PathBuf,
    /// The file that it is from, as somebody named it.
    file: Option<PathBuf>,
}

/// What comes of a text.
#[derive(Debug)]
pub(super) struct Parsed {
    /// The configuration, or every mistake in it.
    pub(super) config: Result<Config, Problems>,
    /// What it was made of.
    pub(super) content: Content,
    /// The files that it names and whose content is part of it.
    pub(super) beside: Vec<PathBuf>,
}

/// Tells one content from another, and from none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content(Option<[u8; 32]>);

impl ConfigSource {
    /// The configuration that is there now; blocks.
    pub fn load(&self) -> Result<Config, super::ReloadError> {
        Ok(self.read()?.parse().config?)
    }

    /// The same, looked at more closely, with what is accepted but hardly meant; blocks.
    pub fn check(&self) -> Result<(Config, Warnings), super::ReloadError> {
        let text = self.read()?;
        let Reading {
            config, warnings, ..
        } = Config::check(&text.content, &text.folder);
        let config = config.map_err(|problems| text.named(problems))?;
        Ok((
            config,
            Warnings {
                list: text.named(warnings),
                text,
            },
        ))
    }

    /// Reads what is there now; blocks.
    pub(super) fn read(&self) -> Result<Text, Unreadable> {
        match self {
            Self::Text(text) => Ok(Text {
                content: text.clone(),
                folder: PathBuf::new(),
                file: None,
            }),
            Self::File(path) => {
                let text = std::fs::read_to_string(path).map_err(|source| Unreadable {
                    path: path.clone(),
                    source,
                })?;
                // Whoever reads of a file beside it, here or in the log, may be in another folder.
                let whole = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                Ok(Text {
                    content: text,
                    folder: whole.parent().unwrap_or(Path::new("")).to_owned(),
                    file: Some(path.clone()),
                })
            }
        }
    }
}

impl Text {
    /// The configuration, and the content that it was made of, which may be gone by now; blocks.
    pub(super) fn parse(&self) -> Parsed {
        let Reading { config, files, .. } = Config::read(&self.content, &self.folder);
        let config = config.map_err(|problems| self.named(problems));
        Parsed {
            config,
            content: Content::of(self, &files),
            beside: files.into_iter().map(|file| file.path).collect(),
        }
    }

    /// The problems with the name of the file that has them.
    fn named(&self, problems: Problems) -> Problems {
        match &self.file {
            Some(file) => problems.in_file(file),
            None => problems,
        }
    }
}

impl Warnings {
    /// Adds one at `path`.
    pub fn note(&mut self, path: crate::config::Path, message: String) {
        self.list.note(path, message);
        self.list.locate(&self.text.content);
    }
}

impl fmt::Display for Warnings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.list, f)
    }
}

impl Content {
    /// The content of a text that was just read and of the files that it has `beside` it now;
    /// blocks.
    pub(super) fn now(read: Result<&Text, &Unreadable>, beside: &[PathBuf]) -> Self {
        read.map_or(Self(None), |text| {
            Self::of(
                text,
                &beside
                    .iter()
                    .map(|file| ReferencedFile::read(file).0)
                    .collect::<Vec<_>>(),
            )
        })
    }

    fn of(text: &Text, files: &[ReferencedFile]) -> Self {
        let whole = Sha256::new().chain_update(Sha256::digest(&text.content));
        let add = |whole: Sha256, file: &ReferencedFile| {
            whole
                .chain_update(Sha256::digest(file.path.as_os_str().as_encoded_bytes()))
                .chain_update(file.digest)
        };
        Self(Some(files.iter().fold(whole, add).finalize().into()))
    }
}
