//! `ack-upgrade-exporter`: parse, run, exit.

use std::process::ExitCode;

use ack_upgrade_exporter::cli::Cli;
use ack_upgrade_exporter::run::run;
use anyhow::Context as _;
use clap::Parser as _;
use exporter_toolkit::log::FlushGuard;
use listenfd::ListenFd;
use tokio::runtime::Builder;

fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    // Of all that is here the last to go, in a panic too.
    let _flush = FlushGuard;
    // It changes the environment, so there must be no other thread yet.
    let handed_over = ListenFd::from_env();
    // All of it is waiting and short work; what takes long goes to threads of its own. A second
    // worker costs more in waking and stealing than it brings, and a machine of many cores would
    // start one for each.
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("no threads to run on")?;
    let ended = runtime.block_on(run(cli, handed_over));
    // A thread that still waits for a silent name server or file system is left behind.
    runtime.shutdown_background();
    Ok(ended)
}
