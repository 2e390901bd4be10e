//! TLS handshakes with clients of every kind.

use std::net::IpAddr;

use rcgen::SanType;
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, NamedGroup, ProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::either::Either;

use super::fixture::{Authority, Fixture, dns};
use crate::web::guard::{HandshakeError, Protocol, Reloaded, Transport, WebGuard};

fn text(name: &str) -> rcgen::string::Ia5String {
    name.try_into().expect("ASCII")
}

#[tokio::test]
async fn each_policy_lets_in_whom_it_should() {
    let fixture = Fixture::new();
    let ca = "client_ca_file: ca.crt";
    for (keys, nobody, stranger, friend) in [
        ("", true, true, true),
        ("client_auth_type: NoClientCert", true, true, true),
        ("client_auth_type: RequestClientCert", true, true, true),
        ("client_auth_type: RequireAnyClientCert", false, true, true),
        ("client_auth_type: RequireClientCert", false, true, true),
        (
            &format!("client_auth_type: VerifyClientCertIfGiven, {ca}"),
            true,
            false,
            true,
        ),
        (
            &format!("client_auth_type: RequireAndVerifyClientCert, {ca}"),
            false,
            false,
            true,
        ),
        (
            "client_auth_type: RequireAndVerifyClientCert",
            false,
            false,
            false,
        ),
    ] {
        let guard = fixture.tls_guard(keys);
        assert_eq!(
            fixture.client().can_connect(&guard).await,
            nobody,
            "without a certificate: {keys}"
        );
        let unknown = Authority::new().identity(&[dns("client")]);
        assert_eq!(
            fixture.client().showing(unknown).can_connect(&guard).await,
            stranger,
            "with a stranger's: {keys}"
        );
        let known = fixture.authority.identity(&[dns("client")]);
        assert_eq!(
            fixture.client().showing(known).can_connect(&guard).await,
            friend,
            "with a good one: {keys}"
        );
    }
}

#[tokio::test]
async fn a_client_needs_one_of_the_allowed_names_exactly() {
    let fixture = Fixture::new();
    let names = "[prometheus.example, scrape@example.org, 'spiffe://example.org/prometheus', \
                 192.0.2.1, '2001:DB8::1']";
    let guard = fixture.tls_guard(&format!(
        "client_auth_type: RequireAndVerifyClientCert, client_ca_file: \
            ca.crt, client_allowed_sans: {names}"
    ));
    let ip = |text: &str| SanType::IpAddress(text.parse::<IpAddr>().expect("an address"));
    let allowed = [
        dns("prometheus.example"),
        SanType::Rfc822Name(text("scrape@example.org")),
        SanType::URI(text("spiffe://example.org/prometheus")),
        ip("192.0.2.1"),
        ip("2001:db8::1"),
    ];
    for name in allowed {
        let identity = fixture
            .authority
            .identity(&[dns("another.example"), name.clone()]);
        assert!(
            fixture.client().showing(identity).can_connect(&guard).await,
            "{name:?}"
        );
    }
    let refused = [
        dns("PROMETHEUS.example"),
        dns("a.prometheus.example"),
        dns("*.example"),
        SanType::URI(text("spiffe://example.org/prometheus/")),
        SanType::Rfc822Name(text("root@example.org")),
        ip("192.0.2.2"),
    ];
    for name in refused {
        let identity = fixture.authority.identity(std::slice::from_ref(&name));
        assert!(
            !fixture.client().showing(identity).can_connect(&guard).await,
            "{name:?}"
        );
    }
    assert!(
        !fixture
            .client()
            .showing(fixture.authority.identity(&[]))
            .can_connect(&guard)
            .await,
        "no names at all"
    );
    let stranger = Authority::new().identity(&[dns("prometheus.example")]);
    assert!(
        !fixture.client().showing(stranger).can_connect(&guard).await,
        "the right name from the wrong authority"
    );
}

#[tokio::test]
async fn names_that_are_asked_for_make_a_certificate_necessary() {
    let fixture = Fixture::new();
    let guard = fixture.tls_guard(
        "client_auth_type: VerifyClientCertIfGiven, client_ca_file: \
        ca.crt, client_allowed_sans: [client]",
    );
    assert!(!fixture.client().can_connect(&guard).await);
    assert!(
        fixture
            .client()
            .showing(fixture.authority.identity(&[dns("client")]))
            .can_connect(&guard)
            .await
    );
}

#[tokio::test]
async fn versions_are_kept_within_their_limits() {
    let fixture = Fixture::new();
    for (keys, with_12, with_13) in [
        ("", true, true),
        ("min_version: TLS10", true, true),
        ("min_version: TLS13", false, true),
        ("max_version: TLS12", true, false),
    ] {
        let guard = fixture.tls_guard(keys);
        let mut client = fixture.client();
        client.versions = vec![&TLS12];
        assert_eq!(client.can_connect(&guard).await, with_12, "TLS 1.2: {keys}");
        let mut client = fixture.client();
        client.versions = vec![&TLS13];
        assert_eq!(client.can_connect(&guard).await, with_13, "TLS 1.3: {keys}");
    }
}

#[tokio::test]
async fn suites_and_curves_are_those_of_the_file_in_its_order() {
    let fixture = Fixture::new();
    let suites =
        "[TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]";
    for (keys, version, suite, curve) in [
        (
            format!("max_version: TLS12, cipher_suites: {suites}, curve_preferences: [CurveP384]"),
            ProtocolVersion::TLSv1_2,
            CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
            NamedGroup::secp384r1,
        ),
        (
            format!(
                "max_version: TLS12, cipher_suites: {suites}, curve_preferences: [X25519], \
                    prefer_server_cipher_suites: false"
            ),
            ProtocolVersion::TLSv1_2,
            CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            NamedGroup::X25519,
        ),
        (
            format!("cipher_suites: {suites}, curve_preferences: [CurveP256]"),
            ProtocolVersion::TLSv1_3,
            CipherSuite::TLS13_AES_256_GCM_SHA384,
            NamedGroup::secp256r1,
        ),
    ] {
        let (accepted, _client) = fixture.client().connect_to(&fixture.tls_guard(&keys)).await;
        let Either::Right(stream) = accepted.expect("a handshake").stream else {
            panic!("{keys}: in plain text")
        };
        let connection = stream.get_ref().1;
        assert_eq!(connection.protocol_version(), Some(version), "{keys}");
        assert_eq!(
            connection
                .negotiated_cipher_suite()
                .map(|suite| suite.suite()),
            Some(suite),
            "{keys}"
        );
        assert_eq!(
            connection
                .negotiated_key_exchange_group()
                .map(rustls::crypto::SupportedKxGroup::name),
            Some(curve),
            "{keys}"
        );
    }
}

#[tokio::test]
async fn http_2_is_spoken_only_where_both_sides_and_the_file_want_it() {
    let fixture = Fixture::new();
    for (rest, offers, protocol) in [
        ("", &["h2", "http/1.1"][..], Protocol::Http2),
        ("", &["http/1.1"][..], Protocol::Http1),
        ("", &[][..], Protocol::Http1),
        (
            "\nhttp_server_config: {http2: false}",
            &["h2", "http/1.1"][..],
            Protocol::Http1,
        ),
    ] {
        let guard = fixture.guard(&(super::fixture::tls("") + rest));
        let mut client = fixture.client();
        client.alpn = offers;
        let (accepted, _client) = client.connect_to(&guard).await;
        assert_eq!(
            accepted.expect("a handshake").protocol,
            protocol,
            "{rest}, offered {offers:?}"
        );
    }
}

#[tokio::test]
async fn without_tls_a_connection_is_taken_as_it_is() {
    let guard = WebGuard::without_file().expect("a guard");
    assert_eq!(guard.transport(), Transport::Plain);
    let (near, mut far) = tokio::io::duplex(64);
    let accepted = guard.accept(near).await.expect("no handshake");
    assert_eq!(accepted.protocol, Protocol::Http1);
    let mut stream = accepted.stream;
    far.write_all(b"hello").await.expect("written");
    stream.write_all(b"world").await.expect("written");
    let (mut here, mut there) = ([0; 5], [0; 5]);
    stream.read_exact(&mut here).await.expect("read");
    far.read_exact(&mut there).await.expect("read");
    assert_eq!((&here, &there), (b"hello", b"world"));
}

#[tokio::test]
async fn a_new_certificate_serves_new_connections_and_leaves_the_old_ones_alone() {
    let fixture = Fixture::new();
    let guard = fixture.tls_guard("");
    assert_eq!(guard.transport(), Transport::Tls);
    let (old_server, old_client) = fixture.client().connect_to(&guard).await;
    let (mut old_server, mut old_client) = (
        old_server.expect("a handshake").stream,
        old_client.expect("a handshake"),
    );

    let next = Authority::new();
    fixture.write_server(&next.identity(&[dns("localhost")]));
    assert_eq!(
        guard.reload_blocking().expect("good files"),
        Reloaded::Changed
    );

    let (refused, error) = fixture.client().connect_to(&guard).await;
    assert!(
        refused.is_err() && error.is_err(),
        "the old authority did not sign the new certificate"
    );
    let mut client = fixture.client();
    client.trusted = next.certificate();
    assert!(client.can_connect(&guard).await);
    old_client.write_all(b"still here").await.expect("written");
    let mut bytes = [0; 10];
    old_server.read_exact(&mut bytes).await.expect("read");
    assert_eq!(&bytes, b"still here");
}

#[tokio::test]
async fn clients_of_an_authority_that_was_taken_out_stay_out() {
    let fixture = Fixture::new();
    let guard =
        fixture.tls_guard("client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt");
    let identity = || fixture.authority.identity(&[dns("client")]);
    assert!(
        fixture
            .client()
            .showing(identity())
            .can_connect(&guard)
            .await
    );
    fixture.write("ca.crt", &Authority::new().certificate());
    assert_eq!(
        guard.reload_blocking().expect("good files"),
        Reloaded::Changed
    );
    assert!(
        !fixture
            .client()
            .showing(identity())
            .can_connect(&guard)
            .await
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_finishes_its_handshake_is_let_go() {
    let guard = Fixture::new().tls_guard("");
    for first_bytes in [&b""[..], b"\x16\x03\x01\x02\x00"] {
        let (near, mut far) = tokio::io::duplex(64);
        far.write_all(first_bytes).await.expect("written");
        let error = guard.accept(near).await.expect_err("no handshake");
        assert!(matches!(error, HandshakeError::TimedOut), "{error}");
    }
}

#[tokio::test]
async fn a_bad_handshake_does_not_disturb_the_others() {
    let fixture = Fixture::new();
    let guard = fixture.tls_guard("");
    let (near, mut far) = tokio::io::duplex(64);
    let (idle_near, _idle_far) = tokio::io::duplex(64);
    let bad = async {
        far.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .expect("written");
        guard.accept(near).await.expect_err("that is not TLS")
    };
    let good = async { fixture.client().can_connect(&guard).await };
    tokio::select! {
        _ = guard.accept(idle_near) => panic!("nothing was sent"),
        (error, let_in) = async { tokio::join!(bad, good) } => {
            assert!(matches!(error, HandshakeError::Failed(_)), "{error}");
            assert!(let_in);
        }
    }
}
