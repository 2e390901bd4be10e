//! The built program with the real Prometheus of Debian.
//!
//! A plain `cargo test` leaves it out, because it needs programs that `tests/run` installs.

#![expect(clippy::float_cmp, reason = "what is counted is whole")]
#![expect(
    unreachable_pub,
    reason = "the modules of a test are read like those of a crate"
)]

#[path = "../support/certificates.rs"]
mod certificates;
mod documents;
#[path = "../support/markdown.rs"]
mod markdown;
#[path = "../support/process.rs"]
mod process;
mod prometheus;
mod web_guard;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use process::{Demo, Exporter};
use prometheus::Prometheus;

#[test]
fn promtool_accepts_the_page() {
    let demo = Demo::start(&[]);
    let page = process::get(&format!("{}/metrics", demo.base));
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed by tests/run");
    promtool
        .stdin
        .take()
        .expect("a pipe")
        .write_all(page.as_bytes())
        .expect("promtool reads the page");
    let output = promtool.wait_with_output().expect("promtool ends");
    let output_text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.status.success() && output_text.trim().is_empty(),
        "{output_text}"
    );
}

/// The shipped example with shorter times, and with each pair of `replaced` applied.
fn shipped(file: &str, replaced: &[(&str, &str)]) -> String {
    let mut text = std::fs::read_to_string(format!("deploy/prometheus/scrape/{file}"))
        .expect("the example is there");
    let times = [
        ("scrape_interval: 30s", "scrape_interval: 1s"),
        ("scrape_timeout: 25s", "scrape_timeout: 1s"),
    ];
    for (named, here) in times.iter().chain(replaced) {
        assert!(text.contains(named), "{file} has no {named}");
        text = text.replace(named, here);
    }
    text
}

#[test]
fn prometheus_scrapes_the_demo_and_has_every_status() {
    let demo = Demo::start(&[]);
    let prometheus = Prometheus::with_config(&shipped(
        "plain.yml",
        &[("ack-upgrade-exporter:10525", &demo.address)],
    ));
    let clusters = prometheus.wait_for("count(cs_up == 1)", Duration::from_secs(60), |samples| {
        samples.first().is_some_and(|sample| sample.value == 12.0)
    });
    assert_eq!(clusters.len(), 1);
    let statuses = prometheus.query("cs_upgrade_status == 1");
    let by_cluster: BTreeMap<_, _> = statuses
        .iter()
        .map(|sample| {
            (
                sample.labels["cluster"].clone(),
                sample.labels["status"].clone(),
            )
        })
        .collect();
    assert_eq!(
        (statuses.len(), by_cluster.len()),
        (12, 12),
        "{by_cluster:?}"
    );
    let states: std::collections::BTreeSet<_> = by_cluster.values().collect();
    assert!(
        states.len() >= 4,
        "a demo shows at least four states: {states:?}"
    );
    assert_eq!(
        prometheus.query("sum by (cluster) (cs_upgrade_step) != 1"),
        []
    );
    assert_eq!(prometheus.query("up")[0].value, 1.0);
}

#[test]
fn service_discovery_and_probes_give_the_data_of_a_scrape() {
    let demo = Demo::start(&[]);
    let here = [
        ("ack-upgrade-exporter:10525", demo.address.as_str()),
        ("refresh_interval: 1m", "refresh_interval: 1s"),
    ];
    let prometheus = Prometheus::with_config(&shipped("probe.yml", &here));
    let is_whole =
        |samples: &[prometheus::Sample]| samples.first().is_some_and(|sample| sample.value == 12.0);
    prometheus.wait_for(
        "count(probe_success == 1)",
        Duration::from_secs(60),
        is_whole,
    );
    prometheus.wait_for(
        "count(cs_upgrade_status{job=\"ack-upgrade-probe\"} == 1)",
        Duration::from_secs(10),
        is_whole,
    );
    assert_eq!(
        prometheus.query("count(count by (instance) (cs_up{job=\"ack-upgrade-probe\"}))")[0].value,
        12.0
    );
}

#[test]
fn one_prometheus_gets_every_cluster_of_three_shards_once() {
    let demo = Demo::start(&["--clusters=60", "--classic"]);
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("exporter.yml");
    std::fs::write(&config, demo.config()).expect("writes the configuration");
    let shards: Vec<_> = (0..3)
        .map(|ordinal| {
            Exporter::start(
                &config,
                &[&format!("--shard.ordinal={ordinal}"), "--shard.total=3"],
            )
        })
        .collect();
    // No name server here knows the pods, so the way of the file's first comment is taken.
    let by_name = "    dns_sd_configs:\n      \
                   - names: [ack-upgrade-exporter-headless.ack-upgrade-exporter.svc.cluster.local]\n        type: A\n        port: 10525\n";
    let addresses: Vec<_> = shards.iter().map(|shard| shard.address.as_str()).collect();
    let by_address = format!(
        "    static_configs:\n      - targets: [{}]\n",
        addresses.join(", ")
    );
    let prometheus = Prometheus::with_config(&shipped("sharded.yml", &[(by_name, &by_address)]));
    prometheus.wait_for("count(cs_up == 1)", Duration::from_secs(60), |samples| {
        samples.first().is_some_and(|sample| sample.value == 60.0)
    });
    assert_eq!(
        prometheus.query("count(count by (cluster) (cs_up))")[0].value,
        60.0,
        "no cluster is on two pages"
    );
    assert_eq!(
        prometheus.query("count(cs_exporter_clusters > 10)")[0].value,
        3.0,
        "and no shard is left without work"
    );
    assert_eq!(
        prometheus.query("max(cs_exporter_total_shards)")[0].value,
        3.0
    );
}

#[test]
fn prometheus_scrapes_with_tls_and_a_password() {
    let demo = Demo::start(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("writes a file");
        file.display().to_string()
    };
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["ack-upgrade-exporter.example.com".to_owned()])
            .expect("a certificate");
    let certificate = write("tls.crt", &cert.pem());
    let key = write("tls.key", &signing_key.serialize_pem());
    let hash = bcrypt::hash("hunter2", 4).expect("a hash");
    let web_config = format!(
        "tls_server_config: {{cert_file: {certificate}, key_file: {key}}}\n\
         basic_auth_users: {{prometheus: '{hash}'}}\n"
    );
    let web_config = write("web.yml", &web_config);
    let config = write("exporter.yml", &demo.config());
    let exporter = Exporter::start(
        config.as_ref(),
        &[&format!("--web.config.file={web_config}")],
    );
    let password = write("password", "hunter2");
    let trusted = format!("min_version: TLS12\n      ca_file: {certificate}");
    let prometheus = Prometheus::with_config(&shipped(
        "tls-password.yml",
        &[
            ("ack-upgrade-exporter.example.com:10525", &exporter.address),
            ("/etc/prometheus/secrets/ack-upgrade-exporter", &password),
            ("min_version: TLS12", &trusted),
            ("refresh_interval: 1m", "refresh_interval: 1s"),
        ],
    ));
    let is_whole =
        |samples: &[prometheus::Sample]| samples.first().is_some_and(|sample| sample.value == 12.0);
    prometheus.wait_for(
        "count(cs_up{job=\"ack-upgrade\"} == 1)",
        Duration::from_secs(60),
        is_whole,
    );
    prometheus.wait_for(
        "count(probe_success{job=\"ack-upgrade-probe\"} == 1)",
        Duration::from_secs(60),
        is_whole,
    );
}

#[test]
fn a_kill_is_only_a_gap_in_prometheus() {
    let demo = Demo::start(&["--classic"]);
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("exporter.yml");
    std::fs::write(&config, demo.config()).expect("writes the configuration");
    // No other process gets a port of this address while the exporter is down.
    let killed = Exporter::start_on("127.0.0.11:0", &config, &[]);
    let address = killed.address.clone();
    let prometheus = Prometheus::scraping(&address, "");
    let is_whole =
        |samples: &[prometheus::Sample]| samples.first().is_some_and(|sample| sample.value == 12.0);
    prometheus.wait_for("count(cs_up == 1)", Duration::from_secs(60), is_whole);
    // Sends SIGKILL.
    drop(killed);
    prometheus.wait_for("up == 0", Duration::from_secs(30), |samples| {
        samples.len() == 1
    });
    assert_eq!(
        prometheus.query("cs_up or cs_upgrade_status"),
        [],
        "no old sample remains"
    );
    let _again = Exporter::start_on(&address, &config, &[]);
    prometheus.wait_for("count(cs_up == 1)", Duration::from_secs(30), is_whole);
    assert_eq!(
        prometheus.query("count(cs_upgrade_status == 1)")[0].value,
        12.0
    );
    assert_eq!(
        prometheus.query("changes(process_start_time_seconds[5m])")[0].value,
        1.0
    );
    // A counter reset does not disturb `increase`.
    let calls =
        "sum(increase(cs_exporter_api_requests_total{operation=\"GetUpgradeStatus\"}[5m])) > 0";
    prometheus.wait_for(calls, Duration::from_secs(10), |samples| samples.len() == 1);
}
