//! The command line. Flags are dotted, as in the Prometheus family.

mod accounts;
#[cfg(feature = "demo")]
mod demo;
pub mod exit;
mod flag_order;
mod help;
mod parse;
mod status;
mod web;

use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use exporter_toolkit::log::{LogFormat, LogLevel};
use exporter_toolkit::yaml::duration;

pub use self::accounts::{AccountArgs, ShardArgs};
#[cfg(feature = "demo")]
pub use self::demo::{DemoArgs, FaultRules};
pub use self::flag_order::command_first;
pub use self::parse::parse;
pub use self::status::{
    FailOn, FilterArgs, Output, OutputArgs, RepeatArgs, ShownStatus, StatusArgs, UNANSWERED,
};
pub use self::web::WebArgs;

/// Prometheus exporter for the upgrade state of Kubernetes clusters on Alibaba Cloud ACK.
#[derive(Debug, Parser)]
#[command(
    name = "ack-upgrade-exporter",
    version,
    about,
    args_conflicts_with_subcommands = true,
    after_help = help::PROGRAM,
)]
pub struct Cli {
    /// A command other than serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Arguments of serving.
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// Commands other than serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a simulated account: no credentials, no file, no network
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// Show the upgrade state of the clusters, once or until the upgrades have ended
    Status(StatusArgs),
    /// Show the requests that would be sent for one cluster
    Explain(ExplainArgs),
    /// Print a script that completes the commands and flags in a shell
    Completion(CompletionArgs),
    /// Print the man page of the program or of a command
    Man(ManArgs),
}

/// Arguments of serving.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Arguments that select accounts and clusters.
    #[command(flatten)]
    pub accounts: AccountArgs,
    /// Arguments of the configuration file.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Arguments that select a shard.
    #[command(flatten)]
    pub shard: ShardArgs,
    /// Arguments of the web server.
    #[command(flatten)]
    pub web: WebArgs,
    /// Arguments of the log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Arguments of the configuration file.
#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration file")]
pub struct ConfigArgs {
    /// Check the configuration file, list every mistake, and exit
    #[arg(long = "config.check", requires = "config_file")]
    pub check: bool,
    /// Interval at which the configuration file is checked, and reloaded if its content has changed
    #[arg(
        long = "config.auto-reload-interval",
        value_name = "DURATION",
        requires = "config_file",
        value_parser = interval
    )]
    pub auto_reload_interval: Option<Duration>,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
#[command(after_help = help::EXPLAIN)]
pub struct ExplainArgs {
    /// ID or name of a cluster
    #[arg(value_name = "CLUSTER")]
    pub cluster: String,
    /// Arguments that select accounts and clusters.
    #[command(flatten)]
    pub accounts: AccountArgs,
    /// Arguments of the log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Arguments of `completion`.
#[derive(Debug, Args)]
#[command(after_help = help::COMPLETION)]
pub struct CompletionArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
#[command(after_help = help::MAN)]
pub struct ManArgs {
    /// The command [default: the program]
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}

/// Arguments of the log.
#[derive(Debug, Args)]
#[command(next_help_heading = "Log")]
pub struct LogArgs {
    /// Lowest level that is logged [default: info when serving, warn for the commands of the
    /// terminal]
    #[arg(long = "log.level", value_name = "LEVEL", value_enum)]
    pub level: Option<LogLevel>,
    /// Format of a line
    #[arg(
        long = "log.format",
        value_name = "FORMAT",
        value_enum,
        default_value = "logfmt"
    )]
    pub format: LogFormat,
    /// Log each query of a cluster, at every level
    #[arg(long = "log.queries")]
    pub queries: bool,
}

fn interval(text: &str) -> Result<Duration, String> {
    match duration::parse(text)? {
        Duration::ZERO => Err("must be above 0".to_owned()),
        interval => Ok(interval),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_agree_with_each_other() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
        assert!(Cli::try_parse_from(["x", "--config.file=f", "--cluster=c1"]).is_err());
        assert!(
            Cli::try_parse_from([
                "x",
                "--region=cn-hangzhou",
                "--cluster=c1",
                "--cluster=c2@cn-shanghai"
            ])
            .is_ok()
        );
        assert!(
            Cli::try_parse_from(["x", "--shard.ordinal=1", "--shard.ordinal-from-hostname"])
                .is_err()
        );
    }
}
