use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{AlertDescription, InvalidMessage, PeerIncompatible, ServerConfig};
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
    (params.not_before, params.not_after) = (date_time_ymd(4000, 1, 1), date_time_ymd(4001, 1, 1));
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
async fn failures_of_tls_have_a_message_in_plain_words() {
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
        assert_eq!(tls_error::message(&error), words);
    }
}
