//! A process without file descriptors or memory: it continues, reports the cause, and recovers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ack_simulator::{Fault, Framing, Options, Rule, Simulator};
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::certificates::{Authority, Identity};
use crate::client::{connect, fetch, get, send};
use crate::fleet::ones;
use crate::process::Exporter;
use crate::serving::http2::handshake;
use crate::{fault_matrix, fleet};

const CLUSTERS: usize = 48;

/// The memory for responses, in KiB. At most 20 are in flight. Each may have 1 MiB in a buffer of
/// twice that size, which the allocator may free only after the next allocation.
const RESPONSE_MEMORY: u64 = 2 * 2 * 20 * 1024;

const ACCOUNT: &str = "source: upgrade_status\nmax_concurrency: 20\n\
                       rate_limit: {requests_per_second: 100000, burst: 100000}";

struct Account {
    sim: Arc<Simulator>,
    folder: TempDir,
}

impl Account {
    async fn new() -> Self {
        let sim = Arc::new(Simulator::new(Options {
            clusters: CLUSTERS,
            start: Timestamp::now(),
            ..Options::default()
        }));
        fault_matrix::upgrading(&sim);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address: SocketAddr = listener.local_addr().expect("an address");
        tokio::spawn(Arc::clone(&sim).serve(listener, CancellationToken::new()));
        let folder = tempfile::tempdir().expect("a folder");
        let text = fleet::yaml(&sim, &format!("http://{address}"), ACCOUNT, "");
        std::fs::write(folder.path().join("config.yaml"), text).expect("writes the configuration");
        // One of the tests runs the exporter as another user.
        for (path, mode) in [
            (folder.path(), 0o755),
            (&folder.path().join("config.yaml"), 0o644),
        ] {
            let readable = std::os::unix::fs::PermissionsExt::from_mode(mode);
            std::fs::set_permissions(path, readable).expect("it is ours");
        }
        Self { sim, folder }
    }

    fn exporter(&self, limits: &str) -> Exporter {
        Exporter::confined(&self.folder.path().join("config.yaml"), limits, &[])
    }

    /// Injects a fault of size into each cluster.
    fn flood(&self) {
        let faults = [
            Fault::Huge(Framing::Length),
            Fault::Huge(Framing::Chunked),
            Fault::DeepNesting,
            Fault::Huge(Framing::Chunked),
        ];
        for (id, fault) in self
            .sim
            .world()
            .clusters()
            .into_iter()
            .zip(faults.into_iter().cycle())
        {
            self.sim.add_fault(Rule::new(fault).cluster(id));
        }
    }
}

fn address(exporter: &Exporter) -> SocketAddr {
    exporter.address.parse().expect("an address")
}

/// The page of a scrape that gives up after `seconds`.
async fn scrape(exporter: &Exporter, seconds: u64) -> String {
    let request = get(
        "/metrics",
        &format!("x-prometheus-scrape-timeout-seconds: {seconds}\r\n"),
    );
    let response = timeout(
        Duration::from_secs(seconds + 20),
        send(address(exporter), request),
    )
    .await
    .ok()
    .flatten();
    let response = response
        .unwrap_or_else(|| panic!("no page long after {seconds} s: {:#?}", exporter.logged()));
    assert_eq!(response.status, 200, "{}", response.text());
    response.text()
}

/// A line of `/proc/PID/status`, in KiB.
fn memory(exporter: &Exporter, line: &str) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", exporter.id())).expect("it runs");
    let found = status
        .lines()
        .find_map(|candidate| candidate.strip_prefix(line)?.strip_prefix(':'));
    found
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .expect("a number")
}

fn up(page: &str) -> usize {
    ones(page, "cs_up{")
}

fn failed(page: &str, reason: &str) -> usize {
    page.lines()
        .filter(|line| {
            line.starts_with("cs_query_failure{") && line.contains(&format!("reason=\"{reason}\""))
        })
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_responses_use_only_the_memory_of_the_read_limit() {
    let account = Account::new().await;
    let exporter = account.exporter("");
    assert_eq!(up(&scrape(&exporter, 10).await), CLUSTERS);
    let before = memory(&exporter, "VmHWM");
    account.flood();
    for _ in 0..3 {
        let page = scrape(&exporter, 10).await;
        assert_eq!(
            failed(&page, "decode"),
            CLUSTERS,
            "{}",
            exporter.logged().join("\n")
        );
    }
    let grown = memory(&exporter, "VmHWM") - before;
    assert!(
        grown < RESPONSE_MEMORY,
        "{grown} KiB on top of {before} KiB"
    );
    account.sim.clear_faults();
    assert_eq!(up(&scrape(&exporter, 10).await), CLUSTERS);
    assert!(!exporter.end().contains("panicked"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_with_limited_memory_survives_endless_responses() {
    let account = Account::new().await;
    let exporter = account.exporter("");
    assert_eq!(up(&scrape(&exporter, 10).await), CLUSTERS);
    let address_space = memory(&exporter, "VmPeak");
    drop(exporter);
    // The normal size, the memory for responses, and an arena of the allocator, which reserves 64
    // MiB of addresses at once.
    let exporter = account.exporter(&format!(
        "ulimit -v {};",
        address_space + RESPONSE_MEMORY + 64 * 1024
    ));
    account.flood();
    for _ in 0..3 {
        let page = scrape(&exporter, 10).await;
        assert_eq!(
            failed(&page, "decode"),
            CLUSTERS,
            "{}",
            exporter.logged().join("\n")
        );
    }
    account.sim.clear_faults();
    assert_eq!(up(&scrape(&exporter, 10).await), CLUSTERS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_without_file_descriptors_responds_and_recovers_with_the_next_scrape() {
    let account = Account::new().await;
    // Enough for the process and all calls in flight, but not for idle clients too.
    let exporter = account.exporter("ulimit -n 40;");
    let mut idle = Vec::new();
    for _ in 0..16 {
        idle.push(connect(address(&exporter)).await);
    }
    account.sim.add_fault(Rule::new(Fault::Hang));
    let page = scrape(&exporter, 4).await;
    assert_eq!(up(&page), 0);
    assert_eq!(
        failed(&page, "timeout") + failed(&page, "network"),
        CLUSTERS,
        "{page}"
    );
    let refused = r#"cs_exporter_api_request_failures_total{account="test",operation="GetUpgradeStatus",reason="network"} 0"#;
    assert!(
        !page.lines().any(|line| line == refused),
        "descriptors have run out: {page}"
    );
    let healthy = timeout(
        Duration::from_secs(20),
        fetch(address(&exporter), "/-/healthy"),
    )
    .await
    .expect("a response");
    assert_eq!(healthy.status, 200);
    account.sim.clear_faults();
    drop(idle);
    let page = scrape(&exporter, 10).await;
    assert_eq!(
        up(&page),
        CLUSTERS,
        "{page}\n{}",
        exporter.logged().join("\n")
    );
    let log = exporter.end();
    assert!(
        log.lines().count() < 40 * CLUSTERS,
        "no flood of lines: {}",
        log.lines().count()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_to_the_api_give_way_to_clients() {
    let account = Account::new().await;
    // 20 for clients, and more for calls at once than are left.
    let exporter = account.exporter("ulimit -n 40;");
    account
        .sim
        .add_fault(Rule::new(Fault::Slow(Duration::from_millis(300))));
    scrape(&exporter, 10).await;
    let mut idle = Vec::new();
    for _ in 0..40 {
        idle.push(connect(address(&exporter)).await);
    }
    let began = Instant::now();
    let healthy = timeout(
        Duration::from_secs(60),
        fetch(address(&exporter), "/-/healthy"),
    );
    assert_eq!(healthy.await.expect("a response").status, 200);
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "the pool keeps its connections for 90 s: {:?}",
        began.elapsed()
    );
    drop(idle);
    let log = exporter.end();
    assert!(
        log.matches("cannot accept connections").count() <= 1,
        "{log}"
    );
}

/// Requests of a client of HTTP/2 that takes no byte of a body.
fn unread_requests() -> Vec<u8> {
    let frame = |kind, flags, stream: u32, payload: &[u8]| {
        let length = u32::try_from(payload.len()).expect("a short frame");
        let mut frame = length.to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        frame
    };
    let mut wire = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    // SETTINGS_INITIAL_WINDOW_SIZE is 0.
    wire.extend(frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]));
    for stream in (1..128).step_by(2) {
        // GET https://localhost/metrics in HPACK.
        let head = b"\x82\x87\x04\x08/metrics\x01\x09localhost";
        // With END_STREAM and END_HEADERS.
        wire.extend(frame(1, 5, stream, head));
    }
    wire
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_responses_use_little_memory_without_a_password() {
    // In KiB; each of 600 connections would have 214.
    const MORE: u64 = 72 * 1024;
    let (account, authority) = (Account::new().await, Authority::new());
    let web = account.folder.path().join("web.yml");
    let Identity { certificate, key } = authority.server();
    let password = bcrypt::hash("right", 4).expect("hashes");
    for (name, text) in [
        ("server.crt", certificate),
        ("server.key", key),
        (
            "web.yml",
            format!(
                "tls_server_config: {{cert_file: server.crt, key_file: server.key}}\n\
                 basic_auth_users: {{prometheus: {password}}}\n"
            ),
        ),
    ] {
        std::fs::write(account.folder.path().join(name), text).expect("written");
    }
    let config = account.folder.path().join("config.yaml");
    let flag = format!("--web.config.file={}", web.display());
    let exporter = Exporter::start(&config, &[&flag]);
    let before = memory(&exporter, "VmRSS");
    let mut connections = Vec::new();
    for _ in 0..600 {
        let mut connection = handshake(address(&exporter), &authority).await;
        let requests = unread_requests();
        connection.write_all(&requests).await.expect("sent");
        connection.read_u8().await.expect("a response");
        connections.push(connection);
    }
    let grown = memory(&exporter, "VmHWM") - before;
    assert!(grown < MORE, "{grown} KiB on top of {before} KiB");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_and_environment_of_the_process_are_unreadable_and_process_metrics_work() {
    use std::os::unix::fs::MetadataExt as _;

    let account = Account::new().await;
    // Root may read everything of its own processes, so the exporter runs as another user.
    let is_root = std::fs::metadata("/proc/self").expect("this runs").uid() == 0;
    let exporter = account.exporter(if is_root {
        "set -- \"$0\" \"$@\"; exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\";"
    } else {
        ""
    });
    let page = scrape(&exporter, 10).await;
    for name in [
        "process_open_fds ",
        "process_max_fds ",
        "process_resident_memory_bytes ",
        "process_cpu_seconds_total ",
    ] {
        assert!(
            page.lines().any(|line| line.starts_with(name)),
            "{name} in {page}"
        );
    }
    for file in ["mem", "environ"] {
        let owner = std::fs::metadata(format!("/proc/{}/{file}", exporter.id()))
            .expect("it runs")
            .uid();
        assert_eq!(owner, 0, "{file}");
    }
}
