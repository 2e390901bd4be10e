//! PEM, in a file or in a key of the file.

use std::sync::Arc;

use rustls::Error;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::sign::SigningKey;
use safe_input::file;

use super::Reader;
use crate::pem::MALFORMED;
pub(super) use crate::pem::certificates;
use crate::yaml::{Path, reason};

/// The content of a PEM file, or of a key that has it inline, and the place where mistakes in it
/// are noted.
pub(super) struct Pem {
    pub(super) path: Path,
    pub(super) text: Vec<u8>,
}

impl Reader<'_> {
    pub(super) fn pem(
        &mut self,
        path: &Path,
        key: &str,
        inline: Option<String>,
        file: Option<String>,
    ) -> Option<Pem> {
        let file_path = path.key(&format!("{key}_file"));
        // An empty string is how templates leave a key out; the toolkit takes it so.
        match (
            inline.filter(|text| !text.is_empty()),
            file.filter(|file| !file.is_empty()),
        ) {
            (Some(_), Some(_)) => {
                self.problems.note(
                    path.key(key),
                    format!("is there beside {key}_file; one of them must go"),
                );
                None
            }
            (Some(text), None) => Some(Pem {
                path: path.key(key),
                text: text.into_bytes(),
            }),
            (None, Some(name)) => {
                let name = self.folder.join(name);
                let text = file::read(&name, file::MAX_SMALL)
                    .map_err(|error| format!("cannot read {}: {}", name.display(), reason(&error)));
                let text = self.problems.keep(&file_path, text)?;
                self.seen(&text);
                Some(Pem {
                    path: file_path,
                    text,
                })
            }
            (None, None) => None,
        }
    }

    pub(super) fn required_pem(
        &mut self,
        path: &Path,
        key: &str,
        inline: Option<String>,
        file: Option<String>,
    ) -> Option<Pem> {
        let pem = self.pem(path, key, inline, file);
        let file_path = path.key(&format!("{key}_file"));
        if pem.is_none() && !self.problems.has(&path.key(key)) && !self.problems.has(&file_path) {
            self.problems
                .note(file_path, format!("is missing, and so is {key}"));
        }
        pem
    }
}

pub(super) fn signing_key(text: &[u8]) -> Result<Arc<dyn SigningKey>, String> {
    let key = PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
        _ if String::from_utf8_lossy(text).contains("ENCRYPTED") => {
            "is encrypted; it must be without a passphrase"
        }
        PemError::NoItemsFound => "has no private key (-----BEGIN PRIVATE KEY-----)",
        _ => MALFORMED,
    })?;
    aws_lc_rs::default_provider()
        .key_provider
        .load_private_key(key)
        .map_err(|error| error.to_string())
}

/// Returns the library's message, without "invalid peer certificate": it is the operator's own.
pub(super) fn unusable(number: usize, error: Error) -> String {
    match error {
        Error::InvalidCertificate(reason) => {
            format!("certificate {number} cannot be used: {reason}")
        }
        error => format!("certificate {number} cannot be used: {error}"),
    }
}
