//! The arguments of `demo`.

use std::net::SocketAddr;
use std::time::Duration;

use ack_simulator::{Rule, parse_rules};
use clap::Args;

use super::{LogArgs, WebArgs, interval};

/// Serving a simulated account.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Where the stand-in for the vendor's API listens
    #[arg(
        long = "api.listen-address",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:0"
    )]
    pub api_listen_address: SocketAddr,
    /// The world that is played; another seed, another story
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Play the switch-off of `GetUpgradeStatus`
    #[arg(long)]
    pub retired: bool,
    /// Play an unruly service: "unruly", or rules such as "throttled=429/2s:5%,
    /// hang@GetUpgradeStatus:1%"
    #[arg(long, value_name = "RULES", num_args = 0..=1, default_missing_value = "unruly", value_parser = rules)]
    pub faults: Option<FaultRules>,
    /// How many clusters the simulated account has
    #[arg(long, default_value_t = 12)]
    pub clusters: u32,
    /// How many more come and go, each within a minute or two
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub guests: u32,
    /// How long keys from the simulated STS, metadata service and credentials URI last, in place of
    /// what is asked for
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    pub key_lifetime: Option<Duration>,
    /// Where and how to listen.
    #[command(flatten)]
    pub web: WebArgs,
    /// What to log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Rules by which the stand-in misbehaves.
#[derive(Debug, Clone)]
pub struct FaultRules(pub Vec<Rule>);

fn rules(text: &str) -> Result<FaultRules, String> {
    parse_rules(text)
        .map(FaultRules)
        .map_err(|error| error.to_string())
}
