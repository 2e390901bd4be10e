//! TLS as the web configuration file asks for it.

mod client;
pub(crate) mod go_names;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls::server::VerifierBuilderError;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedCipherSuite, SupportedProtocolVersion};

pub use client::{AllowedNames, ClientAuth, Presence, Trust};

/// The settings of a TLS server.
#[derive(Debug, Clone)]
pub struct TlsSettings {
    /// The server's certificate, those that lead to its authority, and its key.
    pub certificate: Arc<CertifiedKey>,
    /// The demand for client certificates.
    pub clients: ClientAuth,
    /// The versions of TLS.
    pub versions: Versions,
    /// The cipher suites of all versions, best first.
    pub cipher_suites: Vec<SupportedCipherSuite>,
    /// The ways to agree on a key, best first.
    pub key_exchange: Vec<&'static dyn SupportedKxGroup>,
    /// The side whose order of cipher suites counts.
    pub cipher_order: CipherOrder,
}

/// The versions of TLS that are spoken; rustls has no older ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// TLS 1.2 alone.
    Tls12,
    /// TLS 1.2 and 1.3.
    Tls12And13,
    /// TLS 1.3 alone.
    Tls13,
}

impl Versions {
    fn protocols(self) -> Vec<&'static SupportedProtocolVersion> {
        match self {
            Self::Tls12 => vec![&TLS12],
            Self::Tls12And13 => vec![&TLS13, &TLS12],
            Self::Tls13 => vec![&TLS13],
        }
    }
}

/// The side whose order of cipher suites counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CipherOrder {
    /// The server's own.
    Server,
    /// The client's.
    Client,
}

/// The setting of HTTP/2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Http2 {
    /// Where the client offers it, over TLS.
    Offered,
    /// Never.
    Off,
}

/// The reason for which the settings of TLS do not work.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The versions, cipher suites and curves do not go together.
    #[error("TLS: {0}")]
    Settings(#[from] rustls::Error),
    /// The authorities that should verify clients cannot.
    #[error("TLS: client certificates: {0}")]
    Authorities(#[from] VerifierBuilderError),
}

impl TlsSettings {
    /// The settings in the form in which a handshake takes them. Sessions do not outlive it: a
    /// client that a new set of authorities would refuse cannot resume.
    pub fn server_config(&self, http2: Http2) -> Result<Arc<ServerConfig>, TlsError> {
        let provider = Arc::new(CryptoProvider {
            cipher_suites: self.cipher_suites.clone(),
            kx_groups: self.key_exchange.clone(),
            ..aws_lc_rs::default_provider()
        });
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&self.versions.protocols())?;
        let builder = match self.clients.verifier(&provider)? {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut config =
            builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(self.certificate.clone())));
        config.ignore_client_order = self.cipher_order == CipherOrder::Server;
        config.alpn_protocols = match http2 {
            Http2::Offered => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Http2::Off => vec![b"http/1.1".to_vec()],
        };
        Ok(Arc::new(config))
    }
}
