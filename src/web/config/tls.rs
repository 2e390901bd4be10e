//! `tls_server_config`.

use std::sync::Arc;

use rustls::crypto::{SupportedKxGroup, aws_lc_rs};
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{Error, InconsistentKeys, RootCertStore, SupportedCipherSuite};

use super::{Reader, raw};
use crate::config::Path;
use crate::web::tls::names::{self, Known, Version};
use crate::web::tls::{AllowedNames, CipherOrder, ClientAuth, Presence, TlsSettings, Trust, Versions};

/// The content of a PEM file, or of a key that has it inline, and the place where mistakes in it are noted.
struct Pem {
    path: Path,
    text: Vec<u8>,
}

/// Go's `ClientAuthType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    NotAsked,
    Asked(Presence, Verification),
}

/// Whether a client's certificate must come from an authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verification {
    None,
    Chain,
}

impl Reader<'_> {
    pub(super) fn tls(&mut self, path: &Path, raw: raw::Tls) -> Option<TlsSettings> {
        if raw == raw::Tls::default() {
            return None;
        }
        let versions = self.versions(path, raw.min_version.as_deref(), raw.max_version.as_deref());
        let cipher_suites = self.cipher_suites(&path.key("cipher_suites"), &raw.cipher_suites.unwrap_or_default(), versions);
        let key_exchange = self.key_exchange(&path.key("curve_preferences"), &raw.curve_preferences.unwrap_or_default());
        let certificate = self.required_pem(path, "cert", raw.cert, raw.cert_file);
        let key = self.required_pem(path, "key", raw.key.as_ref().map(|key| key.expose().to_owned()), raw.key_file);
        let certificate = certificate.zip(key).and_then(|(certificate, key)| self.certificate(&certificate, &key));
        let authorities = self.pem(path, "client_ca", raw.client_ca, raw.client_ca_file);
        let clients = self.clients(path, raw.client_auth_type.as_deref(), authorities, raw.client_allowed_sans);
        Some(TlsSettings {
            certificate: certificate?,
            clients: clients?,
            versions: versions?,
            cipher_suites,
            key_exchange,
            cipher_order: if raw.prefer_server_cipher_suites == Some(false) { CipherOrder::Client } else { CipherOrder::Server },
        })
    }

    fn versions(&mut self, path: &Path, min: Option<&str>, max: Option<&str>) -> Option<Versions> {
        let (min_path, max_path) = (path.key("min_version"), path.key("max_version"));
        let min = self.version(&min_path, min.unwrap_or("TLS12"));
        let max = self.version(&max_path, max.unwrap_or("TLS13"));
        let (min, max) = (min?, max?);
        if min < Version::Tls12 {
            self.warnings.note(min_path, "is taken for TLS12: TLS 1.0 and 1.1 are not supported");
        }
        match (min, max) {
            (_, Version::Tls10 | Version::Tls11) => {
                self.problems.note(max_path, "must be TLS12 or TLS13: TLS 1.0 and 1.1 are not supported");
            }
            (Version::Tls13, Version::Tls12) => self.problems.note(max_path, "is below min_version"),
            (Version::Tls13, Version::Tls13) => return Some(Versions::Tls13),
            (_, Version::Tls12) => return Some(Versions::Tls12),
            (_, Version::Tls13) => return Some(Versions::Tls12And13),
        }
        None
    }

    fn version(&mut self, path: &Path, name: &str) -> Option<Version> {
        let version = names::version(name).ok_or("must be TLS10, TLS11, TLS12 or TLS13");
        self.problems.keep(path, version)
    }

    /// As in Go, the list is about TLS 1.2; the suites of TLS 1.3 are all good and stay.
    fn cipher_suites(&mut self, path: &Path, names: &[Option<String>], versions: Option<Versions>) -> Vec<SupportedCipherSuite> {
        let Some(listed) = self.choose(path, names, names::cipher_suite) else { return aws_lc_rs::DEFAULT_CIPHER_SUITES.to_vec() };
        let (listed_13, listed_12): (Vec<_>, Vec<_>) = listed.into_iter().partition(|suite| suite.tls13().is_some());
        if versions == Some(Versions::Tls12) && listed_12.is_empty() && !listed_13.is_empty() {
            self.problems.note(path.clone(), "has no suite of TLS 1.2, which max_version asks for");
        }
        let all_13 = aws_lc_rs::DEFAULT_CIPHER_SUITES.iter().copied().filter(|suite| suite.tls13().is_some());
        all_13.chain(listed_12).collect()
    }

    fn key_exchange(&mut self, path: &Path, names: &[Option<String>]) -> Vec<&'static dyn SupportedKxGroup> {
        self.choose(path, names, names::curve).unwrap_or_else(|| aws_lc_rs::DEFAULT_KX_GROUPS.to_vec())
    }

    /// What the names stand for; nothing if there are none.
    fn choose<T>(&mut self, path: &Path, names: &[Option<String>], look_up: fn(&str) -> Option<Known<T>>) -> Option<Vec<T>> {
        let mut chosen = Vec::new();
        let mut left_out = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let path = path.index(index);
            match name.as_deref().and_then(look_up) {
                Some(Known::Here(item)) => chosen.push(item),
                Some(Known::Elsewhere) => left_out.push(path),
                None if self.problems.has(&path) => {}
                None => self.problems.note(path, "is not a name that Go's crypto/tls and the exporter-toolkit know"),
            }
        }
        if chosen.is_empty() && !left_out.is_empty() {
            self.problems.note(path.clone(), "none of these is supported here");
        }
        for path in left_out {
            self.warnings.note(path, "is not supported here and left out");
        }
        (!names.is_empty()).then_some(chosen)
    }

    fn pem(&mut self, path: &Path, key: &str, inline: Option<String>, file: Option<String>) -> Option<Pem> {
        let file_path = path.key(&format!("{key}_file"));
        // An empty string is how templates leave a key out; the toolkit takes it so.
        match (inline.filter(|text| !text.is_empty()), file.filter(|file| !file.is_empty())) {
            (Some(_), Some(_)) => {
                self.problems.note(path.key(key), format!("is there beside {key}_file; one of them must go"));
                None
            }
            (Some(text), None) => Some(Pem { path: path.key(key), text: text.into_bytes() }),
            (None, Some(file)) => {
                let file = self.folder.join(file);
                let text = std::fs::read(&file).map_err(|error| format!("{}: {error}", file.display()));
                let text = self.problems.keep(&file_path, text)?;
                self.seen(&text);
                Some(Pem { path: file_path, text })
            }
            (None, None) => None,
        }
    }

    fn required_pem(&mut self, path: &Path, key: &str, inline: Option<String>, file: Option<String>) -> Option<Pem> {
        let pem = self.pem(path, key, inline, file);
        let file_path = path.key(&format!("{key}_file"));
        if pem.is_none() && !self.problems.has(&path.key(key)) && !self.problems.has(&file_path) {
            self.problems.note(file_path, format!("is missing, and so is {key}"));
        }
        pem
    }

    fn certificate(&mut self, certificate: &Pem, key: &Pem) -> Option<Arc<CertifiedKey>> {
        let chain = self.problems.keep(&certificate.path, certificates(&certificate.text));
        let signer = self.problems.keep(&key.path, signing_key(&key.text));
        let certified = CertifiedKey::new(chain?, signer?);
        match certified.keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => return Some(Arc::new(certified)),
            Err(Error::InconsistentKeys(_)) => self.problems.note(key.path.clone(), "is not the key of the certificate"),
            Err(error) => self.problems.note(certificate.path.clone(), unusable(1, error)),
        }
        None
    }

    fn clients(
        &mut self,
        path: &Path,
        policy: Option<&str>,
        authorities: Option<Pem>,
        names: Option<Vec<Option<raw::Text>>>,
    ) -> Option<ClientAuth> {
        let policy_path = path.key("client_auth_type");
        let policy = self.problems.keep(&policy_path, policy_named(policy.unwrap_or_default()))?;
        let allowed = names.map(|names| self.allowed_names(&path.key("client_allowed_sans"), names, policy));
        let verifying = matches!(policy, Policy::Asked(_, Verification::Chain));
        if let Some(pem) = authorities.as_ref().filter(|_| !verifying) {
            let message = "verifies nothing unless client_auth_type is RequireAndVerifyClientCert or VerifyClientCertIfGiven";
            self.problems.note(pem.path.clone(), message);
        }
        let Policy::Asked(presence, verification) = policy else { return Some(ClientAuth::NotAsked) };
        if presence == Presence::Optional && allowed.is_some() {
            self.warnings.note(policy_path.clone(), "lets nobody in without a certificate, since client_allowed_sans asks for a name");
        }
        let trust = match (verification, authorities) {
            (Verification::None, _) => Trust::Anyone,
            (Verification::Chain, Some(pem)) => Trust::Authorities(Arc::new(self.problems.keep(&pem.path, roots(&pem.text))?)),
            (Verification::Chain, None) => {
                let message = "without client_ca_file, a certificate from any authority that this system trusts will do";
                self.warnings.note(policy_path, message);
                Trust::Authorities(Arc::new(system_roots()))
            }
        };
        Some(ClientAuth::Asked { presence, trust, allowed })
    }

    fn allowed_names(&mut self, path: &Path, names: Vec<Option<raw::Text>>, policy: Policy) -> AllowedNames {
        match policy {
            Policy::NotAsked if !names.is_empty() => {
                self.problems.note(path.clone(), "is looked at only where client_auth_type asks for a certificate");
            }
            Policy::Asked(..) if names.is_empty() => self.problems.note(path.clone(), "is empty, so that no client could connect"),
            Policy::Asked(_, Verification::None) => {
                self.warnings.note(path.clone(), "anyone can make a certificate with these names, since client_auth_type verifies nothing");
            }
            Policy::NotAsked | Policy::Asked(..) => {}
        }
        AllowedNames::new(names.into_iter().flatten().map(|name| name.0))
    }
}

fn policy_named(name: &str) -> Result<Policy, &'static str> {
    match name {
        "" | "NoClientCert" => Ok(Policy::NotAsked),
        "RequestClientCert" => Ok(Policy::Asked(Presence::Optional, Verification::None)),
        "RequireAnyClientCert" | "RequireClientCert" => Ok(Policy::Asked(Presence::Required, Verification::None)),
        "VerifyClientCertIfGiven" => Ok(Policy::Asked(Presence::Optional, Verification::Chain)),
        "RequireAndVerifyClientCert" => Ok(Policy::Asked(Presence::Required, Verification::Chain)),
        _ => Err("must be NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert"),
    }
}

// What a PEM parser says may quote the text, and that may be a key; so it is not passed on.
const BROKEN: &str = "is not PEM: a section is cut off or not base64";

fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>().map_err(|_| BROKEN)?;
    if chain.is_empty() { Err("has no certificate (-----BEGIN CERTIFICATE-----)") } else { Ok(chain) }
}

fn signing_key(text: &[u8]) -> Result<Arc<dyn SigningKey>, String> {
    let key = PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
        _ if String::from_utf8_lossy(text).contains("ENCRYPTED") => "is encrypted; it must be without a passphrase",
        PemError::NoItemsFound => "has no private key (-----BEGIN PRIVATE KEY-----)",
        _ => BROKEN,
    })?;
    aws_lc_rs::default_provider().key_provider.load_private_key(key).map_err(|error| error.to_string())
}

fn roots(text: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for (index, certificate) in certificates(text)?.into_iter().enumerate() {
        roots.add(certificate).map_err(|error| unusable(index + 1, error))?;
    }
    Ok(roots)
}

/// What the library says, without "invalid peer certificate": it is the operator's own.
fn unusable(number: usize, error: Error) -> String {
    match error {
        Error::InvalidCertificate(reason) => format!("certificate {number} cannot be used: {reason}"),
        error => format!("certificate {number} cannot be used: {error}"),
    }
}

/// The authorities of the system; those of Mozilla where it has none.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}
