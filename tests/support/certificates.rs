//! Certificates made for a test.

#![allow(dead_code, reason = "each test binary uses its part")]

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::CertificateDer;

/// A certificate authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    /// A new authority.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"))
                .expect("an authority"),
        )
    }

    /// Its own certificate, in PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// The certificate in the form that a client's list of authorities needs.
    pub fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A new certificate for a server on this machine.
    pub fn server(&self) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])
            .expect("names");
        Identity {
            certificate: params
                .signed_by(&key, &self.0)
                .expect("a certificate")
                .pem(),
            key: key.serialize_pem(),
        }
    }
}
