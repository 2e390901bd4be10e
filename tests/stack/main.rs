//! The real stack: the built program, Debian's Prometheus, and what they say to each other.
//!
//! Not part of a plain `cargo test`, since it needs programs that `tests/run` installs.

mod process;
mod prometheus;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use process::Demo;
use prometheus::Prometheus;

#[test]
fn promtool_finds_nothing_to_say_about_the_page() {
    let demo = Demo::start(&[]);
    let page = process::get(&format!("{}/metrics", demo.base));
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed by tests/run");
    promtool.stdin.take().expect("a pipe").write_all(page.as_bytes()).expect("promtool reads the page");
    let output = promtool.wait_with_output().expect("promtool ends");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}

#[test]
fn prometheus_scrapes_the_demo_and_knows_every_clusters_status() {
    let demo = Demo::start(&[]);
    let prometheus = Prometheus::scraping(&demo.address, "");
    let clusters = prometheus
        .wait_for("count(cs_up == 1)", Duration::from_secs(60), |samples| samples.first().is_some_and(|sample| sample.value == 12.0));
    assert_eq!(clusters.len(), 1);
    let statuses = prometheus.query("cs_upgrade_status == 1");
    let by_cluster: BTreeMap<_, _> =
        statuses.iter().map(|sample| (sample.labels["cluster"].clone(), sample.labels["status"].clone())).collect();
    assert_eq!((statuses.len(), by_cluster.len()), (12, 12), "{by_cluster:?}");
    let states: std::collections::BTreeSet<_> = by_cluster.values().collect();
    assert!(states.len() >= 4, "a demo shows at least four states: {states:?}");
    assert_eq!(prometheus.query("sum by (cluster) (cs_upgrade_step) != 1"), []);
    assert_eq!(prometheus.query("up")[0].value, 1.0);
}
