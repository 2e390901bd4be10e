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
    /// The content of a text and of the files that it has `beside` it; blocks.
    pub(super) fn of(read: Result<&Text, &Unreadable>, beside: &[PathBuf]) -> Self {
        let digest = |read: &Text| {
            let files = beside.iter().map(|file| std::fs::read(file).unwrap_or_default());
            let parts = std::iter::once(read.text.as_bytes().to_vec()).chain(files);
            let whole = parts.fold(Sha256::new(), |whole, part| whole.chain_update(Sha256::digest(part)));
            whole.finalize().into()
        };
        Self(read.ok().map(digest))
    }
}
