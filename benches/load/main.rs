//! What whole scrapes cost: `cargo bench --bench load`.
//!
//! Three processes on this machine's loopback. One plays the vendor, with canned replies and, where
//! asked, latency. One is the floor: a keep-alive hyper client that sends as many bare GETs and
//! drops the replies. One is the exporter as it ships, scraped over HTTP. Both clients are measured
//! from outside in the same way, in turn, round by round, so that the ratios hold on a machine
//! whose speed drifts. Nothing here judges: it prints a table.
//!
//! `cargo bench --bench load -- --clusters 1000 --latency 0ms` measures one row; `--help` has the
//! rest.

mod bare;
mod exporter;
mod measured;
mod plan;
mod scraper;
mod table;
mod vendor;

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use plan::Plan;
use table::Row;

/// What whole scrapes cost.
#[derive(Debug, Parser)]
struct Cli {
    /// A part that this program starts in a process of its own.
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    plan: PlanArgs,
    /// Given by `cargo bench`; means nothing here.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The parts that run in processes of their own.
#[derive(Debug, Subcommand)]
enum Part {
    /// Play the vendor; prints its address
    Vendor {
        /// How long each reply takes
        #[arg(long, value_parser = milliseconds)]
        latency: Duration,
    },
    /// Send bare GETs whenever a line comes in; prints a line for each round
    Bare {
        #[arg(long)]
        vendor: std::net::SocketAddr,
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
    /// How long each of the vendor's replies takes, in milliseconds; repeatable
    #[arg(long, default_values = ["0ms", "50ms"], value_parser = milliseconds)]
    latency: Vec<Duration>,
    /// Queries under way at once
    #[arg(long, default_value_t = 64)]
    concurrency: usize,
    /// Instances that share the clusters, of which the first is measured
    #[arg(long, default_value_t = 1)]
    shards: usize,
    /// Least time for which each client is measured in each row, in seconds
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// What the exporter is asked for: gzip, as Prometheus asks, or identity
    #[arg(long, default_value = "gzip")]
    encoding: String,
    /// Another build of the exporter to measure
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
        Some(Part::Vendor { latency }) => vendor::run(latency),
        Some(Part::Bare {
            vendor,
            clusters,
            concurrency,
            threads,
        }) => bare::run(vendor, clusters, concurrency, threads),
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
