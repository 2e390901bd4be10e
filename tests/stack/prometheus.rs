//! A real Prometheus server.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{get, wait_until_ok};

/// A running server; ends with the value.
pub struct Prometheus {
    base: String,
    child: Child,
    _folder: tempfile::TempDir,
}

/// One series of an instant vector.
#[derive(Debug, PartialEq)]
pub struct Sample {
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

impl Prometheus {
    /// Scrapes `target` every two seconds; `more` is added to the scrape configuration.
    pub fn scraping(target: &str, more: &str) -> Self {
        Self::with_config(&format!(
            "global: {{scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 1s}}\n\
             scrape_configs:\n  - job_name: ack\n    honor_labels: true\n    \
             static_configs: [{{targets: ['{target}']}}]\n{more}"
        ))
    }

    /// Runs with a whole configuration file.
    pub fn with_config(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, config).expect("writes the configuration");
        // Prometheus does not tell the port it was given, so one that is free now has to do.
        // Nobody else is given ports of this address.
        let address = TcpListener::bind("127.0.0.7:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port");
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus is installed by tests/run");
        let server = Self {
            base: format!("http://{address}"),
            child,
            _folder: folder,
        };
        wait_until_ok(&format!("{}/-/ready", server.base), Duration::from_secs(60));
        server
    }

    /// The instant vector of `expression`.
    pub fn query(&self, expression: &str) -> Vec<Sample> {
        let mut encoded = String::new();
        for byte in expression.bytes() {
            write!(encoded, "%{byte:02X}").expect("a String takes every write");
        }
        let response: Value =
            serde_json::from_str(&get(&format!("{}/api/v1/query?query={encoded}", self.base)))
                .expect("JSON");
        let result = response["data"]["result"].as_array().expect("a vector");
        result
            .iter()
            .map(|sample| Sample {
                labels: serde_json::from_value(sample["metric"].clone()).expect("labels"),
                value: sample["value"][1]
                    .as_str()
                    .and_then(|value| value.parse().ok())
                    .expect("a number"),
            })
            .collect()
    }

    /// Repeats the query until `wanted` accepts the result; fails the test after `patience`.
    pub fn wait_for(
        &self,
        expression: &str,
        patience: Duration,
        wanted: impl Fn(&[Sample]) -> bool,
    ) -> Vec<Sample> {
        let end = Instant::now() + patience;
        loop {
            let samples = self.query(expression);
            if wanted(&samples) {
                return samples;
            }
            assert!(Instant::now() < end, "{expression} is still {samples:?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // Already gone is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
