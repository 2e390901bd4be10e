//! `ack-upgrade-exporter`: parse, run, exit.

use std::process::ExitCode;

use ack_upgrade_exporter::cli::Cli;
use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    ack_upgrade_exporter::run::run(Cli::parse()).await
}
