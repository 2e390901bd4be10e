//! The certificates that TLS connections trust.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, InvalidMessage, OtherError,
    RootCertStore, SignatureScheme,
};

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
    matches!(error, CertificateError::Other(OtherError(error)) if error.to_string() == "CaUsedAsEndEntity")
}

/// The reason of a TLS failure, as a sentence about the server.
pub fn in_words(error: &Error) -> String {
    match error {
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => "it answers without TLS; is the endpoint http://?".to_owned(),
        Error::InvalidCertificate(error) => match error {
            CertificateError::UnknownIssuer => "its certificate is of no authority that is trusted".to_owned(),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired".to_owned(),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet; the clock may be wrong".to_owned()
            }
            CertificateError::NotValidForNameContext { expected, .. } => {
                format!("its certificate is not valid for the name {}", expected.to_str())
            }
            error if is_authority_itself(error) => {
                "its certificate is an authority's, which no server may show unless ca_file holds it".to_owned()
            }
            CertificateError::Other(OtherError(error)) => format!("its certificate is refused: {}", spaced(&error.to_string())),
            error => {
                let name = format!("{error:?}");
                let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
                format!("its certificate is refused: {}", spaced(name))
            }
        },
        error => spaced(&error.to_string()),
    }
}

/// Splits names such as `HandshakeFailure` in `text` into words.
fn spaced(text: &str) -> String {
    let mut words = String::new();
    for name in text.split_inclusive(char::is_whitespace) {
        let is_camel_case = name
            .chars()
            .zip(name.chars().skip(1))
            .any(|(one, next)| one.is_ascii_lowercase() && next.is_ascii_uppercase());
        if !is_camel_case {
            words.push_str(name);
            continue;
        }
        for c in name.chars() {
            if c.is_ascii_uppercase()
                && words.ends_with(|before: char| {
                    before.is_ascii_lowercase() || before.is_ascii_digit()
                })
            {
                words.push(' ');
            }
            words.push(c.to_ascii_lowercase());
        }
    }
    words
}

/// The system's CA store or, if there is none (as in scratch images), Mozilla's.
pub fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

#[cfg(test)]
pub(crate) mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
    use rustls::pki_types::PrivateKeyDer;
    use rustls::{AlertDescription, PeerIncompatible, ServerConfig};
    use tokio_rustls::{TlsAcceptor, TlsConnector};

    use super::*;

    /// A certificate of an authority for `localhost`, as `openssl req -x509` makes them.
    fn authority() -> CertificateParams {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    /// A server that shows its own certificate, signed by itself.
    fn server(params: &CertificateParams) -> (CertificateDer<'static>, TlsAcceptor) {
        let key = KeyPair::generate().expect("a key");
        let certificate = params
            .self_signed(&key)
            .expect("a certificate")
            .der()
            .clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth();
        let config = builder
            .with_single_cert(vec![certificate.clone()], key)
            .expect("a pair");
        (certificate, TlsAcceptor::from(Arc::new(config)))
    }

    /// A server at `localhost` and a client that trusts it alone.
    pub(crate) fn trusted_server() -> (ClientConfig, TlsAcceptor) {
        let (certificate, acceptor) = server(&authority());
        (client_config(&[certificate]), acceptor)
    }

    /// A handshake of a client that trusts `certificates` with a server that it takes for `name`.
    async fn handshake(
        certificates: &[CertificateDer<'static>],
        acceptor: &TlsAcceptor,
        name: &'static str,
    ) -> Result<(), String> {
        let (near, far) = tokio::io::duplex(1 << 16);
        let connector = TlsConnector::from(Arc::new(client_config(certificates)));
        let name = ServerName::try_from(name).expect("a name");
        let (client, _) = tokio::join!(connector.connect(name, near), acceptor.accept(far));
        client
            .map(drop)
            .map_err(|error| crate::root_cause::root_cause(&error))
    }

    #[tokio::test]
    async fn a_server_may_show_the_very_authority_that_the_operator_named_and_no_other() {
        let (certificate, acceptor) = server(&authority());
        let (other, _) = server(&authority());
        assert_eq!(
            handshake(
                &[other.clone(), certificate.clone()],
                &acceptor,
                "localhost"
            )
            .await,
            Ok(())
        );
        let refused = handshake(&[other], &acceptor, "localhost")
            .await
            .expect_err("another's");
        assert_eq!(
            refused,
            "its certificate is an authority's, which no server may show unless ca_file holds it"
        );
        let refused = handshake(
            std::slice::from_ref(&certificate),
            &acceptor,
            "elsewhere.example",
        )
        .await
        .expect_err("another name");
        assert_eq!(
            refused,
            "its certificate is not valid for the name elsewhere.example"
        );
    }

    #[tokio::test]
    async fn an_authority_that_has_expired_or_is_not_valid_yet_is_no_server() {
        let mut params = authority();
        params.not_after = date_time_ymd(2020, 1, 1);
        let (certificate, acceptor) = server(&params);
        assert_eq!(
            handshake(&[certificate], &acceptor, "localhost").await,
            Err("its certificate has expired".to_owned())
        );
        let mut params = authority();
        (params.not_before, params.not_after) =
            (date_time_ymd(4000, 1, 1), date_time_ymd(4001, 1, 1));
        let (certificate, acceptor) = server(&params);
        let refused = handshake(&[certificate], &acceptor, "localhost")
            .await
            .expect_err("too early");
        assert_eq!(
            refused,
            "its certificate is not valid yet; the clock may be wrong"
        );
    }

    #[tokio::test]
    async fn failures_of_tls_are_told_in_words() {
        let (_, acceptor) =
            server(&CertificateParams::new(vec!["localhost".to_owned()]).expect("a name"));
        let refused = handshake(&[], &acceptor, "localhost")
            .await
            .expect_err("unknown");
        assert_eq!(
            refused,
            "its certificate is of no authority that is trusted"
        );
        for (error, words) in [
            (
                Error::InvalidMessage(InvalidMessage::InvalidContentType),
                "it answers without TLS; is the endpoint http://?",
            ),
            (
                Error::AlertReceived(AlertDescription::HandshakeFailure),
                "received fatal alert: handshake failure",
            ),
            (
                Error::InvalidCertificate(CertificateError::BadEncoding),
                "its certificate is refused: bad encoding",
            ),
            (
                Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
                "peer is incompatible: no cipher suites in common",
            ),
        ] {
            assert_eq!(in_words(&error), words);
        }
    }
}
