//! HTTP/2 clients that reset their requests, are silent, or wait while the server stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ack_client::trust;
use ack_simulator::{Action, Fault, Rule};
use exporter_toolkit::web::{Limits, Timeouts};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::hostile::{alive_tasks, reaches};
use super::server::{Served, Setup};
use crate::certificates::{Authority, Identity};
use crate::client::connect;
use crate::fleet::options;
use crate::log::Log;

/// Serves with a certificate of `authority`.
pub(super) fn serve_tls(setup: Setup<'_>, authority: &Authority) -> Served {
    let folder = tempfile::tempdir().expect("a folder");
    let Identity { certificate, key } = authority.server();
    std::fs::write(folder.path().join("server.crt"), certificate).expect("written");
    std::fs::write(folder.path().join("server.key"), key).expect("written");
    Setup {
        web: Some("tls_server_config: {cert_file: server.crt, key_file: server.key}"),
        ..setup
    }
    .serve_in(folder)
}

/// An HTTP/2 sender, and the task of its connection.
pub(super) type Http2 = (
    h2::client::SendRequest<bytes::Bytes>,
    h2::client::Connection<TlsStream<TcpStream>>,
);

/// An HTTP/2 connection to `served`.
async fn greet_http2(served: &Served, authority: &Authority) -> Http2 {
    greet_http2_with(&h2::client::Builder::new(), served, authority).await
}

/// The same with the settings of `builder`.
pub(super) async fn greet_http2_with(
    builder: &h2::client::Builder,
    served: &Served,
    authority: &Authority,
) -> Http2 {
    let stream = handshake(served.address, authority).await;
    builder.handshake(stream).await.expect("a preface")
}

/// A connection to `address` on which TLS has agreed on HTTP/2.
pub async fn handshake(address: SocketAddr, authority: &Authority) -> TlsStream<TcpStream> {
    let mut tls = trust::client_config(&[authority.der()]);
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let connector = TlsConnector::from(Arc::new(tls));
    let name = ServerName::try_from("localhost").expect("a name");
    let connected = connector.connect(name, connect(address).await).await;
    connected.expect("a handshake")
}

/// The same, with the connection running in a task.
pub(super) async fn connect_http2(
    served: &Served,
    authority: &Authority,
) -> h2::client::SendRequest<bytes::Bytes> {
    let (requests, connection) = greet_http2(served, authority).await;
    tokio::spawn(connection);
    requests
}

/// A scrape over HTTP/2.
pub(super) fn scrape_http2() -> http::Request<()> {
    http::Request::get("https://localhost/metrics")
        .body(())
        .expect("a request")
}

#[tokio::test]
async fn shutdown_waits_for_http2_responses_and_not_for_silent_clients() {
    let authority = Authority::new();
    let served = serve_tls(Setup::default(), &authority);
    let (mut silent, mut connection) = greet_http2(&served, &authority).await;
    let (response, _) = silent.send_request(scrape_http2(), true).expect("sent");
    let response = tokio::select! {
        response = response => response.expect("a response"),
        ended = &mut connection => panic!("{ended:?}"),
    };
    assert_eq!(response.status(), 200);
    served
        .sim
        .add_fault(Rule::new(Fault::Slow(Duration::from_secs(5))));
    let mut waiting = connect_http2(&served, &authority).await;
    let (response, _) = waiting.send_request(scrape_http2(), true).expect("sent");
    reaches(12.., || served.sim.count(Action::GetUpgradeStatus)).await;
    served.stop.cancel();
    let began = Instant::now();
    let response = timeout(Duration::from_secs(20), response)
        .await
        .expect("in time")
        .expect("a response");
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    let mut page = Vec::new();
    while let Some(piece) = body.data().await {
        page.extend_from_slice(&piece.expect("a piece"));
    }
    assert!(String::from_utf8(page).expect("text").contains("cs_up{"));
    assert!(
        began.elapsed() >= Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    let mut served = served;
    timeout(Duration::from_secs(10), &mut served.ended)
        .await
        .expect("nobody holds it up")
        .expect("the server ends");
    drop((silent, connection));
}

#[tokio::test]
async fn connections_closed_at_shutdown_are_counted() {
    let log = Log::listen();
    let authority = Authority::new();
    let limits = Limits {
        timeouts: Timeouts {
            drain: Duration::from_millis(100),
            ..Timeouts::default()
        },
        ..Limits::default()
    };
    let mut served = serve_tls(
        Setup {
            limits,
            ..Setup::default()
        },
        &authority,
    );
    served.sim.add_fault(Rule::new(Fault::Hang));
    let mut requests = connect_http2(&served, &authority).await;
    let responses: Vec<_> = (0..3)
        .map(|_| requests.send_request(scrape_http2(), true).expect("sent"))
        .collect();
    reaches(6.., || served.sim.count(Action::GetUpgradeStatus)).await;
    // All were sent together, and read together.
    served.stop.cancel();
    timeout(Duration::from_secs(10), &mut served.ended)
        .await
        .expect("in time")
        .expect("the server ends");
    assert_eq!(log.counts(["connections=1 requests=3"]), [1]);
    drop(responses);
}

#[tokio::test]
async fn rapid_resets_close_their_connection_and_cost_no_scrape() {
    let authority = Authority::new();
    let world = ack_simulator::Options {
        latency: Duration::from_millis(100),
        ..options(20)
    };
    let served = serve_tls(
        Setup {
            world,
            ..Setup::default()
        },
        &authority,
    );
    let scrape = async || {
        let mut requests = connect_http2(&served, &authority)
            .await
            .ready()
            .await
            .expect("it is open");
        let (response, _) = requests.send_request(scrape_http2(), true).expect("sent");
        let response = timeout(Duration::from_secs(20), response)
            .await
            .expect("in time")
            .expect("a response");
        assert_eq!(response.status(), 200);
    };
    scrape().await;
    let tasks = alive_tasks();
    let began = Instant::now();
    // Resets before the server has read the request, and while it handles it.
    for turns in [0, 8] {
        let (mut taken_back, mut was_told) = (0, false);
        while taken_back < 5000 {
            let mut requests = connect_http2(&served, &authority).await;
            let before = taken_back;
            let end = loop {
                requests = match requests.ready().await {
                    Ok(ready) => ready,
                    Err(end) => break end,
                };
                let Ok((response, mut stream)) = requests.send_request(scrape_http2(), true) else {
                    continue;
                };
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
                stream.send_reset(h2::Reason::CANCEL);
                drop(response);
                taken_back += 1;
                if taken_back % 1000 == 0 {
                    scrape().await;
                }
                assert!(
                    taken_back - before < 2500,
                    "one connection takes back as many as it likes"
                );
            };
            // A client that is writing may see the closed connection before the reason.
            let is_told = end.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM);
            assert!(is_told || end.is_io(), "{taken_back} taken back: {end}");
            was_told |= is_told;
        }
        assert!(was_told, "nobody was told why");
    }
    reaches(..=tasks, alive_tasks).await;
    scrape().await;
    let rounds = u128::from(served.sim.count(Action::GetUpgradeStatus)) / 20;
    assert!(
        rounds <= began.elapsed().as_millis() / 100 + 3,
        "{rounds} rounds of 100 ms, whoever asks"
    );
}
