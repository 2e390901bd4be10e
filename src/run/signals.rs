//! The handling of signals.

use std::io;

use exporter_toolkit::log;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::web::Lifecycle;

/// The signals that the process handles.
pub(super) struct Signals {
    pub(super) stop: StopSignals,
    hang_up: Signal,
}

/// SIGTERM and SIGINT.
pub(super) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn recv(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Runs `work`; None if one of the signals arrives before its end.
    pub(super) async fn interrupt<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.recv() => None,
        }
    }
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            stop: StopSignals::listen()?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Handles the signals for ever. SIGHUP reloads. The first SIGTERM or SIGINT cancels `token`,
    /// which lets requests in flight finish; the second ends the process.
    // Neither waits for a reload, since a file system may hang.
    pub(super) async fn handle(self, lifecycle: &Lifecycle, token: &CancellationToken) {
        let Self {
            mut stop,
            mut hang_up,
        } = self;
        let stops = async {
            loop {
                stop.recv().await;
                stop_or_exit(token);
            }
        };
        let reloads = async {
            loop {
                // Several signals during a reload are received as one after it.
                hang_up.recv().await;
                // Errors are logged by the reload.
                drop(lifecycle.reload().await);
            }
        };
        tokio::join!(stops, reloads);
    }
}

fn stop_or_exit(token: &CancellationToken) {
    if token.is_cancelled() {
        log::flush();
        std::process::exit(1);
    }
    token.cancel();
    tracing::info!("stopping: requests in flight may finish");
}
