//! Servers with broken HTTP, written byte by byte, because the simulator uses an HTTP library.

use std::sync::Arc;
use std::time::Duration;

use ack_client::clock::Clock;
use ack_client::lookup::Lookup;
use ack_client::proxy::Proxies;
use ack_client::trust;
use ack_client::{HttpTransport, Network, TransportFactory};
use ack_simulator::Simulator;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use crate::fault_matrix::{SOURCES, account};
use crate::fleet::{Fleet, options, word};

/// The behaviour of the server after it has read a request.
#[derive(Debug, Clone, Copy)]
enum Behaviour {
    /// Sends this and closes the connection.
    Say(&'static str),
    /// Sends this and keeps the connection.
    Hold(&'static str),
    /// Sends this again and again.
    Repeat(&'static str),
    /// Sends this, one byte each tenth of a second.
    Drip(&'static str),
}

/// The expected reason: the connection is broken, or the response cannot be decoded.
const PEERS: [(Behaviour, &str); 16] = [
    (Behaviour::Say(""), "network"),
    (Behaviour::Say("\r\n\r\n"), "network"),
    (Behaviour::Say("SSH-2.0-OpenSSH_9.2\r\n"), "network"),
    (Behaviour::Say("HTTP/9.9 200 OK\r\n\r\n"), "network"),
    (Behaviour::Say("HTTP/1.1 999999 OK\r\n\r\n"), "network"),
    (
        Behaviour::Say("HTTP/1.1 200 OK\r\ncontent-length: 9"),
        "network",
    ),
    (
        Behaviour::Say("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}"),
        "network",
    ),
    (
        Behaviour::Say("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}"),
        "network",
    ),
    (
        Behaviour::Say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}"),
        "network",
    ),
    (
        Behaviour::Say("HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n{}"),
        "network",
    ),
    (
        Behaviour::Say(
            "HTTP/1.1 429 Too Many Requests\r\nretry-after: 18446744073709551615\r\n\
             content-length: 0\r\n\r\n",
        ),
        "throttled",
    ),
    (
        Behaviour::Repeat("x: a header without end, in a head that has no beginning\r\n"),
        "network",
    ),
    (
        Behaviour::Repeat("HTTP/1.1 100 Continue\r\n\r\n"),
        "network",
    ),
    (Behaviour::Hold("HTTP/1.1 200 OK\r\nx: y"), "timeout"),
    (
        Behaviour::Hold("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{}"),
        "timeout",
    ),
    (
        Behaviour::Drip(
            "HTTP/1.1 200 OK\r\nx-this-head-takes-longer-than-anybody-waits: for-it\r\n\r\n{}",
        ),
        "timeout",
    ),
];

async fn converse(mut stream: TcpStream, behaviour: Behaviour) {
    let mut request = [0; 4096];
    while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
        match behaviour {
            Behaviour::Say(text) => {
                _ = stream.write_all(text.as_bytes()).await;
                return;
            }
            Behaviour::Hold(text) => _ = stream.write_all(text.as_bytes()).await,
            Behaviour::Repeat(text) => while stream.write_all(text.as_bytes()).await.is_ok() {},
            Behaviour::Drip(text) => {
                for byte in text.bytes() {
                    _ = stream.write_all(&[byte]).await;
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

/// Runs a row directly and through a proxy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_broken_http_has_a_reason_for_every_route_and_source() {
    let trust = trust::client_config(&[]);
    let mut running = tokio::task::JoinSet::new();
    for (behaviour, expected) in PEERS {
        for (source, proxied) in SOURCES
            .into_iter()
            .flat_map(|source| [(source, false), (source, true)])
        {
            let tls = trust.clone();
            running.spawn(async move {
                let what = format!(
                    "{behaviour:?}, {source}, {}",
                    if proxied { "as a proxy" } else { "directly" }
                );
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                let address = listener.local_addr().expect("an address");
                let peer = tokio::spawn(async move {
                    while let Ok((stream, _)) = listener.accept().await {
                        tokio::spawn(converse(stream, behaviour));
                    }
                });
                let sim = Arc::new(Simulator::new(options(1)));
                let (transports, endpoint, account) = if proxied {
                    let transports: Arc<dyn TransportFactory> =
                        Arc::new(Network::new(tls, Lookup::system(), Proxies::default()));
                    (
                        transports,
                        "http://api.invalid".to_owned(),
                        format!("{}\nproxy: http://{address}", account(source)),
                    )
                } else {
                    (
                        Arc::new(HttpTransport::new(tls, Lookup::system()))
                            as Arc<dyn TransportFactory>,
                        format!("http://{address}"),
                        account(source),
                    )
                };
                let fleet = Fleet::over(sim, transports, Clock::System, &endpoint, &account, "");
                // Rows that do not wait need the time of all retries.
                let budget = Duration::from_secs(if expected == "timeout" { 3 } else { 20 });
                let began = Instant::now();
                let snapshot = fleet.scrape(budget).await;
                assert!(
                    began.elapsed() < budget + Duration::from_secs(5),
                    "{what}: {:?}",
                    began.elapsed()
                );
                assert_eq!(
                    word(&snapshot.clusters[0]),
                    expected,
                    "{what}: {:?}",
                    snapshot.clusters[0].outcome
                );
                fleet.page(&snapshot);
                peer.abort();
            });
        }
    }
    while let Some(ended) = running.join_next().await {
        ended.expect("each has its reason");
    }
}
