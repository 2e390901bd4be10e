//! The same over real sockets, where a hostile vendor has more to play with.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ack_upgrade_exporter::api::{Direct, Network, SystemProxy};
use ack_upgrade_exporter::clock::Clock;
use ack_upgrade_exporter::sim::{ErrorBody, Fault, Framing, Options, Rule, Sim, Upgrading};
use ack_upgrade_exporter::trust;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::fleet::{Fleet, reading, word};

const LEGACY: &str = "source: upgrade_status\nrate_limit: {requests_per_second: 100000, burst: 100000}";

async fn served(clusters: usize) -> (Fleet, SocketAddr) {
    let (fleet, address) = served_with(clusters, LEGACY).await;
    (fleet.calm(), address)
}

/// A fleet over a socket, with `account` as the rest of its configuration.
pub async fn served_with(clusters: usize, account: &str) -> (Fleet, SocketAddr) {
    let options = Options { clusters, upgrading: Upgrading::First(0), start: Timestamp::now(), ..Options::default() };
    let sim = Arc::new(Sim::new(options));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(Arc::clone(&sim).serve(listener, CancellationToken::new()));
    let transport = Arc::new(Direct::new(trust::client_config(&[])));
    (Fleet::over(sim, transport, Clock::System, &format!("http://{address}"), account, ""), address)
}

#[tokio::test]
async fn twenty_good_clusters_are_right_beside_fifteen_hostile_ones() {
    let (fleet, address) = served(35).await;
    let hostile = [
        (Fault::Hang, "timeout"),
        (Fault::Hang, "timeout"),
        (Fault::Drip(Duration::from_millis(200)), "timeout"),
        (Fault::Slow(Duration::from_secs(60)), "timeout"),
        (Fault::Reset, "network"),
        (Fault::Truncated, "network"),
        (Fault::Huge(Framing::Length), "decode"),
        (Fault::Huge(Framing::Chunked), "decode"),
        (Fault::Malformed, "decode"),
        (Fault::HtmlPage, "decode"),
        (Fault::DeepNesting, "decode"),
        (Fault::WrongTypes, "decode"),
        (Fault::Redirect(format!("http://{address}/elsewhere")), "other"),
        (Fault::Throttled { status: 429, retry_after: None }, "throttled"),
        (Fault::ServerError { status: 502, body: ErrorBody::Html }, "server"),
    ];
    let ids = fleet.ids();
    // In between the good ones.
    let places: Vec<_> = (0..hostile.len()).map(|place| ids[place * 2].clone()).collect();
    for (id, (fault, _)) in places.iter().zip(&hostile) {
        fleet.sim.add_fault(Rule::new(fault.clone()).cluster(id.clone()));
    }
    let settings = &fleet.config.scrape;
    let began = Instant::now();
    let snapshot = fleet.scrape(ack_upgrade_exporter::collect::budget(Some("4"), settings)).await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    for (id, (fault, expected)) in places.iter().zip(&hostile) {
        assert_eq!(word(reading(&snapshot, id)), *expected, "{fault:?}");
    }
    for id in ids.iter().filter(|id| !places.contains(id)) {
        assert_eq!(word(reading(&snapshot, id)), "none/not_start", "{id}");
    }
    fleet.page(&snapshot);
    fleet.sim.clear_faults();
    let after = fleet.scrape(Duration::from_secs(4)).await;
    assert!(after.clusters.iter().all(|reading| word(reading) == "none/not_start"), "all recover");
}

#[tokio::test]
async fn xml_replies_and_xml_errors_of_the_vendor_are_understood() {
    let (fleet, _) = served(2).await;
    let ids = fleet.ids();
    fleet.sim.add_fault(Rule::new(Fault::XmlReply).cluster(ids[0].clone()));
    fleet.sim.add_fault(Rule::new(Fault::XmlError).cluster(ids[1].clone()));
    let snapshot = fleet.scrape(Duration::from_secs(4)).await;
    assert_eq!(word(reading(&snapshot, &ids[0])), "none/not_start");
    assert_ne!(word(reading(&snapshot, &ids[1])), "decode");
    assert_ne!(word(reading(&snapshot, &ids[1])), "none/not_start");
}

#[tokio::test]
async fn nobody_at_the_other_end_is_a_network_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let sim = Arc::new(Sim::new(Options { clusters: 2, ..Options::default() }));
    let transport = Arc::new(Direct::new(trust::client_config(&[])));
    let fleet = Fleet::over(sim, transport, Clock::System, &format!("http://{address}"), LEGACY, "");
    let snapshot = fleet.scrape(Duration::from_secs(3)).await;
    assert!(snapshot.clusters.iter().all(|reading| word(reading) == "network"));
}

/// The stand-in takes requests in the form that is meant for proxies, so it can be one.
#[tokio::test]
async fn an_accounts_proxy_is_used_and_its_password_is_not_shown() {
    let sim = Arc::new(Sim::new(Options { clusters: 3, ..Options::default() }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(Arc::clone(&sim).serve(listener, CancellationToken::new()));
    let ways = Arc::new(Network::new(trust::client_config(&[]), SystemProxy::Absent));
    let account = format!("{LEGACY}\nproxy: http://user:hunter2@{address}");
    let fleet = Fleet::over(Arc::clone(&sim), ways, Clock::System, "http://nowhere.invalid", &account, "");
    let snapshot = fleet.scrape(Duration::from_secs(4)).await;
    assert_eq!(crate::fleet::tally(&snapshot).get("up"), Some(&3));
    assert!(!format!("{:?}", fleet.config).contains("hunter2"));
}
