//! Clients that do not read their responses, or ask for minutes, and a good client beside them.

use std::net::SocketAddr;
use std::time::Duration;

use ack_simulator::{Action, Fault, Rule};
use exporter_toolkit::web::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::hostile::reaches;
use super::http2::{connect_http2, greet_http2_with, scrape_http2, serve_tls};
use super::server::Setup;
use crate::certificates::Authority;
use crate::client::{connect, fetch, get, read};
use crate::fleet::{ones, options};

/// A client that has asked for the metrics and reads nothing.
async fn deaf(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let mut stream = socket.connect(address).await.expect("the server listens");
    let request = get("/metrics", "");
    stream.write_all(request.as_bytes()).await.expect("sent");
    stream.readable().await.expect("a response");
    stream
}

#[tokio::test]
async fn an_unread_response_keeps_no_scraper_out() {
    let limits = Limits {
        requests: 2,
        ..Limits::default()
    };
    let setup = Setup {
        world: options(3000),
        limits,
        ..Setup::default()
    };
    let served = setup.serve();
    let mut crowd = Vec::new();
    for _ in 0..4 {
        crowd.push(deaf(served.address).await);
        assert_eq!(fetch(served.address, "/metrics").await.status, 200);
    }
}

#[tokio::test]
async fn unread_responses_over_http2_keep_no_scraper_out_and_are_few() {
    let authority = Authority::new();
    let limits = Limits {
        requests: 2,
        ..Limits::default()
    };
    let setup = Setup {
        limits,
        ..Setup::default()
    };
    let served = serve_tls(setup, &authority);
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(0);
    let (mut requests, connection) = greet_http2_with(&builder, &served, &authority).await;
    tokio::spawn(connection);
    let mut unread = Vec::new();
    for _ in 0..6 {
        let (response, _) = requests.send_request(scrape_http2(), true).expect("sent");
        let response = response.await.expect("a response");
        assert_eq!(response.status(), 200);
        unread.push(response);
    }
    assert_eq!(requests.current_max_send_streams(), 8);
    let mut good = connect_http2(&served, &authority).await;
    let (response, _) = good.send_request(scrape_http2(), true).expect("sent");
    assert_eq!(response.await.expect("a response").status(), 200);
}

#[tokio::test]
async fn the_longest_unread_pages_are_dropped_when_there_are_many() {
    let limits = Limits {
        unsent: 4 << 20,
        ..Limits::default()
    };
    let setup = Setup {
        world: options(1500),
        limits,
        ..Setup::default()
    };
    let served = setup.serve();
    let page = fetch(served.address, "/metrics").await.body.len();
    assert!((2 << 20..4 << 20).contains(&page), "one fits: {page}");
    let mut crowd = Vec::new();
    for _ in 0..3 {
        crowd.push(deaf(served.address).await);
    }
    let mut lengths = Vec::new();
    for mut stream in crowd {
        let mut taken = Vec::new();
        // The connection may end with a reset.
        drop(stream.read_to_end(&mut taken).await);
        lengths.push(taken.len());
    }
    assert!(
        lengths[0] < page && lengths[1] < page,
        "{lengths:?} of {page}"
    );
    assert!(lengths[2] > page, "the newest stays: {lengths:?} of {page}");
}

#[tokio::test]
async fn requests_that_claim_minutes_keep_no_other_client_out() {
    let limits = Limits {
        requests: 3,
        ..Limits::default()
    };
    let setup = Setup {
        limits,
        ..Setup::default()
    };
    let served = setup.serve();
    let hanging = served.sim.world().clusters()[0].clone();
    served
        .sim
        .add_fault(Rule::new(Fault::Hang).cluster(hanging));
    let patient = get("/metrics", "X-Prometheus-Scrape-Timeout-Seconds: 120\r\n");
    let mut waiting = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(served.address).await;
        stream.write_all(patient.as_bytes()).await.expect("sent");
        waiting.push(stream);
    }
    reaches(6.., || served.sim.count(Action::GetUpgradeStatus)).await;
    assert_eq!(fetch(served.address, "/config").await.status, 503);
    let socket = TcpSocket::new_v4().expect("a socket");
    let elsewhere = "127.0.0.2:0".parse().expect("an address");
    socket.bind(elsewhere).expect("loopback");
    let mut scraper = socket.connect(served.address).await.expect("it listens");
    let hasty = get("/metrics", "X-Prometheus-Scrape-Timeout-Seconds: 2\r\n");
    scraper.write_all(hasty.as_bytes()).await.expect("sent");
    let page = read(&mut scraper, false).await.expect("a response");
    assert_eq!(page.status, 200);
    assert_eq!(ones(&page.text(), "cs_up{"), 5);
    let first = timeout(Duration::from_secs(20), read(&mut waiting[0], false));
    let first = first.await.expect("it has made room");
    assert!(first.is_none(), "its connection is closed");
}

#[tokio::test]
async fn an_unread_response_over_http2_does_not_delay_the_end() {
    let authority = Authority::new();
    let mut served = serve_tls(Setup::default(), &authority);
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(0);
    let (mut requests, connection) = greet_http2_with(&builder, &served, &authority).await;
    tokio::spawn(connection);
    let (response, _) = requests.send_request(scrape_http2(), true).expect("sent");
    let unread = response.await.expect("a response");
    served.stop.cancel();
    timeout(Duration::from_secs(20), &mut served.ended)
        .await
        .expect("within the 30 s of systemd and Kubernetes")
        .expect("the server ends");
    drop(unread);
}
