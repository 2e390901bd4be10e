//! An account whose server has a certificate of a private authority.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ack_client::Network;
use ack_client::clock::Clock;
use ack_client::credentials;
use ack_client::lookup::Lookup;
use ack_client::proxy::Proxies;
use ack_client::trust;
use ack_simulator::{Options, Simulator};
use ack_upgrade_exporter::collect::{Dependencies, ScrapeMetrics};
use ack_upgrade_exporter::metrics::ExporterMetrics;
use ack_upgrade_exporter::reload::{ConfigManager, ConfigSource};
use ack_upgrade_exporter::shard::Shard;
use exporter_toolkit::process::ProcessMetrics;
use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::certificates::{Authority, Identity};
use crate::fleet::{UNLIMITED, tally, yaml};

/// Serves TLS in front of `behind`, with a certificate of `authority`.
async fn tls_before(behind: SocketAddr, authority: &Authority) -> SocketAddr {
    let Identity { certificate, key } = authority.server();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions");
    let certificate =
        CertificateDer::from_pem_slice(certificate.as_bytes()).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
    let acceptor = TlsAcceptor::from(Arc::new(
        builder
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a pair"),
    ));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // Clients that do not trust the certificate close the connection.
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut behind = TcpStream::connect(behind)
                    .await
                    .expect("the stand-in listens");
                drop(tokio::io::copy_bidirectional(&mut stream, &mut behind).await);
            });
        }
    });
    address
}

#[tokio::test]
async fn the_authorities_of_an_account_are_trusted_and_reloaded_when_the_file_changes() {
    let sim = Arc::new(Simulator::new(Options {
        clusters: 3,
        start: Timestamp::now(),
        ..Options::default()
    }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let behind = listener.local_addr().expect("an address");
    tokio::spawn(Arc::clone(&sim).serve(listener, CancellationToken::new()));
    let (ours, another) = (Authority::new(), Authority::new());
    let address = tls_before(behind, &ours).await;

    let folder = tempfile::tempdir().expect("a folder");
    let authorities = folder.path().join("ca.crt");
    let config = folder.path().join("exporter.yml");
    std::fs::write(&authorities, another.pem()).expect("written");
    std::fs::write(
        &config,
        yaml(
            &sim,
            &format!("https://localhost:{}", address.port()),
            &format!("{UNLIMITED}\nca_file: ca.crt"),
            "",
        ),
    )
    .expect("written");
    let dependencies = Dependencies {
        clock: Clock::System,
        transports: Arc::new(Network::new(
            trust::client_config(&[]),
            Lookup::system(),
            Proxies::default(),
        )),
        shard: Shard::default(),
        credentials: credentials::Context::offline(Clock::System),
        metrics: Arc::new(ExporterMetrics::new(ProcessMetrics::Hidden)) as Arc<dyn ScrapeMetrics>,
    };
    let service = ConfigManager::start(
        ConfigSource::File(config),
        dependencies,
        Arc::new(ExporterMetrics::new(ProcessMetrics::Hidden)),
    );
    let service = Arc::new(service.expect("a good file"));
    let scrape = || {
        let running = Arc::clone(&service.running().borrow());
        async move {
            tally(
                &running
                    .collector
                    .collect(Instant::now() + Duration::from_secs(8))
                    .await,
            )
        }
    };
    assert_eq!(
        scrape().await.get("network"),
        Some(&3),
        "nobody has vouched for this server"
    );
    std::fs::write(&authorities, another.pem() + &ours.pem()).expect("written");
    service.reload().await.expect("a good file");
    assert_eq!(scrape().await.get("up"), Some(&3));

    let before = Arc::clone(&service.running().borrow());
    service.reload().await.expect("a good file");
    assert!(
        Arc::ptr_eq(&before, &service.running().borrow()),
        "nothing has changed"
    );
    std::fs::write(&authorities, "no certificate").expect("written");
    service.reload().await.expect_err("a bad file");
    assert_eq!(scrape().await.get("up"), Some(&3), "the old ones stay");
    std::fs::write(&authorities, ours.pem()).expect("written");
    let watching = service.keep_current(Duration::from_millis(20));
    let mut running = service.running();
    running.mark_unchanged();
    tokio::select! {
        () = watching => {}
        changed = running.changed() => changed.expect("the service runs"),
    }
    assert_eq!(scrape().await.get("up"), Some(&3));
}
