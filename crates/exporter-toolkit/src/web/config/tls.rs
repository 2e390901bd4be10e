//! `tls_server_config`.

use std::sync::Arc;

use rustls::crypto::{SupportedKxGroup, aws_lc_rs};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, SupportedCipherSuite};

use super::pem::{self, Pem};
use super::{Reader, raw};
use crate::web::tls::go_names::{self, Known, Version};
use crate::web::tls::{CipherOrder, TlsSettings, Versions};
use crate::yaml::Path;

impl Reader<'_> {
    pub(super) fn tls(&mut self, path: &Path, raw: raw::Tls) -> Option<TlsSettings> {
        if raw == raw::Tls::default() {
            return None;
        }
        let versions = self.versions(path, raw.min_version.as_deref(), raw.max_version.as_deref());
        let cipher_suites = self.cipher_suites(
            &path.key("cipher_suites"),
            &raw.cipher_suites.unwrap_or_default(),
            versions,
        );
        let key_exchange = self.key_exchange(
            &path.key("curve_preferences"),
            &raw.curve_preferences.unwrap_or_default(),
        );
        let certificate = self.required_pem(path, "cert", raw.cert, raw.cert_file);
        let key = self.required_pem(
            path,
            "key",
            raw.key.as_ref().map(|key| key.expose().to_owned()),
            raw.key_file,
        );
        let certificate = certificate
            .zip(key)
            .and_then(|(certificate, key)| self.certificate(&certificate, &key));
        let authorities = self.pem(path, "client_ca", raw.client_ca, raw.client_ca_file);
        let clients = self.clients(
            path,
            raw.client_auth_type.as_deref(),
            authorities,
            raw.client_allowed_sans,
        );
        Some(TlsSettings {
            certificate: certificate?,
            clients: clients?,
            versions: versions?,
            cipher_suites,
            key_exchange,
            cipher_order: if raw.prefer_server_cipher_suites == Some(false) {
                CipherOrder::Client
            } else {
                CipherOrder::Server
            },
        })
    }

    fn versions(&mut self, path: &Path, min: Option<&str>, max: Option<&str>) -> Option<Versions> {
        let (min_path, max_path) = (path.key("min_version"), path.key("max_version"));
        let min = self.version(&min_path, min.unwrap_or("TLS12"));
        let max = self.version(&max_path, max.unwrap_or("TLS13"));
        let (min, max) = (min?, max?);
        if min < Version::Tls12 {
            self.warnings.note(
                min_path,
                "is taken for TLS12: TLS 1.0 and 1.1 are not supported",
            );
        }
        match (min, max) {
            (_, Version::Tls10 | Version::Tls11) => {
                self.problems.note(
                    max_path,
                    "must be TLS12 or TLS13: TLS 1.0 and 1.1 are not supported",
                );
            }
            (Version::Tls13, Version::Tls12) => {
                self.problems.note(max_path, "is below min_version");
            }
            (Version::Tls13, Version::Tls13) => return Some(Versions::Tls13),
            (_, Version::Tls12) => return Some(Versions::Tls12),
            (_, Version::Tls13) => return Some(Versions::Tls12And13),
        }
        None
    }

    fn version(&mut self, path: &Path, name: &str) -> Option<Version> {
        let version = go_names::version(name).ok_or("must be TLS10, TLS11, TLS12 or TLS13");
        self.problems.keep(path, version)
    }

    /// As in Go, the list is about TLS 1.2; the suites of TLS 1.3 are all good and stay.
    fn cipher_suites(
        &mut self,
        path: &Path,
        names: &[Option<String>],
        versions: Option<Versions>,
    ) -> Vec<SupportedCipherSuite> {
        let Some(listed) = self.choose(path, names, go_names::cipher_suite) else {
            return aws_lc_rs::DEFAULT_CIPHER_SUITES.to_vec();
        };
        let (listed_13, listed_12): (Vec<_>, Vec<_>) = listed
            .into_iter()
            .partition(|suite| suite.tls13().is_some());
        if versions == Some(Versions::Tls12) && listed_12.is_empty() && !listed_13.is_empty() {
            self.problems.note(
                path.clone(),
                "has no suite of TLS 1.2, which max_version asks for",
            );
        }
        let all_13 = aws_lc_rs::DEFAULT_CIPHER_SUITES
            .iter()
            .copied()
            .filter(|suite| suite.tls13().is_some());
        all_13.chain(listed_12).collect()
    }

    fn key_exchange(
        &mut self,
        path: &Path,
        names: &[Option<String>],
    ) -> Vec<&'static dyn SupportedKxGroup> {
        self.choose(path, names, go_names::curve)
            .unwrap_or_else(|| aws_lc_rs::DEFAULT_KX_GROUPS.to_vec())
    }

    /// Returns the values of the names; None if there are no names.
    fn choose<T>(
        &mut self,
        path: &Path,
        names: &[Option<String>],
        look_up: fn(&str) -> Option<Known<T>>,
    ) -> Option<Vec<T>> {
        let mut chosen = Vec::new();
        let mut left_out = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let path = path.index(index);
            match name.as_deref().and_then(look_up) {
                Some(Known::Here(item)) => chosen.push(item),
                Some(Known::Elsewhere) => left_out.push(path),
                None if self.problems.has(&path) => {}
                None => self.problems.note(
                    path,
                    "is not a name that Go's crypto/tls and the exporter-toolkit know",
                ),
            }
        }
        if chosen.is_empty() && !left_out.is_empty() {
            self.problems
                .note(path.clone(), "none of these is supported here");
        }
        for path in left_out {
            self.warnings
                .note(path, "is not supported here and left out");
        }
        (!names.is_empty()).then_some(chosen)
    }

    fn certificate(&mut self, certificate: &Pem, key: &Pem) -> Option<Arc<CertifiedKey>> {
        let chain = self
            .problems
            .keep(&certificate.path, pem::certificates(&certificate.text));
        let signer = self.problems.keep(&key.path, pem::signing_key(&key.text));
        let certified = CertifiedKey::new(chain?, signer?);
        match certified.keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {
                return Some(Arc::new(certified));
            }
            Err(Error::InconsistentKeys(_)) => self
                .problems
                .note(key.path.clone(), "is not the key of the certificate"),
            Err(error) => self
                .problems
                .note(certificate.path.clone(), pem::unusable(1, error)),
        }
        None
    }
}
