//! `ack-upgrade-exporter`: parse, run, exit.

use std::process::ExitCode;

use ack_upgrade_exporter::cli::Cli;
use ack_upgrade_exporter::run::run;
use anyhow::Context as _;
use clap::Parser as _;
use listenfd::ListenFd;
use tokio::runtime::Runtime;

fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    // It changes the environment, so there must be no other thread yet.
    let handed_over = ListenFd::from_env();
    let runtime = Runtime::new().context("no threads to run on")?;
    Ok(runtime.block_on(run(cli, handed_over)))
}
