//! TLS with the settings of the web configuration file.

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
    /// The server's certificate, the intermediates up to its authority, and its key.
    pub certificate: Arc<CertifiedKey>,
    /// The authentication of clients.
    pub clients: ClientAuth,
    /// The versions of TLS.
    pub versions: Versions,
    /// The cipher suites of all versions, the preferred one first.
    pub cipher_suites: Vec<SupportedCipherSuite>,
    /// The groups for the key exchange, the preferred one first.
    pub key_exchange: Vec<&'static dyn SupportedKxGroup>,
    /// The side whose order of cipher suites decides.
    pub cipher_order: CipherOrder,
}

/// The versions of TLS that the server supports. rustls has no older ones.
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

/// The side whose order of cipher suites decides.
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
    /// The server offers it over TLS.
    Offered,
    /// The server does not offer it.
    Off,
}

/// An error in the settings of TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The versions, cipher suites and groups do not fit together.
    #[error("TLS: {0}")]
    Settings(#[from] rustls::Error),
    /// The authorities cannot be used to verify clients.
    #[error("TLS: client certificates: {0}")]
    Authorities(#[from] VerifierBuilderError),
}

impl TlsSettings {
    /// The configuration for handshakes. Sessions end with it, so that a client which new
    /// authorities would refuse cannot resume one.
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
