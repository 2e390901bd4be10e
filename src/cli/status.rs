//! The arguments of `status`.

use std::time::Duration;

use ack_client::Status;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ColorChoice, ValueEnum};
use jiff::Timestamp;

use super::{AccountArgs, LogArgs, help, interval};

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(after_help = help::STATUS)]
pub struct StatusArgs {
    /// IDs or names of the clusters to show [default: all]
    #[arg(value_name = "CLUSTER")]
    pub targets: Vec<String>,
    /// Arguments that select accounts and clusters.
    #[command(flatten)]
    pub accounts: AccountArgs,
    /// Arguments that select among the clusters.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Arguments of the output.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Arguments of watching and waiting.
    #[command(flatten)]
    pub repeat: RepeatArgs,
    /// Arguments of the log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Arguments that select among the clusters of the configuration, as `--region` does.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
pub struct FilterArgs {
    /// Account whose clusters are shown; repeatable
    #[arg(long = "account", value_name = "NAME", value_delimiter = ',')]
    pub accounts: Vec<String>,
    /// Status of the clusters that are shown, such as fail,pause; repeatable
    #[arg(
        long = "status",
        value_name = "STATUS",
        value_delimiter = ',',
        value_parser = shown_status(),
        conflicts_with = "wait"
    )]
    pub statuses: Vec<ShownStatus>,
}

/// Arguments of the output.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Format: a table, or the JSON of /api/v1/clusters
    #[arg(
        id = "output_format",
        long = "output",
        value_name = "FORMAT",
        value_enum,
        default_value = "table"
    )]
    pub format: Output,
    /// Leave out the first line of the table
    #[arg(long)]
    pub no_headers: bool,
    /// Colours; auto is for terminals, unless `NO_COLOR` is set
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
    /// States of a cluster that change the exit code: failed (upgrade failed or canceled: 3),
    /// unanswered (not read: 4, also without this flag)
    #[arg(long, value_name = "STATES", value_enum, value_delimiter = ',')]
    pub fail_on: Vec<FailOn>,
}

/// Arguments of watching and waiting.
#[derive(Debug, Args)]
#[command(next_help_heading = "Watching and waiting")]
pub struct RepeatArgs {
    /// Repeat until interrupted
    #[arg(long, conflicts_with = "wait")]
    pub watch: bool,
    /// Repeat until the upgrades have ended, with the exit codes of --fail-on=failed,unanswered. A
    /// cluster that cannot be read is given up after three attempts in a row, or after the first if
    /// access is denied or the cluster is missing
    #[arg(long)]
    pub wait: bool,
    // Clap asks for no argument that conflicts with one that is there, so the three exclude --watch
    // themselves.
    /// With --wait: only an upgrade to this version counts
    #[arg(
        long,
        value_name = "VERSION",
        requires = "wait",
        conflicts_with = "watch"
    )]
    pub target_version: Option<String>,
    /// With --wait: only what has ended since then counts, such as 2026-11-23T08:00:00Z
    #[arg(long, value_name = "TIME", requires = "wait", conflicts_with = "watch", value_parser = time)]
    pub since: Option<Timestamp>,
    /// With --wait: give up after this long
    #[arg(long, value_name = "DURATION", requires = "wait", conflicts_with = "watch", value_parser = interval)]
    pub timeout: Option<Duration>,
    /// Time between two attempts
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = interval)]
    pub interval: Duration,
}

/// A status of clusters that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownStatus {
    /// A status of the upgrade.
    Upgrade(Status),
    /// The cluster could not be read.
    Unanswered,
}

/// The parser of a status: the values of `cs_upgrade_status`, and `unanswered`.
fn shown_status() -> impl TypedValueParser<Value = ShownStatus> {
    let names = Status::ALL.iter().map(|status| status.as_str());
    PossibleValuesParser::new(names.chain([UNANSWERED])).map(|name| {
        let mut statuses = Status::ALL.iter();
        statuses
            .find(|status| status.as_str() == name)
            .map_or(ShownStatus::Unanswered, |status| {
                ShownStatus::Upgrade(*status)
            })
    })
}

/// The word for clusters that could not be read.
pub const UNANSWERED: &str = "unanswered";

/// A state of clusters with an exit code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// The upgrade failed or was canceled.
    Failed,
    /// The cluster could not be read.
    Unanswered,
}

/// The format of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A table for people.
    Table,
    /// The JSON of `/api/v1/clusters`, for programs.
    Json,
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    text.parse()
        .map_err(|_| "must be a time with its offset, such as 2026-11-23T08:00:00Z")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::cli::Cli;

    #[test]
    fn a_time_that_is_none_is_told_how_one_is_written() {
        let since =
            |text: &str| Cli::try_parse_from(["x", "status", "--wait", &format!("--since={text}")]);
        assert!(since("2026-11-23T08:00:00+08:00").is_ok());
        for bad in ["yesterday", "2026-11-23", "08:00"] {
            let said = since(bad).expect_err(bad).to_string();
            assert!(
                said.contains("must be a time with its offset, such as 2026-11-23T08:00:00Z")
                    && !said.contains("digit"),
                "{said}"
            );
        }
    }
}
