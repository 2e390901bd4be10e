//! The arguments of `demo`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ack_simulator::{Rule, parse_rules};
use clap::Args;
use exporter_toolkit::yaml::duration;

use super::{LogArgs, WebArgs, help, interval};

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Simulated account", after_help = help::DEMO)]
pub struct DemoArgs {
    /// Address of the simulated API
    #[arg(
        long = "api.listen-address",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:0"
    )]
    pub api_listen_address: SocketAddr,
    /// Seed of the simulated account
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Play the API as it was before the switch-off of `GetUpgradeStatus`
    #[arg(long)]
    pub classic: bool,
    /// Today's API, which is the default.
    #[arg(long, hide = true, conflicts_with = "classic")]
    pub retired: bool,
    /// Write the configuration for `status` and `explain` to this file
    #[arg(long, value_name = "FILE")]
    pub write_config: Option<PathBuf>,
    /// Interval at which the demo scrapes itself, so that its pages live; 0 for never
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration::parse)]
    pub scrape_interval: Duration,
    /// Simulate an unreliable API: "unruly", or rules such as "throttled=429/2s:5%,
    /// hang@GetUpgradeStatus:1%"
    #[arg(long, value_name = "RULES", num_args = 0..=1, default_missing_value = "unruly", value_parser = rules)]
    pub faults: Option<FaultRules>,
    /// Number of clusters in the simulated account
    #[arg(long, default_value_t = 12)]
    pub clusters: u32,
    /// Number of further clusters that are created and deleted again within a minute or two
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub ephemeral_clusters: u32,
    /// Lifetime of keys from the simulated STS, metadata service and credentials URI, in place of
    /// the requested one
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    pub key_lifetime: Option<Duration>,
    /// Arguments of the web server.
    #[command(flatten)]
    pub web: WebArgs,
    /// Arguments of the log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Rules for faults of the simulated API.
#[derive(Debug, Clone)]
pub struct FaultRules(pub Vec<Rule>);

fn rules(text: &str) -> Result<FaultRules, String> {
    parse_rules(text)
        .map(FaultRules)
        .map_err(|error| error.to_string())
}
