//! Starts without keys or network, kills and restarts: the exporter serves, reports the cause, and
//! recovers.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ack_client::names::ClusterId;
use ack_simulator::{Options, Simulator};
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::fleet;
use crate::outage::NO_NAME;
use crate::process::{Exporter, get};

const KEY: &str = "access_key_id: LTAI5tDemoOnlyNotARealKey";
const SECRET: &str = "DemoOnlyNotARealSecret00000000";

fn sim(options: Options) -> Arc<Simulator> {
    Arc::new(Simulator::new(Options {
        start: Timestamp::now(),
        ..options
    }))
}

fn serve(sim: &Arc<Simulator>, listener: TcpListener) -> SocketAddr {
    let address = listener.local_addr().expect("an address");
    tokio::spawn(Arc::clone(sim).serve(listener, CancellationToken::new()));
    address
}

async fn served(options: Options) -> (Arc<Simulator>, SocketAddr) {
    let sim = sim(options);
    let address = serve(
        &sim,
        TcpListener::bind("127.0.0.1:0").await.expect("a port"),
    );
    (sim, address)
}

/// The page of a scrape.
fn scrape(exporter: &Exporter) -> String {
    get(&format!("http://{}/metrics", exporter.address))
}

/// The number of clusters that are up on `page`.
fn up(page: &str) -> usize {
    page.lines()
        .filter(|line| line.starts_with("cs_up{") && line.ends_with(" 1"))
        .count()
}

/// The whole log.
fn log(exporter: &Exporter) -> String {
    exporter.logged().join("\n")
}

/// The reason for which `cluster` is down on `page`; None if it is up.
fn reason<'a>(page: &'a str, cluster: &ClusterId) -> Option<&'a str> {
    let start = format!("cs_query_failure{{cluster=\"{cluster}\",reason=\"");
    page.lines()
        .find_map(|line| line.strip_prefix(&start)?.split('"').next())
}

/// The number of lines in `log` with `message` and all of `words`.
fn lines(log: &str, message: &str, words: &[&str]) -> usize {
    let message = format!("msg=\"{message}\"");
    log.lines()
        .filter(|line| line.contains(&message) && words.iter().all(|word| line.contains(word)))
        .count()
}

/// An environment in which things are missing at the start. For each there is an account with one
/// cluster.
struct MissingParts {
    sim: Arc<Simulator>,
    folder: TempDir,
    /// A bound port without a listener: connections are refused.
    late: TcpSocket,
    accounts: Vec<(&'static str, ClusterId)>,
}

impl MissingParts {
    async fn new() -> Self {
        let (sim, api) = served(Options::default()).await;
        let late = TcpSocket::new_v4().expect("a socket");
        late.bind("127.0.0.1:0".parse().expect("an address"))
            .expect("a port");
        let late_address = late.local_addr().expect("an address");
        let secret = format!("{{type: access_key, {KEY}, access_key_secret: {SECRET}}}");
        let kinds = [
            (
                "late-secret",
                api.to_string(),
                format!("{{type: access_key, {KEY}, access_key_secret_file: secret}}"),
            ),
            (
                "late-token",
                api.to_string(),
                format!(
                    "{{type: oidc_role_arn, role_arn: \
                     'acs:ram::1000000000000001:role/ack-upgrade-exporter', \
                     oidc_provider_arn: 'acs:ram::1000000000000001:oidc-provider/ack', \
                     oidc_token_file: token, sts_endpoint: 'http://{api}'}}"
                ),
            ),
            (
                "late-metadata",
                api.to_string(),
                format!("{{type: ecs_ram_role, metadata_endpoint: 'http://{late_address}'}}"),
            ),
            (
                "late-uri",
                api.to_string(),
                format!("{{type: credentials_uri, uri: 'http://{late_address}/credentials'}}"),
            ),
            ("late-network", late_address.to_string(), secret.clone()),
            ("no-name", NO_NAME.to_owned(), secret),
        ];
        let accounts: Vec<_> = kinds
            .iter()
            .map(|(name, ..)| *name)
            .zip(sim.world().clusters())
            .collect();
        let mut text = "accounts:\n".to_owned();
        for ((name, endpoint, credentials), (_, cluster)) in kinds.iter().zip(&accounts) {
            writeln!(
                text,
                "  - {{name: {name}, endpoint: 'http://{endpoint}', credentials: {credentials}, \
                 source: upgrade_status, clusters: [{{id: {cluster}}}]}}"
            )
            .expect("a String takes every write");
        }
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("config.yaml"), text).expect("writes the configuration");
        Self {
            sim,
            folder,
            late,
            accounts,
        }
    }

    /// Adds what was missing, except the host name.
    fn make_ready(self) -> TempDir {
        std::fs::write(self.folder.path().join("secret"), SECRET).expect("writes the secret");
        self.sim.change_identities(|identities| {
            std::fs::write(self.folder.path().join("token"), &identities.oidc_token)
                .expect("writes the token");
        });
        serve(&self.sim, self.late.listen(64).expect("the port is ours"));
        self.folder
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exporter_without_keys_and_network_starts_reports_them_once_and_recovers() {
    let world = MissingParts::new().await;
    let exporter = Exporter::start(&world.folder.path().join("config.yaml"), &[]);
    for path in ["/-/healthy", "/-/ready", "/", "/config", "/api/v1/clusters"] {
        get(&format!("http://{}{path}", exporter.address));
    }
    let reasons = ["auth", "auth", "auth", "auth", "network", "network"];
    let (accounts, began) = (world.accounts.clone(), Instant::now());
    // Time for a second attempt of each account.
    while began.elapsed() < Duration::from_secs(7) {
        let page = scrape(&exporter);
        let shown: Vec<_> = accounts
            .iter()
            .map(|(_, cluster)| reason(&page, cluster).unwrap_or("up"))
            .collect();
        assert_eq!(shown, reasons);
        assert_eq!(up(&page), 0);
    }
    let said = log(&exporter);
    for (index, (account, cluster)) in accounts.iter().enumerate() {
        let words = [
            &format!("account={account}"),
            &format!("cluster={cluster}"),
            "level=WARN",
        ];
        assert_eq!(
            lines(&said, "cluster does not answer", &words),
            1,
            "{account} is told once: {said}"
        );
        let credentials = lines(
            &said,
            "credentials not refreshed",
            &[&format!("account={account}"), "level=WARN"],
        );
        assert_eq!(credentials, usize::from(index < 4), "{account}: {said}");
    }
    for clue in [
        "/secret: No such file",
        "/token: No such file",
        "onnection refused",
        "failed to lookup",
    ] {
        assert!(said.contains(clue), "{clue:?} would help: {said}");
    }

    let _folder = world.make_ready();
    let ready = Instant::now();
    // A failed attempt is repeated after five seconds.
    loop {
        let page = scrape(&exporter);
        if up(&page) == 5 {
            assert_eq!(reason(&page, &accounts[5].1), Some("network"));
            break;
        }
        assert!(ready.elapsed() < Duration::from_secs(20), "{page}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    exporter.wait_for_logs("cluster answers again", 5);
    let said = log(&exporter);
    for (account, _) in &accounts[..5] {
        assert_eq!(
            lines(
                &said,
                "cluster answers again",
                &[&format!("account={account}")]
            ),
            1,
            "{said}"
        );
        assert_eq!(
            lines(
                &said,
                "credentials chosen",
                &[&format!("account={account}")]
            ),
            1,
            "{said}"
        );
    }
    assert!(!said.contains(SECRET), "{said}");
}

/// The results of clients that scrape without a pause.
#[derive(Default)]
struct Tally {
    whole: AtomicUsize,
    /// Connections refused, or closed before the first byte.
    none: AtomicUsize,
    /// Responses that were cut off.
    part: AtomicUsize,
}

/// Scrapes without a pause until told to stop, each time over a new connection.
async fn scrape_on(address: String, tally: Arc<Tally>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        let mut bytes = Vec::new();
        let asked = async {
            let mut stream = TcpStream::connect(&address).await?;
            stream
                .write_all(b"GET /metrics HTTP/1.1\r\nhost: exporter\r\nconnection: close\r\n\r\n")
                .await?;
            stream.read_to_end(&mut bytes).await
        };
        let ended = asked.await;
        let page = String::from_utf8_lossy(&bytes);
        let length = page
            .split_once("\r\n\r\n")
            .map(|(head, body)| (head, body.len()));
        let is_whole = length
            .is_some_and(|(head, length)| head.contains(&format!("content-length: {length}\r\n")));
        let counter = match ended {
            _ if bytes.is_empty() => &tally.none,
            Ok(_) if is_whole => &tally.whole,
            _ => &tally.part,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        if bytes.is_empty() {
            tokio::task::yield_now().await;
        }
    }
}

/// Restarts the exporter on one address while eight clients scrape.
async fn restarts(end: impl Fn(Exporter)) -> Arc<Tally> {
    const CLUSTERS: usize = 40;
    let (sim, api) = served(Options {
        clusters: CLUSTERS,
        latency: Duration::from_millis(30),
        ..Options::default()
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.yaml");
    std::fs::write(
        &file,
        fleet::yaml(&sim, &format!("http://{api}"), fleet::UNLIMITED, ""),
    )
    .expect("writes the configuration");
    // No other process gets a port of this address while the exporter is down.
    let mut exporter = Exporter::start_on("127.0.0.11:0", &file, &[]);
    let address = exporter.address.clone();
    let (tally, stop) = (Arc::new(Tally::default()), Arc::new(AtomicBool::new(false)));
    let mut clients = JoinSet::new();
    for _ in 0..8 {
        clients.spawn(scrape_on(
            address.clone(),
            Arc::clone(&tally),
            Arc::clone(&stop),
        ));
    }
    for restart in 0..4 {
        let before = tally.whole.load(Ordering::Relaxed);
        let began = Instant::now();
        while tally.whole.load(Ordering::Relaxed) < before + 24 {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "restart {restart}: nobody is served\n{}",
                log(&exporter)
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        end(exporter);
        exporter = Exporter::start_on(&address, &file, &[]);
        let page = scrape(&exporter);
        assert_eq!(
            up(&page),
            CLUSTERS,
            "the first scrape after restart {restart} has them all"
        );
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(ended) = clients.join_next().await {
        ended.expect("a client does not panic");
    }
    assert!(!log(&exporter).contains("panicked"));
    tally
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exporter_killed_during_scrapes_restarts_on_the_same_address() {
    let tally = restarts(drop).await;
    assert!(tally.whole.load(Ordering::Relaxed) >= 4 * 24);
    assert!(
        tally.none.load(Ordering::Relaxed) > 0,
        "it was gone for a while"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_under_load_breaks_no_response() {
    let tally = restarts(|mut exporter| {
        exporter.signal("TERM");
        assert_eq!(exporter.wait().code(), Some(0));
    })
    .await;
    assert!(tally.whole.load(Ordering::Relaxed) >= 4 * 24);
    assert_eq!(tally.part.load(Ordering::Relaxed), 0);
}
