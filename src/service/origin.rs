//! Where the configuration comes from.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::config::{Config, Problems};

/// Where the configuration comes from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A file, read again by each reload.
    File(PathBuf),
    /// The command line: the text that somebody would have written. It never changes.
    Text(String),
}

/// The file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct Unreadable {
    path: PathBuf,
    source: io::Error,
}

/// The text of a configuration, and the folder where the relative paths inside it start.
#[derive(Debug)]
pub(super) struct Text {
    text: String,
    folder: PathBuf,
}

/// Tells one content from another, and from none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content(Option<[u8; 32]>);

impl Origin {
    /// The configuration that is there now; blocks.
    pub fn load(&self) -> Result<Config, super::ReloadError> {
        Ok(self.read()?.parse()?)
    }

    /// Reads what is there now; blocks.
    pub(super) fn read(&self) -> Result<Text, Unreadable> {
        match self {
            Self::Text(text) => Ok(Text { text: text.clone(), folder: PathBuf::new() }),
            Self::File(path) => {
                let text = std::fs::read_to_string(path).map_err(|source| Unreadable { path: path.clone(), source })?;
                Ok(Text { text, folder: path.parent().unwrap_or(Path::new("")).to_owned() })
            }
        }
    }
}

impl Text {
    pub(super) fn parse(&self) -> Result<Config, Problems> {
        Config::parse(&self.text, &self.folder)
    }
}

impl Content {
    pub(super) fn of(read: Result<&Text, &Unreadable>) -> Self {
        Self(read.ok().map(|read| Sha256::digest(read.text.as_bytes()).into()))
    }
}
