//! The exporter, with an account of any number of clusters.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::measured::Measured;
use crate::plan::Plan;

/// Starts the exporter of `plan` with the API at `api`. Returns the process, its address, and the
/// time until it was ready.
pub(crate) fn start(
    plan: &Plan<'_>,
    api: SocketAddr,
) -> anyhow::Result<(Measured, SocketAddr, Duration)> {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
    std::fs::write(file.path(), config(api, plan.clusters, plan.concurrency))?;
    let began = Instant::now();
    let mut command = Command::new(plan.exporter);
    command
        .arg(format!("--config.file={}", file.path().display()))
        .arg(format!("--shard.total={}", plan.shards))
        .args(["--shard.ordinal=0", "--web.listen-address=127.0.0.1:0"])
        .stderr(Stdio::piped());
    let mut measured = Measured::start(&mut command)?;
    let mut log = BufReader::new(
        measured
            .child
            .stderr
            .take()
            .context("a pipe was asked for")?,
    );
    let mut line = String::new();
    let address = loop {
        line.clear();
        anyhow::ensure!(
            log.read_line(&mut line)? > 0,
            "the exporter ended before it listened"
        );
        if let Some(rest) = line.split("address=").nth(1) {
            break rest
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .parse()
                .with_context(|| line.clone())?;
        }
    };
    let ready = began.elapsed();
    // Later log lines must not fill the pipe.
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    // It has read its file by now.
    drop(file);
    Ok((measured, address, ready))
}

/// A cluster ID in the form of the API: `c` and 32 hexadecimal digits.
pub(crate) fn cluster_id(index: usize) -> String {
    format!(
        "c{:032x}",
        0x5851_f42d_4c95_7f2d_u128.wrapping_mul(index as u128 + 1) << 32 | index as u128
    )
}

fn config(api: SocketAddr, clusters: usize, concurrency: usize) -> String {
    let mut yaml = format!(
        "accounts:\n  - name: load\n    endpoint: http://{api}\n    source: upgrade_status\n    max_concurrency: {concurrency}\n    \
         rate_limit: {{requests_per_second: 1000000, burst: 1000000}}\n    \
         credentials: {{type: access_key, access_key_id: LTAI5tLoad, access_key_secret: load}}\n    clusters:\n"
    );
    for index in 0..clusters {
        let id = cluster_id(index);
        writeln!(yaml, "      - {{id: {id}, region: cn-hangzhou, name: cluster-{index}, labels: {{team: platform}}}}")
            .expect("a String takes every write");
    }
    yaml
}
