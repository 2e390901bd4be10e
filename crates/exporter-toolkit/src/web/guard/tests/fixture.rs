//! A folder with a web configuration file, certificates made for the test, and clients that trust
//! them.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::DuplexStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::web::guard::{Accepted, HandshakeError, WebGuard};

/// A certificate and its key, in PEM.
pub(super) struct Identity {
    pub(super) certificate: String,
    pub(super) key: String,
}

pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"))
                .expect("an authority"),
        )
    }

    pub(super) fn certificate(&self) -> String {
        self.0.pem()
    }

    pub(super) fn identity(&self, names: &[SanType]) -> Identity {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names.to_vec();
        let key = KeyPair::generate().expect("a key");
        Identity {
            certificate: params
                .signed_by(&key, &self.0)
                .expect("a certificate")
                .pem(),
            key: key.serialize_pem(),
        }
    }
}

pub(super) fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().expect("a name"))
}

/// A folder with certificates and a web configuration file.
pub(super) struct Fixture {
    folder: TempDir,
    pub(super) authority: Authority,
}

impl Fixture {
    /// With `server.crt`, `server.key` and `ca.crt` of one authority.
    pub(super) fn new() -> Self {
        let fixture = Self {
            folder: TempDir::new().expect("a folder"),
            authority: Authority::new(),
        };
        fixture.write_server(&fixture.authority.identity(&[dns("localhost")]));
        fixture.write("ca.crt", &fixture.authority.certificate());
        fixture
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).expect("written");
    }

    pub(super) fn write_server(&self, identity: &Identity) {
        self.write("server.crt", &identity.certificate);
        self.write("server.key", &identity.key);
    }

    /// Loads a guard with this file.
    pub(super) fn guard(&self, config: &str) -> WebGuard {
        self.write("web.yml", config);
        WebGuard::load(&self.path("web.yml")).unwrap_or_else(|error| panic!("{config}: {error}"))
    }

    /// Loads a guard with TLS and these further keys of `tls_server_config`.
    pub(super) fn tls_guard(&self, keys: &str) -> WebGuard {
        self.guard(&tls(keys))
    }

    pub(super) fn client(&self) -> Client {
        Client {
            trusted: self.authority.certificate(),
            identity: None,
            versions: rustls::ALL_VERSIONS.to_vec(),
            alpn: &[],
        }
    }
}

pub(super) fn tls(keys: &str) -> String {
    format!("tls_server_config: {{cert_file: server.crt, key_file: server.key, {keys}}}")
}

/// A client of TLS.
pub(super) struct Client {
    pub(super) trusted: String,
    pub(super) identity: Option<Identity>,
    pub(super) versions: Vec<&'static rustls::SupportedProtocolVersion>,
    /// The protocols it offers.
    pub(super) alpn: &'static [&'static str],
}

impl Client {
    pub(super) fn showing(self, identity: Identity) -> Self {
        Self {
            identity: Some(identity),
            ..self
        }
    }

    /// Connects: the server's end of the connection, and the client's.
    pub(super) async fn connect_to(
        self,
        guard: &WebGuard,
    ) -> (
        Result<Accepted<DuplexStream>, HandshakeError>,
        std::io::Result<TlsStream<DuplexStream>>,
    ) {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let connector = TlsConnector::from(Arc::new(self.config()));
        tokio::join!(
            guard.accept(near),
            connector.connect(ServerName::try_from("localhost").expect("a name"), far)
        )
    }

    pub(super) async fn can_connect(self, guard: &WebGuard) -> bool {
        self.connect_to(guard).await.0.is_ok()
    }

    fn config(self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.trusted.as_bytes()).expect("a certificate"))
            .expect("an authority");
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&self.versions)
            .expect("versions")
            .with_root_certificates(roots);
        let mut config = match self.identity {
            None => builder.with_no_client_auth(),
            Some(Identity { certificate, key }) => {
                let certificate =
                    CertificateDer::from_pem_slice(certificate.as_bytes()).expect("a certificate");
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
                builder
                    .with_client_auth_cert(vec![certificate], key)
                    .expect("a pair")
            }
        };
        config.alpn_protocols = self
            .alpn
            .iter()
            .map(|protocol| protocol.as_bytes().to_vec())
            .collect();
        config
    }
}
