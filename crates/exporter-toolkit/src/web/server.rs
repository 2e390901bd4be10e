//! The HTTP server: sockets, connections, and their graceful end.
//!
//! HTTP/1.1, or HTTP/2 where the door's TLS agreed on it. How long a client may take over what it
//! does, and how many may be there, is in [`Limits`]; a head of more than 16 KiB is a 431, and no
//! body is read.

mod answer;
mod application;
mod body;
mod connection;
mod crowd;
mod limits;
mod pulse;
mod watched;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use answer::Host;
use connection::Accepted;
use crowd::Crowd;
use pulse::Pulse;

pub use answer::draining;
pub use application::Application;
pub use limits::{Limits, Patience, connections};

use super::door::Door;

/// How long those that only asked for the server's health may take to go.
const FAREWELL: Duration = Duration::from_secs(1);

/// The server's sockets, bound but not yet served.
pub struct Server {
    listeners: Vec<TcpListener>,
    door: Arc<Door>,
    limits: Limits,
}

impl Server {
    /// A server on `listeners` behind `door`.
    pub fn new(listeners: Vec<TcpListener>, door: Arc<Door>, limits: Limits) -> Self {
        Self {
            listeners,
            door,
            limits,
        }
    }

    /// The addresses bound, with the ports that the system chose.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners
            .iter()
            .filter_map(|listener| listener.local_addr().ok())
            .collect()
    }

    /// Serves `application` until `stop` is cancelled, then lets requests in flight finish. Meanwhile,
    /// whoever comes is told that the server is draining, and its health.
    pub async fn serve<A: Application>(self, application: Arc<A>, stop: CancellationToken) {
        let host = Host::new(application, self.door, self.limits.requests, stop.clone());
        let entrance = Arc::new(Entrance {
            host: Arc::new(host),
            limits: self.limits,
            crowd: Crowd::new(self.limits.connections),
            open: Shift::until(stop.clone()),
            late: Shift::until(CancellationToken::new()),
        });
        for listener in self.listeners {
            entrance
                .late
                .connections
                .spawn(Arc::clone(&entrance).accept(listener));
        }
        stop.cancelled().await;
        if !entrance.open.is_over(self.limits.patience.drain).await {
            let (connections, requests) = (
                entrance.open.connections.len(),
                entrance.open.requests.len(),
            );
            tracing::warn!(
                connections,
                http2_requests = requests,
                "connections are cut off that did not end in time"
            );
        }
        entrance.late.leave.cancel();
        entrance.late.is_over(FAREWELL).await;
    }
}

/// Takes connections in.
struct Entrance<A> {
    host: Arc<Host<A>>,
    limits: Limits,
    crowd: Arc<Crowd>,
    /// Those that came while the server was open, which it waits for.
    open: Shift,
    /// Those that come once it stops.
    late: Shift,
}

/// Connections that leave together.
struct Shift {
    leave: CancellationToken,
    connections: TaskTracker,
    /// Those of HTTP/2, which are tasks beside their connection's.
    requests: TaskTracker,
}

impl Shift {
    fn until(leave: CancellationToken) -> Self {
        Self {
            leave,
            connections: TaskTracker::new(),
            requests: TaskTracker::new(),
        }
    }

    async fn is_over(&self, patience: Duration) -> bool {
        self.connections.close();
        self.requests.close();
        // In this order, since connections begin requests.
        timeout(patience, async {
            (self.connections.wait().await, self.requests.wait().await)
        })
        .await
        .is_ok()
    }
}

impl<A: Application> Entrance<A> {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let end = self.late.leave.clone();
        while let Some(accepted) = end.run_until_cancelled(listener.accept()).await {
            match accepted {
                Ok((stream, address)) => self.take_in(stream, address),
                Err(error) => {
                    // Out of descriptors, most likely: trying again at once would only burn the
                    // processor.
                    tracing::warn!(%error, "cannot accept a connection");
                    self.crowd.make_room();
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
    }

    fn take_in(&self, stream: tokio::net::TcpStream, address: SocketAddr) {
        let Some(pulse) = Pulse::start(&self.crowd, self.limits.patience) else {
            return;
        };
        let shift = if self.open.leave.is_cancelled() {
            &self.late
        } else {
            &self.open
        };
        let accepted = Accepted {
            host: Arc::clone(&self.host),
            stream,
            client: address.ip().to_canonical(),
            pulse,
            leave: shift.leave.clone(),
            requests: shift.requests.clone(),
        };
        shift.connections.spawn(accepted.run());
    }
}
