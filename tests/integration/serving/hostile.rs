//! Hostile clients, and good clients at the same time.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::ops::RangeBounds;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ack_simulator::{Action, Fault, Rule};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exporter_toolkit::web::{Limits, Timeouts};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::server::{Served, Setup};
use crate::client::{connect, fetch, get, read, send};
use crate::fleet::options;

/// Timeouts that are short enough for a test.
const HASTY: Timeouts = Timeouts {
    head: Duration::from_millis(400),
    idle: Duration::from_millis(400),
    send: Duration::from_millis(400),
    drain: Duration::from_secs(20),
};

fn hasty() -> Limits {
    Limits {
        timeouts: HASTY,
        ..Limits::default()
    }
}

/// A good client's scrape.
async fn scrapes_well(address: SocketAddr) {
    let response = fetch(address, "/metrics").await;
    assert_eq!(response.status, 200);
    assert!(response.text().contains("cs_up{"));
}

/// Waits until `count` is one of `range`.
pub(super) async fn reaches(range: impl RangeBounds<u64> + Debug, count: impl Fn() -> u64) {
    let end = Instant::now() + Duration::from_secs(30);
    while !range.contains(&count()) {
        assert!(Instant::now() < end, "{} is not in {range:?}", count());
        sleep(Duration::from_millis(10)).await;
    }
}

pub(super) fn alive_tasks() -> u64 {
    u64::try_from(Handle::current().metrics().num_alive_tasks()).expect("a small number")
}

/// Waits until all tasks of earlier clients have ended.
async fn settles(served: &Served, tasks: u64) {
    reaches(..=tasks, alive_tasks).await;
    scrapes_well(served.address).await;
}

#[tokio::test]
async fn slow_request_heads_are_closed_and_scrapes_are_served() {
    let served = Setup {
        limits: hasty(),
        ..Setup::default()
    }
    .serve();
    let mut slow = JoinSet::new();
    for number in 0..200 {
        let mut stream = connect(served.address).await;
        slow.spawn(async move {
            let head = if number % 2 == 0 {
                get("/metrics", "")
            } else {
                "X".repeat(500)
            };
            let began = Instant::now();
            for byte in head.bytes() {
                if stream.write_all(&[byte]).await.is_err() || stream.try_read(&mut [0; 16]).is_ok()
                {
                    break;
                }
                sleep(Duration::from_millis(25)).await;
            }
            began.elapsed()
        });
    }
    scrapes_well(served.address).await;
    while let Some(lasted) = slow.join_next().await {
        let lasted = lasted.expect("the client ends");
        assert!(
            (Duration::from_millis(350)..Duration::from_secs(5)).contains(&lasted),
            "{lasted:?}"
        );
        scrapes_well(served.address).await;
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed() {
    let served = Setup {
        world: options(3000),
        limits: hasty(),
        ..Setup::default()
    }
    .serve();
    scrapes_well(served.address).await;
    let tasks = alive_tasks();
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let mut stream = socket
        .connect(served.address)
        .await
        .expect("the server listens");
    stream
        .write_all(get("/metrics", "").as_bytes())
        .await
        .expect("sent");
    reaches(6000.., || served.sim.count(Action::GetUpgradeStatus)).await;
    settles(&served, tasks).await;
    let mut taken = Vec::new();
    drop(stream.read_to_end(&mut taken).await);
    let whole = fetch(served.address, "/metrics").await.body.len();
    assert!(taken.len() < whole, "{} of {whole} bytes", taken.len());
}

#[tokio::test]
async fn connections_beyond_the_cap_do_not_block_new_clients() {
    let served = Setup {
        limits: Limits {
            connections: 50,
            ..Limits::default()
        },
        ..Setup::default()
    }
    .serve();
    let mut crowd = Vec::new();
    for _ in 0..300 {
        crowd.push(connect(served.address).await);
    }
    scrapes_well(served.address).await;
    let mut cut_off = 0;
    for stream in &crowd {
        cut_off += usize::from(
            timeout(Duration::from_millis(1), stream.readable())
                .await
                .is_ok(),
        );
    }
    assert!(
        cut_off >= 250,
        "{cut_off}: those that came first went first"
    );
}

#[tokio::test]
async fn clients_that_do_not_read_do_not_block_others() {
    let users = format!(
        "basic_auth_users: {{alice: {}}}",
        bcrypt::hash("right", 4).expect("hashes")
    );
    let limits = Limits {
        connections: 4,
        ..Limits::default()
    };
    let served = Setup {
        limits,
        web: Some(&users),
        ..Setup::default()
    }
    .serve();
    let request = get("/config", "").replace("Connection: close\r\n", "");
    let (mut deaf, sent) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
    for _ in 0..4 {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        let mut stream = socket
            .connect(served.address)
            .await
            .expect("the server listens");
        let (request, sent) = (request.clone(), Arc::clone(&sent));
        deaf.spawn(async move {
            while stream.write_all(request.as_bytes()).await.is_ok() {
                sent.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    // Until the server sends no more responses.
    let (mut before, mut quiet) = (0, Instant::now());
    while before == 0 || quiet.elapsed() < Duration::from_millis(700) {
        if sent.load(Ordering::Relaxed) != before {
            (before, quiet) = (sent.load(Ordering::Relaxed), Instant::now());
        }
        sleep(Duration::from_millis(100)).await;
    }
    for _ in 0..10 {
        assert_eq!(fetch(served.address, "/-/healthy").await.status, 200);
    }
}

#[tokio::test]
async fn pipelined_requests_get_responses_in_order() {
    let served = Setup::default().serve();
    let mut stream = connect(served.address).await;
    let paths = ["/-/healthy", "/nowhere", "/metrics", "/config", "/-/ready"];
    let mut wire = String::new();
    for path in paths.iter().cycle().take(500) {
        wire.push_str(&get(path, "").replace("Connection: close\r\n", ""));
    }
    let (mut reader, mut writer) = stream.split();
    let send = async { writer.write_all(wire.as_bytes()).await.expect("sent") };
    let receive = async {
        for path in paths.iter().cycle().take(500) {
            let response = read(&mut reader, false).await.expect("a response");
            assert_eq!(
                response.status,
                if *path == "/nowhere" { 404 } else { 200 },
                "{path}"
            );
            assert_eq!(
                response.text().contains("accounts:"),
                *path == "/config",
                "{path}"
            );
        }
    };
    tokio::join!(send, receive);
}

#[tokio::test]
async fn oversized_and_malformed_requests_are_rejected_and_others_are_served() {
    let served = Setup::default().serve();
    let many = "X-Again: x\r\n".repeat(2000);
    for (what, wire, expected) in [
        (
            "a huge header",
            get("/metrics", &format!("X-Huge: {}\r\n", "x".repeat(40_000))),
            &[431][..],
        ),
        (
            "an endless header",
            format!("GET /metrics HTTP/1.1\r\nX: {}", "x".repeat(200_000)),
            &[431],
        ),
        ("many headers", get("/metrics", &many), &[431]),
        (
            "a huge URL",
            get(&format!("/{}", "x".repeat(40_000)), ""),
            &[414, 431],
        ),
        (
            "a long URL",
            get(&format!("/{}", "x".repeat(8000)), ""),
            &[404],
        ),
        (
            "a huge query",
            get(&format!("/probe?target={}", "x".repeat(8000)), ""),
            &[404],
        ),
        (
            "a huge method",
            get("/", "").replacen("GET", &"G".repeat(9000), 1),
            &[400, 405, 431],
        ),
        (
            "another protocol",
            "SSH-2.0-OpenSSH_9.2\r\n\r\n".to_owned(),
            &[400],
        ),
        ("zero bytes", "\0".repeat(20_000), &[400]),
        (
            "a bad version",
            "GET / HTTP/9.9\r\n\r\n".to_owned(),
            &[400, 505],
        ),
        (
            "two lengths",
            get("/", "Content-Length: 1\r\nContent-Length: 2\r\n"),
            &[400],
        ),
        (
            "a length that is none",
            get("/", "Content-Length: -1\r\n"),
            &[400],
        ),
        (
            "a length and chunks",
            get("/", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
            &[200, 400],
        ),
        ("a header without a name", get("/", ": x\r\n"), &[400]),
        ("a split header", get("/", "X: a\rb\r\n"), &[400]),
        (
            "a body",
            get("/metrics", "Content-Length: 1000000\r\n") + &"x".repeat(1000),
            &[200],
        ),
        (
            "a time-out that is none",
            get("/metrics", "X-Prometheus-Scrape-Timeout-Seconds: NaN\r\n"),
            &[200],
        ),
        (
            "a time-out of a year",
            get(
                "/metrics",
                "X-Prometheus-Scrape-Timeout-Seconds: 31536000\r\n",
            ),
            &[200],
        ),
        (
            "HTTP/2 without being asked",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
            &[400, 505],
        ),
    ] {
        let response = send(served.address, &wire).await;
        // The server may also close the connection without a response.
        if let Some(response) = response {
            assert!(
                expected.contains(&response.status),
                "{what}: {}",
                response.status
            );
        } else {
            assert!(expected[0] >= 400, "{what} gets no response");
        }
        scrapes_well(served.address).await;
    }
}

#[tokio::test]
async fn http_1_1_needs_one_host_header() {
    let served = Setup::default().serve();
    for (version, hosts, expected) in [
        ("1.1", "Host: exporter\r\n", 200),
        ("1.1", "", 400),
        ("1.1", "Host: exporter\r\nHost: other\r\n", 400),
        ("1.0", "", 200),
    ] {
        for path in ["/metrics", "/-/healthy"] {
            let wire = format!("GET {path} HTTP/{version}\r\n{hosts}Connection: close\r\n\r\n");
            let response = send(served.address, &wire).await.expect("a response");
            assert_eq!(response.status, expected, "{wire}");
        }
    }
}

#[tokio::test]
async fn no_spelling_of_a_path_bypasses_the_password() {
    let users = format!(
        "basic_auth_users: {{alice: {}}}",
        bcrypt::hash("right", 4).expect("hashes")
    );
    let (open, locked) = (
        Setup::default().serve(),
        Setup {
            web: Some(&users),
            ..Setup::default()
        }
        .serve(),
    );
    for path in [
        "//metrics",
        "/metrics/",
        "/metrics//",
        "/./metrics",
        "/../metrics",
        "/%6detrics",
        "/metrics%2e",
        "/metrics%00",
        "/metrics;x",
        "/METRICS",
        "/-/healthy/",
        "/-/healthy/../../metrics",
        "/-/healthy%2f..%2f..%2fmetrics",
        "/-/healthy/../config",
        "/-/healthy;/config",
        "//-/healthy",
        "/-/ready/..",
        "/-/../config",
        "/config/",
        "/%2e%2e/config",
        "/api/v1/../v1/clusters",
        "/etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "\\metrics",
    ] {
        let response = send(open.address, get(path, ""))
            .await
            .unwrap_or_else(|| panic!("{path} gets no response"));
        assert!(
            [404, 400].contains(&response.status),
            "{path}: {}",
            response.status
        );
        let response = send(locked.address, get(path, ""))
            .await
            .unwrap_or_else(|| panic!("{path} gets no response"));
        assert!(
            [401, 400].contains(&response.status),
            "{path}, locked: {}",
            response.status
        );
    }
    for (target, expected, locked_expected) in [
        ("http://exporter/metrics", 200, 401),
        ("http://other.example:1/metrics?x=y", 200, 401),
        ("http://exporter/-/healthy", 200, 200),
        ("/-/healthy?a=/config", 200, 200),
        ("/metrics?collect[]=x", 200, 401),
        ("*", 404, 401),
    ] {
        assert_eq!(
            send(open.address, get(target, ""))
                .await
                .expect("a response")
                .status,
            expected,
            "{target}"
        );
        assert_eq!(
            send(locked.address, get(target, ""))
                .await
                .expect("a response")
                .status,
            locked_expected,
            "{target}, locked"
        );
    }
    let options = send(
        locked.address,
        "OPTIONS * HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n",
    )
    .await
    .expect("a response");
    assert_eq!(options.status, 401);
    let connect = send(
        locked.address,
        "CONNECT exporter:80 HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n",
    )
    .await
    .expect("a response");
    assert_eq!(connect.status, 401);
}

#[tokio::test]
async fn a_client_that_closes_its_sending_half_gets_the_response() {
    let served = Setup {
        world: ack_simulator::Options {
            latency: Duration::from_millis(200),
            ..options(6)
        },
        ..Setup::default()
    }
    .serve();
    let mut stream = connect(served.address).await;
    stream
        .write_all(b"GET /metrics HTTP/1.0\r\n\r\n")
        .await
        .expect("sent");
    stream.shutdown().await.expect("half closed");
    let response = timeout(Duration::from_secs(20), read(&mut stream, false))
        .await
        .expect("in time")
        .expect("a response");
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn aborted_scrapes_leak_nothing() {
    let world = ack_simulator::Options {
        latency: Duration::from_millis(100),
        ..options(20)
    };
    let served = Setup {
        world,
        ..Setup::default()
    }
    .serve();
    scrapes_well(served.address).await;
    let tasks = alive_tasks();
    let began = Instant::now();
    for _ in 0..40 {
        let mut leaving = JoinSet::new();
        for number in 0..50 {
            let address = served.address;
            leaving.spawn(async move {
                let mut stream = connect(address).await;
                let wire = get("/metrics", "");
                let half = &wire.as_bytes()[..if number % 3 == 0 {
                    wire.len() / 2
                } else {
                    wire.len()
                }];
                drop(stream.write_all(half).await);
                sleep(Duration::from_millis(number % 7)).await;
                if number % 2 == 0 {
                    // The connection ends with a reset.
                    drop(stream.set_zero_linger());
                }
            });
        }
        leaving.join_all().await;
    }
    settles(&served, tasks).await;
    let rounds = u128::from(served.sim.count(Action::GetUpgradeStatus)) / 20;
    assert!(
        rounds <= began.elapsed().as_millis() / 100 + 2,
        "{rounds} rounds of 100 ms, whoever asks"
    );
}

#[tokio::test]
async fn clients_with_wrong_passwords_are_rejected_and_others_are_served() {
    let users = format!(
        "basic_auth_users: {{alice: {}}}",
        bcrypt::hash("right", 4).expect("hashes")
    );
    let served = Setup {
        web: Some(&users),
        ..Setup::default()
    }
    .serve();
    let login = |password: &str| {
        get(
            "/config",
            &format!(
                "Authorization: Basic {}\r\n",
                STANDARD.encode(format!("alice:{password}"))
            ),
        )
    };
    let mut guessing = JoinSet::new();
    for number in 0..40 {
        let (address, wrong) = (served.address, login(&format!("guess{number}")));
        guessing.spawn(async move { send(address, wrong).await.expect("a response") });
    }
    let right = send(served.address, login("right")).await;
    assert_eq!(right.expect("a response").status, 200);
    assert_eq!(fetch(served.address, "/-/healthy").await.status, 200);
    for response in guessing.join_all().await {
        assert_eq!(response.status, 401);
        assert_eq!(response.header("www-authenticate"), "Basic");
    }
    for scheme in [
        "Basic",
        "Basic ====",
        "Bearer x",
        "Basic YWxpY2U=",
        "Digest username=alice",
        "basic Og==",
    ] {
        let response = send(
            served.address,
            get("/config", &format!("Authorization: {scheme}\r\n")),
        )
        .await
        .expect("a response");
        assert_eq!(response.status, 401, "{scheme}");
    }
}

#[tokio::test]
async fn requests_beyond_max_requests_are_rejected_except_health() {
    let served = Setup {
        world: options(3),
        limits: Limits {
            requests: 5,
            ..Limits::default()
        },
        ..Setup::default()
    }
    .serve();
    served
        .sim
        .add_fault(Rule::new(Fault::Slow(Duration::from_secs(3))));
    let mut asking = JoinSet::new();
    for _ in 0..20 {
        let address = served.address;
        asking.spawn(async move { fetch(address, "/metrics").await.status });
    }
    reaches(3.., || served.sim.count(Action::GetUpgradeStatus)).await;
    assert_eq!(fetch(served.address, "/-/healthy").await.status, 200);
    let statuses = asking.join_all().await;
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        5,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 503).count(),
        15,
        "{statuses:?}"
    );
    served.sim.clear_faults();
    scrapes_well(served.address).await;
}
