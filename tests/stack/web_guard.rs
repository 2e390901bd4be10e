//! The web server under load, while a real Prometheus scrapes it. This prints the figures:
//! `cargo test --test stack web_guard -- --nocapture`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::certificates::{Authority, Identity};
use crate::process::{Demo, Exporter, get};
use crate::prometheus::Prometheus;

const CLUSTERS: f64 = 12.0;

/// The scrapes of Prometheus since `began`.
struct Scrapes {
    answered: f64,
    failed: f64,
    fewest_clusters: f64,
    slowest: f64,
}

impl Scrapes {
    fn since(began: Instant, prometheus: &Prometheus) -> Self {
        let window = began.elapsed().as_secs();
        let number = |expression: String| {
            prometheus
                .query(&expression)
                .first()
                .map_or(0.0, |sample| sample.value)
        };
        Self {
            answered: number(format!("sum_over_time(up[{window}s])")),
            failed: number(format!(
                "count_over_time(up[{window}s]) - sum_over_time(up[{window}s])"
            )),
            fewest_clusters: number(format!("min_over_time(sum(cs_up)[{window}s:1s])")),
            slowest: number(format!("max_over_time(scrape_duration_seconds[{window}s])")),
        }
    }

    /// Prints the figures, and checks that no scrape failed.
    fn are_whole(&self, what: &str, at_least: f64) {
        let Self {
            answered,
            failed,
            fewest_clusters,
            slowest,
        } = self;
        println!(
            "{what}: {answered} scrapes answered, {failed} failed, the slowest took {slowest:.3} s"
        );
        assert_eq!(*failed, 0.0);
        assert!(*answered >= at_least, "{answered} scrapes");
        assert_eq!(
            *fewest_clusters, CLUSTERS,
            "each of them with every cluster"
        );
    }
}

fn wait_for_the_fleet(prometheus: &Prometheus) {
    let is_whole = |samples: &[crate::prometheus::Sample]| {
        samples
            .first()
            .is_some_and(|sample| sample.value == CLUSTERS)
    };
    prometheus.wait_for("sum(cs_up)", Duration::from_secs(60), is_whole);
}

fn memory(demo: &Demo) -> f64 {
    let page = get(&format!("{}/metrics", demo.base));
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix("process_resident_memory_bytes "))
        .expect("it is on the page");
    line.parse::<f64>().expect("a number") / 1024.0 / 1024.0
}

/// The lifetime of a connection that sends one byte of its head each second.
async fn drip(address: String) -> Duration {
    let Ok(mut stream) = tokio::net::TcpStream::connect(&address).await else {
        return Duration::ZERO;
    };
    let began = Instant::now();
    for byte in b"GET /metrics HTTP/1.1\r\nHost: a-name-that-takes-its-time\r\n"
        .iter()
        .cycle()
    {
        let mut end = [0];
        tokio::select! {
            _ = stream.read(&mut end) => break,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
    }
    began.elapsed()
}

/// An idle connection that has received a response.
async fn rest(address: &str) -> tokio::net::TcpStream {
    let mut stream = tokio::net::TcpStream::connect(address)
        .await
        .expect("there is room");
    stream
        .write_all(b"GET /-/healthy HTTP/1.1\r\nHost: e\r\n\r\n")
        .await
        .expect("sent");
    stream.read_exact(&mut [0; 12]).await.expect("a response");
    stream
}

#[test]
fn thousands_of_idle_and_slow_connections_cost_prometheus_no_scrape() {
    let descriptors = rlimit::increase_nofile_limit(20_000).expect("a limit");
    assert!(
        descriptors >= 12_000,
        "{descriptors} descriptors are too few for this test (ulimit -Hn)"
    );
    let demo = Demo::start(&[]);
    let prometheus = Prometheus::scraping(&demo.address, "");
    wait_for_the_fleet(&prometheus);
    let before = memory(&demo);
    let runtime = Runtime::new().expect("a runtime");

    let began = Instant::now();
    let (mut lasted, more) = runtime.block_on(async {
        let mut slow = JoinSet::new();
        for _ in 0..5000 {
            slow.spawn(drip(demo.address.clone()));
        }
        tokio::time::sleep(Duration::from_secs(4)).await;
        let demo = &demo;
        let more = tokio::task::block_in_place(|| memory(demo)) - before;
        (slow.join_all().await, more)
    });
    lasted.sort();
    let (first, last) = (
        lasted[0].as_secs_f64(),
        lasted[lasted.len() - 1].as_secs_f64(),
    );
    sleep(Duration::from_secs(6).saturating_sub(began.elapsed()));
    let what = format!(
        "5,000 connections at a byte a second, cut off after {first:.2} to {last:.2} s, {more:.1} \
         MiB more"
    );
    Scrapes::since(began, &prometheus).are_whole(&what, 2.0);
    assert!(
        // Beyond the 512 that may wait for a password, the oldest are cut off at once.
        first < 8.0 && last < 15.0,
        "{first} to {last} s"
    );
    assert!(more < 20.0, "{more} MiB");

    let began = Instant::now();
    let mut idle = Vec::new();
    let mut slow = JoinSet::new();
    runtime.block_on(async {
        for _ in 0..1000 {
            idle.push(rest(&demo.address).await);
            slow.spawn(drip(demo.address.clone()));
        }
        // Whoever is cut off comes back at once.
        while began.elapsed() < Duration::from_secs(10) {
            slow.join_next()
                .await
                .expect("there are a thousand")
                .expect("it ends");
            slow.spawn(drip(demo.address.clone()));
        }
    });
    let more = memory(&demo) - before;
    Scrapes::since(began, &prometheus).are_whole(
        &format!("1,000 idle and 1,000 slow connections, {more:.1} MiB more"),
        4.0,
    );
}

fn write_server(folder: &Path, authority: &Authority) {
    let Identity { certificate, key } = authority.server();
    std::fs::write(folder.join("server.key"), key).expect("written");
    std::fs::write(folder.join("server.crt"), certificate).expect("written");
}

fn write_users(folder: &Path, passwords_of_alice: u32) {
    let hash = |password: &str| bcrypt::hash(password, 8).expect("hashes");
    let text = format!(
        "tls_server_config: {{cert_file: server.crt, key_file: server.key}}\n\
         basic_auth_users: {{prometheus: {}, alice: {}}}\n",
        hash("constant"),
        hash(&format!("password {passwords_of_alice}"))
    );
    std::fs::write(folder.join("web.yml"), text).expect("written");
}

#[test]
fn prometheus_scrapes_while_certificates_and_passwords_change() {
    let (demo, folder, authority) = (
        Demo::start(&[]),
        TempDir::new().expect("a folder"),
        Authority::new(),
    );
    let path = folder.path();
    std::fs::write(path.join("exporter.yml"), demo.config()).expect("written");
    std::fs::write(path.join("ca.crt"), authority.pem()).expect("written");
    write_server(path, &authority);
    write_users(path, 0);
    let web = format!("--web.config.file={}", path.join("web.yml").display());
    let exporter = Exporter::start(&path.join("exporter.yml"), &[&web]);
    let prometheus = Prometheus::with_config(&format!(
        "global: {{scrape_interval: 2s, scrape_timeout: 2s}}\nscrape_configs:\n  \
         - job_name: ack\n    honor_labels: true\n    scheme: https\n    \
         tls_config: {{ca_file: {}}}\n    \
         basic_auth: {{username: prometheus, password: constant}}\n    \
         static_configs: [{{targets: ['{}']}}]\n",
        path.join("ca.crt").display(),
        exporter.address
    ));
    wait_for_the_fleet(&prometheus);
    let began = Instant::now();
    for swap in 1..=20 {
        write_server(path, &authority);
        write_users(path, swap);
        exporter.signal("HUP");
        exporter.wait_for_logs("web configuration reloaded", swap as usize);
        sleep(Duration::from_millis(400));
    }
    Scrapes::since(began, &prometheus).are_whole("20 certificates and 20 passwords swapped", 3.0);
}

fn reload(address: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(
        stream,
        "POST /-/reload HTTP/1.1\r\nHost: e\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    )
    .expect("sent");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("a response");
    response
}

#[test]
fn frequent_reloads_of_good_and_bad_files_cost_prometheus_no_scrape() {
    let (demo, folder) = (Demo::start(&[]), TempDir::new().expect("a folder"));
    let config = folder.path().join("exporter.yml");
    let good = demo.config();
    std::fs::write(&config, &good).expect("written");
    let exporter = Exporter::start(&config, &["--web.enable-lifecycle"]);
    let prometheus = Prometheus::scraping(&exporter.address, "");
    wait_for_the_fleet(&prometheus);
    let began = Instant::now();
    for number in 0_u32..100 {
        let is_good = number % 2 == 0;
        // Good ones that differ, so that each is a reload.
        let text = if is_good {
            format!("scrape: {{max_age: {}s}}\n{good}", 300 + number)
        } else {
            format!("{good}oops: {number}\n")
        };
        std::fs::write(&config, text).expect("written");
        let response = reload(&exporter.address);
        assert!(
            response.starts_with(if is_good {
                "HTTP/1.1 200"
            } else {
                "HTTP/1.1 500"
            }),
            "{response}"
        );
        sleep((Duration::from_millis(100) * (number + 1)).saturating_sub(began.elapsed()));
    }
    sleep(Duration::from_secs(2));
    Scrapes::since(began, &prometheus).are_whole("100 reloads in 10 s, half of them bad", 4.0);
    let page = get(&format!("http://{}/metrics", exporter.address));
    let lists = "cs_exporter_api_requests_total{account=\"demo\",\
                 operation=\"DescribeClustersForRegion\"} 3";
    assert!(
        page.contains(lists),
        "the three lists were read once: {page}"
    );
}
