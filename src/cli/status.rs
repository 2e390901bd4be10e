//! The arguments of `status`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::{AccountArgs, LogArgs, interval};

/// The exit codes of `status`, as its help has them.
const STATUS_CODES: &str = "Exit codes:
  0  All could be read; with --wait, the upgrades have ended well
  1  Something failed while running
  2  The command line or the configuration is wrong
  3  An upgrade failed or was canceled (with --wait or --fail-on=failed)
  4  A cluster or a cluster list could not be read
  5  The time of --timeout is over";

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(after_help = STATUS_CODES)]
pub struct StatusArgs {
    /// IDs or names of the clusters to show [default: all]
    #[arg(value_name = "CLUSTER")]
    pub targets: Vec<String>,
    /// Arguments that select accounts and clusters.
    #[command(flatten)]
    pub accounts: AccountArgs,
    /// Format of the output
    #[arg(long, value_enum, default_value = "table")]
    pub output: Output,
    /// States of a cluster that change the exit code: failed (upgrade failed or canceled: 3),
    /// unanswered (not read: 4, also without this flag)
    #[arg(long, value_name = "STATES", value_enum, value_delimiter = ',')]
    pub fail_on: Vec<FailOn>,
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
    /// Arguments of the log.
    #[command(flatten)]
    pub log: LogArgs,
}

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
