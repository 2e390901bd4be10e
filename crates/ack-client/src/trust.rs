//! The certificates that TLS connections trust.

pub(crate) mod tls_error;

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
};
use safe_input::authorities::system_roots;

/// A TLS client that trusts the system's authorities and those in `extra`, and a server that
/// presents a certificate of `extra` itself.
pub fn client_config(extra: &[CertificateDer<'static>]) -> ClientConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut roots = system_roots();
    roots.add_parsable_certificates(extra.iter().cloned());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("the provider knows the default versions");
    if extra.is_empty() {
        return builder.with_root_certificates(roots).with_no_client_auth();
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let verifier = AuthorityOrItself {
        verifier: verifier.expect("there are authorities, Mozilla's at least"),
        certificates: extra.to_vec(),
    };
    builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth()
}

/// Verifies servers as usual, and also accepts a server with one of `certificates` itself, even if
/// it is that of an authority. `openssl req -x509` makes such certificates, and curl accepts them.
#[derive(Debug)]
struct AuthorityOrItself {
    verifier: Arc<WebPkiServerVerifier>,
    certificates: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for AuthorityOrItself {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // rustls checks the validity before this error, but the name only after it.
            Err(Error::InvalidCertificate(error))
                if is_authority_itself(&error)
                    && self.certificates.iter().any(|own| **own == **end_entity) =>
            {
                rustls::client::verify_server_name(
                    &ParsedCertificate::try_from(end_entity)?,
                    server_name,
                )?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// Returns true if a certificate was refused only because it is that of an authority.
fn is_authority_itself(error: &CertificateError) -> bool {
    let CertificateError::Other(OtherError(error)) = error else {
        return false;
    };
    error.to_string() == "CaUsedAsEndEntity"
}

#[cfg(test)]
pub(crate) mod tests;
