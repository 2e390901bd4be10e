//! Certificates and passwords that change under load, and clients without TLS.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exporter_toolkit::web::guard::Reloaded;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::server::{Served, Setup};
use crate::certificates::{Authority, Identity};
use crate::client::{ClientResponse, connect, get, read};

fn trusting(authority: &Authority) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).expect("a certificate"))
        .expect("an authority");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions");
    TlsConnector::from(Arc::new(
        builder.with_root_certificates(roots).with_no_client_auth(),
    ))
}

const TLS: &str = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n";

fn users(passwords: &[(&str, &str)]) -> String {
    let users: Vec<_> = passwords
        .iter()
        .map(|(user, password)| format!("{user}: {}", bcrypt::hash(password, 4).expect("hashes")))
        .collect();
    format!("{TLS}basic_auth_users: {{{}}}\n", users.join(", "))
}

fn serve(authority: &Authority, web: &str) -> Served {
    let folder = TempDir::new().expect("a folder");
    let Identity { certificate, key } = authority.server();
    std::fs::write(folder.path().join("server.crt"), certificate).expect("written");
    std::fs::write(folder.path().join("server.key"), key).expect("written");
    Setup {
        web: Some(web),
        ..Setup::default()
    }
    .serve_in(folder)
}

async fn fetch(
    served: &Served,
    connector: &TlsConnector,
    login: &str,
) -> (Option<ClientResponse>, Vec<u8>) {
    let name = ServerName::try_from("localhost").expect("a name");
    let mut stream = connector
        .connect(name, connect(served.address).await)
        .await
        .expect("a handshake");
    let shown = stream
        .get_ref()
        .1
        .peer_certificates()
        .expect("a certificate")[0]
        .to_vec();
    let wire = get(
        "/metrics",
        &format!("Authorization: Basic {}\r\n", STANDARD.encode(login)),
    );
    stream.write_all(wire.as_bytes()).await.expect("sent");
    (read(&mut stream, false).await, shown)
}

#[tokio::test]
async fn a_certificate_and_a_password_change_under_load_and_no_scrape_fails() {
    let authority = Authority::new();
    let served = Arc::new(serve(&authority, &users(&[("alice", "first")])));
    let connector = trusting(&authority);
    let first = fetch(&served, &connector, "alice:first").await.1;
    let done = tokio_util::sync::CancellationToken::new();
    let mut load = JoinSet::new();
    for _ in 0..8 {
        let (served, connector, done) = (Arc::clone(&served), connector.clone(), done.clone());
        load.spawn(async move {
            let mut scrapes = 0;
            while !done.is_cancelled() {
                // The client whose password changes has both for a while.
                let login = if scrapes % 2 == 0 {
                    "prometheus:constant"
                } else {
                    "alice:first"
                };
                let response = fetch(&served, &connector, login)
                    .await
                    .0
                    .expect("a response");
                assert!(
                    response.status == 200
                        || (response.status == 401
                            && login == "prometheus:constant"
                            && scrapes == 0),
                    "{}",
                    response.status
                );
                scrapes += 1;
                yield_now().await;
            }
            scrapes
        });
    }
    let both = users(&[("alice", "first"), ("prometheus", "constant")]);
    let mut shown = std::collections::BTreeSet::from([first.clone()]);
    for round in 0..20 {
        let Identity { certificate, key } = authority.server();
        served.write("server.key", &key);
        // Between the two writes the pair does not match, and the old pair stays in use.
        if round % 2 == 0 {
            assert!(served.guard.reload().await.is_err());
        }
        served.write("server.crt", &certificate);
        served.write("web.yml", &both);
        assert_eq!(
            served.guard.reload().await.expect("a pair"),
            Reloaded::Changed
        );
        let (response, certificate) = fetch(&served, &connector, "prometheus:constant").await;
        assert_eq!(response.expect("a response").status, 200);
        assert!(
            shown.insert(certificate),
            "the new certificate is shown at once"
        );
    }
    done.cancel();
    let scrapes: u32 = load.join_all().await.into_iter().sum();
    assert!(scrapes > 20, "{scrapes}");
    served.write(
        "web.yml",
        &users(&[("prometheus", "constant"), ("alice", "second")]),
    );
    served.guard.reload().await.expect("a good file");
    assert_eq!(
        fetch(&served, &connector, "alice:first")
            .await
            .0
            .expect("a response")
            .status,
        401
    );
    assert_eq!(
        fetch(&served, &connector, "alice:second")
            .await
            .0
            .expect("a response")
            .status,
        200
    );
}

#[tokio::test]
async fn clients_without_tls_are_closed_and_others_are_served() {
    let authority = Authority::new();
    let served = serve(&authority, TLS);
    let connector = trusting(&authority);
    let hello = [&[0x16, 0x03, 0x01, 0x02, 0x00][..], &[0; 512]].concat();
    for bytes in [
        b"GET /metrics HTTP/1.1\r\nHost: e\r\n\r\n".to_vec(),
        b"\x16\x03\x01\xff\xff".repeat(10),
        vec![0xff; 4096],
        hello,
        b"\x80\x2e\x01\x00\x02".to_vec(),
        Vec::new(),
    ] {
        let mut stream = connect(served.address).await;
        stream.write_all(&bytes).await.expect("sent");
        stream.shutdown().await.expect("half closed");
        let mut said = Vec::new();
        drop(
            timeout(Duration::from_secs(20), stream.read_to_end(&mut said))
                .await
                .expect("the server closes"),
        );
        assert!(
            !said.starts_with(b"HTTP/1.1 200"),
            "{}",
            bytes.escape_ascii()
        );
        assert_eq!(
            fetch(&served, &connector, "any:one")
                .await
                .0
                .expect("a response")
                .status,
            200
        );
    }
    // Incomplete handshakes delay no other client.
    let mut half = Vec::new();
    for _ in 0..100 {
        let mut stream = connect(served.address).await;
        stream.write_all(b"\x16\x03\x01\x02").await.expect("sent");
        half.push(stream);
    }
    assert_eq!(
        fetch(&served, &connector, "any:one")
            .await
            .0
            .expect("a response")
            .status,
        200
    );
    let trusting_nobody = trusting(&Authority::new());
    for _ in 0..20 {
        let name = ServerName::try_from("localhost").expect("a name");
        assert!(
            trusting_nobody
                .connect(name, connect(served.address).await)
                .await
                .is_err()
        );
    }
    assert_eq!(
        fetch(&served, &connector, "any:one")
            .await
            .0
            .expect("a response")
            .status,
        200
    );
}
