//! What the process does on signals.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::web::Lifecycle;

/// The signals that the process listens for, from now on.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// SIGHUP reloads. The first SIGTERM or SIGINT lets requests in flight finish, the second ends the process.
    pub(super) async fn obey(mut self, lifecycle: &Lifecycle, stop: &CancellationToken) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => end(stop),
                _ = self.interrupt.recv() => end(stop),
                // What is wrong is logged there.
                _ = self.hang_up.recv() => drop(lifecycle.reload().await),
            }
        }
    }
}

fn end(stop: &CancellationToken) {
    if stop.is_cancelled() {
        std::process::exit(1);
    }
    stop.cancel();
    tracing::info!("stopping: requests in flight may finish");
}
