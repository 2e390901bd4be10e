//! `ack-upgrade-exporter`: parse, run, exit.

use std::process::ExitCode;

use ack_upgrade_exporter::cli;
use ack_upgrade_exporter::run::run;
use anyhow::Context as _;
use exporter_toolkit::log::FlushGuard;
use listenfd::ListenFd;
use tokio::runtime::Builder;

fn main() -> anyhow::Result<ExitCode> {
    let cli = cli::parse();
    // Dropped last, after a panic too.
    let _flush = FlushGuard;
    // Changes the environment, so no other thread may run yet.
    let handed_over = ListenFd::from_env();
    // Tasks wait or do little work; long work has threads of its own. A second worker costs more
    // in wake-ups than it gains, and the default is one worker per core.
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let ended = runtime.block_on(run(cli, handed_over));
    // Does not wait for threads that hang in a name server or a file system.
    runtime.shutdown_background();
    Ok(ended)
}
