//! The API over real sockets: a closed port, and a proxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ack_client::clock::Clock;
use ack_client::lookup::Lookup;
use ack_client::proxy::Proxies;
use ack_client::trust;
use ack_client::{HttpTransport, Network};
use ack_simulator::{Options, Simulator, UpgradingClusters};
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;

use crate::fleet::{Fleet, word};

const LEGACY: &str =
    "source: upgrade_status\nrate_limit: {requests_per_second: 100000, burst: 100000}";

/// A fleet over a socket, with `account` as the rest of its configuration.
pub async fn served(clusters: usize, account: &str) -> (Fleet, SocketAddr) {
    let options = Options {
        clusters,
        upgrading: UpgradingClusters::First(0),
        start: Timestamp::now(),
        ..Options::default()
    };
    let sim = Arc::new(Simulator::new(options));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(Arc::clone(&sim).serve(listener, CancellationToken::new()));
    let transport = Arc::new(HttpTransport::new(
        trust::client_config(&[]),
        Lookup::system(),
    ));
    (
        Fleet::over(
            sim,
            transport,
            Clock::System,
            &format!("http://{address}"),
            account,
            "",
        ),
        address,
    )
}

#[tokio::test]
async fn a_closed_port_is_a_network_failure() {
    // Taken, but nobody listens on it.
    let port = TcpSocket::new_v4().expect("a socket");
    port.bind("127.0.0.1:0".parse().expect("an address"))
        .expect("a port");
    let address = port.local_addr().expect("an address");
    let sim = Arc::new(Simulator::new(Options {
        clusters: 2,
        ..Options::default()
    }));
    let transport = Arc::new(HttpTransport::new(
        trust::client_config(&[]),
        Lookup::system(),
    ));
    let fleet = Fleet::over(
        sim,
        transport,
        Clock::System,
        &format!("http://{address}"),
        LEGACY,
        "",
    );
    let snapshot = fleet.scrape(Duration::from_secs(20)).await;
    assert!(
        snapshot
            .clusters
            .iter()
            .all(|reading| word(reading) == "network")
    );
}

/// The simulator accepts requests in the form for proxies, so it can act as a proxy.
#[tokio::test]
async fn an_accounts_proxy_is_used_and_its_password_is_not_shown() {
    let sim = Arc::new(Simulator::new(Options {
        clusters: 3,
        ..Options::default()
    }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(Arc::clone(&sim).serve(listener, CancellationToken::new()));
    let ways = Arc::new(Network::new(
        trust::client_config(&[]),
        Lookup::system(),
        Proxies::default(),
    ));
    let account = format!("{LEGACY}\nproxy: http://user:hunter2@{address}");
    let fleet = Fleet::over(
        Arc::clone(&sim),
        ways,
        Clock::System,
        "http://nowhere.invalid",
        &account,
        "",
    );
    let snapshot = fleet.scrape(Duration::from_secs(4)).await;
    assert_eq!(crate::fleet::tally(&snapshot).get("up"), Some(&3));
    assert!(!format!("{:?}", fleet.config).contains("hunter2"));
}
