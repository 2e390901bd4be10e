//! Where the configuration comes from.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::config::{Beside, Config, Problems, Reading};

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

impl Origin {
    /// The configuration that is there now; blocks.
    pub fn load(&self) -> Result<Config, super::ReloadError> {
        Ok(self.read()?.parse().config?)
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
    /// The configuration, and the content that it was made of, which may be gone by now; blocks.
    pub(super) fn parse(&self) -> Parsed {
        let Reading { config, files } = Config::read(&self.text, &self.folder);
        Parsed { config, content: Content::of(self, &files), beside: files.into_iter().map(|file| file.path).collect() }
    }
}

impl Content {
    /// The content of a text that was just read and of the files that it has `beside` it now; blocks.
    pub(super) fn now(read: Result<&Text, &Unreadable>, beside: &[PathBuf]) -> Self {
        read.map_or(Self(None), |text| Self::of(text, &beside.iter().map(|file| Beside::read(file).0).collect::<Vec<_>>()))
    }

    fn of(text: &Text, files: &[Beside]) -> Self {
        let whole = Sha256::new().chain_update(Sha256::digest(&text.text));
        let add = |whole: Sha256, file: &Beside| {
            whole.chain_update(Sha256::digest(file.path.as_os_str().as_encoded_bytes())).chain_update(file.digest)
        };
        Self(Some(files.iter().fold(whole, add).finalize().into()))
    }
}
