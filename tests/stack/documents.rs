//! The examples of the README for Prometheus and Alertmanager.

use std::fs;
use std::process::{Child, Command, Output};
use std::time::Duration;

use crate::markdown::Document;
use crate::process::{Demo, wait_until_ok};
use crate::prometheus::Prometheus;

/// The blocks of the README in this language.
fn blocks(language: &str) -> Vec<String> {
    let readme = fs::read_to_string("README.md").expect("the README");
    Document::parse(&readme).in_language(language)
}

/// The one block of YAML that begins with `key`.
fn block(key: &str) -> String {
    let mut blocks = blocks("yaml");
    blocks.retain(|block| block.starts_with(key));
    assert_eq!(blocks.len(), 1, "{key}");
    blocks.remove(0)
}

/// Promtool's report on `files`, of which the first is the one to check.
fn promtool(arguments: &[&str], files: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    Command::new("promtool")
        .args(arguments)
        .arg(files[0].0)
        .current_dir(folder.path())
        .output()
        .expect("promtool is installed by tests/run")
}

#[test]
fn promtool_accepts_the_scrape_configuration_and_the_first_alerts() {
    let [config, rules] = ["rule_files:", "groups:"].map(block);
    let rules = ("ack-upgrade.yml", rules.as_str());
    let output = promtool(&["check", "config"], &[("prometheus.yml", &config), rules]);
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    assert!(report.contains("2 rules found"), "{report}");
    let output = promtool(&["check", "rules", "--lint=all", "--lint-fatal"], &[rules]);
    assert!(output.status.success(), "{output:?}");
}

/// With shorter intervals than those of the README, so that nobody has to wait.
#[test]
fn the_first_alert_comes_as_the_readme_has_it() {
    let demo = Demo::start(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    let rules = folder.path().join("ack-upgrade.yml");
    fs::write(&rules, block("groups:")).expect("written");
    let config = block("rule_files:")
        .replace("ack-upgrade.yml", &rules.display().to_string())
        .replace("localhost:10525", &demo.address)
        .replace("timeout: 25s", "timeout: 1s")
        .replace("interval: 30s", "interval: 1s");
    let config = format!("global: {{evaluation_interval: 1s}}\n{config}");
    let prometheus = Prometheus::with_config(&config);
    let alert = r#"ALERTS{alertname="AckUpgradeFailed", alertstate="firing"}"#;
    prometheus.wait_for(alert, Duration::from_secs(120), |alerts| !alerts.is_empty());
}

#[test]
fn promtool_accepts_the_example_queries() {
    let queries = blocks("promql").concat();
    let rules: Vec<_> = queries
        .lines()
        .enumerate()
        .map(|(number, query)| serde_json::json!({"record": format!("query:{number}"), "expr": query}))
        .collect();
    assert!(rules.len() >= 3, "{queries}");
    let groups = serde_json::json!({"groups": [{"name": "queries", "rules": rules}]});
    let output = promtool(&["check", "rules"], &[("rules.yml", &groups.to_string())]);
    assert!(output.status.success(), "{output:?}");
}

/// An Alertmanager; ends with the value.
struct Alertmanager {
    url: String,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Alertmanager {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("alertmanager.yml");
        fs::write(
            &config,
            "{route: {receiver: none}, receivers: [{name: none}]}\n",
        )
        .expect("written");
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port")
            .port();
        let child = Command::new("prometheus-alertmanager")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.path().display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--cluster.listen-address=", "--log.level=error"])
            .spawn()
            .expect("Alertmanager is installed by tests/run");
        let url = format!("http://127.0.0.1:{port}");
        wait_until_ok(&format!("{url}/-/ready"), Duration::from_secs(30));
        Self {
            url,
            child,
            _folder: folder,
        }
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        // Already gone is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn amtool_takes_the_silence_of_the_readme() {
    let alertmanager = Alertmanager::start();
    let commands = blocks("sh").concat();
    assert!(commands.starts_with("amtool silence add "), "{commands}");
    let script = format!(
        "{} --alertmanager.url={}",
        commands.trim(),
        alertmanager.url
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .output()
        .expect("a shell");
    assert!(output.status.success(), "{output:?}");
}
