//! What the process does on signals.

use std::io;

use exporter_toolkit::log;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::web::Lifecycle;

/// The signals that the process listens for, from now on.
pub(super) struct Signals {
    pub(super) ends: Ends,
    hang_up: Signal,
}

/// SIGTERM and SIGINT.
pub(super) struct Ends {
    terminate: Signal,
    interrupt: Signal,
}

impl Ends {
    /// Waits for one of them.
    pub(super) async fn one(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// What comes of `work`, or nothing if one of them comes before.
    pub(super) async fn unless_one_comes<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.one() => None,
        }
    }
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        let ends = Ends {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        };
        Ok(Self {
            ends,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// SIGHUP reloads. The first SIGTERM or SIGINT lets requests in flight finish, the second ends
    /// the process; neither waits for a reload, since a file system may hang.
    pub(super) async fn obey(self, lifecycle: &Lifecycle, stop: &CancellationToken) {
        let Self {
            mut ends,
            mut hang_up,
        } = self;
        let ended = async {
            loop {
                ends.one().await;
                end(stop);
            }
        };
        let reloads = async {
            loop {
                // However often it comes during a reload, it is received once afterwards.
                hang_up.recv().await;
                // What is wrong is logged there.
                drop(lifecycle.reload().await);
            }
        };
        tokio::join!(ended, reloads);
    }
}

fn end(stop: &CancellationToken) {
    if stop.is_cancelled() {
        log::flush();
        std::process::exit(1);
    }
    stop.cancel();
    tracing::info!("stopping: requests in flight may finish");
}
