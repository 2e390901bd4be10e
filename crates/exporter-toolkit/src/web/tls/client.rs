//! Client certificates: the rule for clients without one, the authorities that may sign it, and the
//! names that it may have.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// The authentication of clients by certificates.
#[derive(Debug, Clone)]
pub enum ClientAuth {
    /// Clients are not asked for a certificate.
    NotAsked,
    /// Clients are asked for a certificate, and must prove that they hold its key.
    Asked {
        /// The rule for clients without a certificate.
        presence: Presence,
        /// The authorities that may have signed the certificate.
        trust: Trust,
        /// The names of which the certificate must have one; none is any name.
        allowed: Option<AllowedNames>,
    },
}

/// The rule for clients without a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// They may connect.
    Optional,
    /// They may not connect.
    Required,
}

/// The authorities that may have signed a client's certificate.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Any authority, even the client itself.
    Anyone,
    /// One of these authorities, directly or through intermediates. There is at least one.
    Authorities(Arc<RootCertStore>),
}

/// The names of which a client's certificate must have one. Names are compared exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedNames {
    texts: BTreeSet<String>,
    addresses: BTreeSet<IpAddr>,
}

impl AllowedNames {
    /// DNS names, e-mail addresses, URIs, and IP addresses in any notation.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let texts: BTreeSet<_> = names.into_iter().collect();
        let addresses = texts.iter().filter_map(|text| text.parse().ok()).collect();
        Self { texts, addresses }
    }

    fn check(&self, certificate: &CertificateDer<'_>) -> Result<(), CertificateError> {
        let certificate =
            Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
        let extension = certificate
            .tbs_certificate()
            .get_extension::<SubjectAltName>()
            .map_err(|_| CertificateError::BadEncoding)?;
        let names = extension.map_or_else(Vec::new, |(_, names)| names.0);
        if names.iter().any(|name| self.contain(name)) {
            Ok(())
        } else {
            Err(CertificateError::ApplicationVerificationFailure)
        }
    }

    fn contain(&self, name: &GeneralName) -> bool {
        match name {
            GeneralName::DnsName(text)
            | GeneralName::Rfc822Name(text)
            | GeneralName::UniformResourceIdentifier(text) => self.texts.contains(text.as_str()),
            GeneralName::IpAddress(bytes) => {
                address(bytes.as_bytes()).is_some_and(|address| self.addresses.contains(&address))
            }
            _ => false,
        }
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

impl ClientAuth {
    pub(super) fn verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Option<Arc<dyn ClientCertVerifier>>, VerifierBuilderError> {
        let Self::Asked {
            presence,
            trust,
            allowed,
        } = self
        else {
            return Ok(None);
        };
        let chain = match trust {
            Trust::Anyone => None,
            Trust::Authorities(roots) => Some(
                WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
                    .build()?,
            ),
        };
        let algorithms = provider.signature_verification_algorithms;
        Ok(Some(Arc::new(Verifier {
            presence: *presence,
            chain,
            allowed: allowed.clone(),
            algorithms,
        })))
    }
}

#[derive(Debug)]
struct Verifier {
    presence: Presence,
    chain: Option<Arc<dyn ClientCertVerifier>>,
    allowed: Option<AllowedNames>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        // A client without a certificate has no allowed name either.
        self.presence == Presence::Required || self.allowed.is_some()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain
            .as_ref()
            .map_or(&[], |chain| chain.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Some(chain) = &self.chain {
            chain.verify_client_cert(certificate, intermediates, now)?;
        }
        if let Some(allowed) = &self.allowed {
            allowed.check(certificate)?;
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
