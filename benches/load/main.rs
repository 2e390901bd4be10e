//! The cost of whole scrapes: `cargo bench --bench load`.
//!
//! Three processes run on the loopback of this machine:
//!
//! * a fake API with fixed responses and, on request, latency;
//! * the baseline, a hyper client with keep-alive that sends the same GETs and drops the responses;
//! * the exporter, scraped over HTTP.
//!
//! Both clients are measured from outside in the same way, in turn, so that the ratios hold on a
//! machine whose speed changes. The result is a table; there is no limit to pass.
//!
//! `cargo bench --bench load -- --clusters 1000 --latency 0ms` measures one row; `--help` has the
//! rest.

mod bare;
mod exporter;
mod fake_api;
mod measured;
mod plan;
mod scraper;
mod table;

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use plan::Plan;
use table::Row;

/// The cost of whole scrapes.
#[derive(Debug, Parser)]
struct Cli {
    /// The part that runs in its own process.
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    plan: PlanArgs,
    /// Passed by `cargo bench`; ignored.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The parts that run in their own processes.
#[derive(Debug, Subcommand)]
enum Part {
    /// Serve the fake API; prints its address
    Api {
        /// Latency of each response
        #[arg(long, value_parser = milliseconds)]
        latency: Duration,
    },
    /// Send the GETs of the baseline when a line arrives; prints a line at the end
    Bare {
        #[arg(long)]
        api: std::net::SocketAddr,
        #[arg(long)]
        clusters: usize,
        #[arg(long)]
        concurrency: usize,
        #[arg(long, default_value_t = 1)]
        threads: usize,
    },
}

#[derive(Debug, Args)]
struct PlanArgs {
    /// Clusters in a scrape; repeatable
    #[arg(long, default_values_t = [1, 100, 1_000, 10_000])]
    clusters: Vec<usize>,
    /// Latency of each response of the API, in milliseconds; repeatable
    #[arg(long, default_values = ["0ms", "50ms"], value_parser = milliseconds)]
    latency: Vec<Duration>,
    /// Queries in flight at once
    #[arg(long, default_value_t = 64)]
    concurrency: usize,
    /// Instances that share the clusters; the first is measured
    #[arg(long, default_value_t = 1)]
    shards: usize,
    /// Minimum time for which each client is measured in each row, in seconds
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Encoding of the page: gzip, as for Prometheus, or identity
    #[arg(long, default_value = "gzip")]
    encoding: String,
    /// Path of the exporter to measure
    #[arg(long, default_value = env!("CARGO_BIN_EXE_ack-upgrade-exporter"))]
    exporter: String,
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix("ms").unwrap_or(text);
    number
        .parse()
        .map(Duration::from_millis)
        .map_err(|_| "a number of milliseconds, such as 50ms".to_owned())
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match cli.part {
        Some(Part::Api { latency }) => fake_api::run(latency),
        Some(Part::Bare {
            api,
            clusters,
            concurrency,
            threads,
        }) => bare::run(api, clusters, concurrency, threads),
        None => {
            table::print_head();
            for latency in &cli.plan.latency {
                for clusters in &cli.plan.clusters {
                    let plan = Plan {
                        clusters: *clusters,
                        latency: *latency,
                        shards: cli.plan.shards,
                        concurrency: cli.plan.concurrency,
                        time: Duration::from_secs(cli.plan.seconds),
                        encoding: &cli.plan.encoding,
                        exporter: &cli.plan.exporter,
                    };
                    Row::measure(&plan)?.print();
                }
            }
            Ok(())
        }
    }
}
