//! The file or the command line that the configuration comes from.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use exporter_toolkit::yaml::reason;
use safe_input::file::{self, MAX_CONFIGURATION};
use sha2::{Digest as _, Sha256};

use crate::config::{Config, Problems, Reading, ReferencedFile};

/// The origin of the configuration.
#[derive(Debug, Clone)]
pub enum ConfigSource {
    /// A file, read again by each reload.
    File(PathBuf),
    /// The flags of the command line, as the text of the file that they stand for. It never
    /// changes.
    Text(String),
}

/// The file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {}", path.display(), reason(source))]
pub struct Unreadable {
    path: PathBuf,
    source: io::Error,
}

/// Values that are accepted but look like mistakes, with their places in the file; shown a line
/// each.
#[derive(Debug)]
pub struct Warnings {
    list: Problems,
    text: SourceText,
}

/// The text of a configuration, and the folder where the relative paths inside it start.
#[derive(Debug)]
pub(super) struct SourceText {
    content: String,
    folder: PathBuf,
    /// The file that it is from, as the command line names it.
    file: Option<PathBuf>,
}

/// The result of parsing a text.
#[derive(Debug)]
pub(super) struct Parsed {
    /// The configuration, or every mistake in it.
    pub(super) config: Result<Config, Problems>,
    /// The content of the text and of the files.
    pub(super) content: Content,
    /// The files that it names and whose content is part of it.
    pub(super) referenced: Vec<PathBuf>,
}

/// A digest that tells one content from another; none if it could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content(Option<[u8; 32]>);

impl ConfigSource {
    /// Reads and parses the configuration; blocks.
    pub fn load(&self) -> Result<Config, super::ReloadError> {
        Ok(self.read()?.parse().config?)
    }

    /// Reads and parses the configuration, checks the files with secrets as well, and returns the
    /// warnings with it; blocks.
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

    /// Reads the text; blocks.
    pub(super) fn read(&self) -> Result<SourceText, Unreadable> {
        match self {
            Self::Text(text) => Ok(SourceText {
                content: text.clone(),
                folder: PathBuf::new(),
                file: None,
            }),
            Self::File(path) => {
                let text =
                    file::read_text(path, MAX_CONFIGURATION).map_err(|source| Unreadable {
                        path: path.clone(),
                        source,
                    })?;
                // Messages name files by paths that do not depend on the working directory.
                let whole = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                Ok(SourceText {
                    content: text,
                    folder: whole.parent().unwrap_or(Path::new("")).to_owned(),
                    file: Some(path.clone()),
                })
            }
        }
    }
}

impl SourceText {
    /// Parses the text and reads the files that it names; blocks. The content in the result is the
    /// one that was read, even if the files have changed since.
    pub(super) fn parse(&self) -> Parsed {
        let Reading { config, files, .. } = Config::read(&self.content, &self.folder);
        let config = config.map_err(|problems| self.named(problems));
        Parsed {
            config,
            content: Content::of(self, &files),
            referenced: files.into_iter().map(|file| file.path).collect(),
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
    /// Adds a warning at `path`.
    pub fn note(&mut self, path: crate::config::Path, message: String) {
        self.list.note(path, message);
    }
}

impl fmt::Display for Warnings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Here, once for all of them: it reads the whole text.
        let mut list = self.list.clone();
        list.locate(&self.text.content);
        fmt::Display::fmt(&list, f)
    }
}

impl Content {
    /// The content of a text and the present content of the `referenced` files; blocks.
    pub(super) fn now(read: Result<&SourceText, &Unreadable>, referenced: &[PathBuf]) -> Self {
        read.map_or(Self(None), |text| {
            Self::of(
                text,
                &referenced
                    .iter()
                    .map(|file| ReferencedFile::read(file).0)
                    .collect::<Vec<_>>(),
            )
        })
    }

    fn of(text: &SourceText, files: &[ReferencedFile]) -> Self {
        let whole = Sha256::new().chain_update(Sha256::digest(&text.content));
        let add = |whole: Sha256, file: &ReferencedFile| {
            whole
                .chain_update(Sha256::digest(file.path.as_os_str().as_encoded_bytes()))
                .chain_update(file.digest)
        };
        Self(Some(files.iter().fold(whole, add).finalize().into()))
    }
}
