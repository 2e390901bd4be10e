//! The HTTP server: sockets, connections, and their graceful end.
//!
//! HTTP/1.1, or HTTP/2 where TLS agreed on it. Time-outs and caps are in [`Limits`]; a head of more
//! than 16 KiB is a 431, and no body is read.

mod application;
mod body;
mod connection;
mod connections;
mod handler;
mod limits;

use std::mem;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use connection::Connection;
use connections::ConnectionTable;
use handler::RequestHandler;
use limits::DRAIN_GRACE;

pub use application::Application;
pub use handler::draining;
pub use limits::{Limits, Timeouts, connections};

use super::guard::WebGuard;

/// The time from one warning of a kind to the next. Without file descriptors, accepting fails a
/// hundred times a second.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// The server's sockets, bound but not yet served.
pub struct Server {
    listeners: Vec<TcpListener>,
    guard: Arc<WebGuard>,
    limits: Limits,
}

impl Server {
    /// A server on `listeners`, whose requests `guard` checks.
    pub fn new(listeners: Vec<TcpListener>, guard: Arc<WebGuard>, limits: Limits) -> Self {
        Self {
            listeners,
            guard,
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

    /// Serves `application` until `stop` is cancelled, then lets requests in flight finish. New
    /// requests meanwhile get a 503, and health checks their response.
    pub async fn serve<A: Application>(self, application: Arc<A>, stop: CancellationToken) {
        let table = ConnectionTable::new(self.limits);
        let handler = RequestHandler::new(application, self.guard, stop.clone());
        let acceptor = Arc::new(Acceptor {
            handler: Arc::new(handler),
            table: Arc::clone(&table),
            shutdown: Mutex::default(),
        });
        // Dropped, and its tasks with it, when the server has ended.
        let mut tasks = JoinSet::new();
        for listener in self.listeners {
            tasks.spawn(Arc::clone(&acceptor).accept(listener));
        }
        tasks.spawn(Arc::clone(&table).enforce());
        stop.cancelled().await;

        table.drain();
        let drained = timeout(
            self.limits.timeouts.drain,
            acceptor.take_shutdown().shutdown(),
        );
        if drained.await.is_err() {
            let (connections, requests) = table.counts();
            tracing::warn!(
                connections,
                requests,
                "connections are cut off that did not end in time"
            );
        }
        // Those that have come since.
        drop(timeout(DRAIN_GRACE, acceptor.take_shutdown().shutdown()).await);
    }
}

/// Accepts connections.
struct Acceptor<A> {
    handler: Arc<RequestHandler<A>>,
    table: Arc<ConnectionTable>,
    /// The end of the connections; another one for those that come while the server drains.
    shutdown: Mutex<GracefulShutdown>,
}

impl<A: Application> Acceptor<A> {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        // Aborted with the server.
        let mut connections = JoinSet::new();
        let (mut failures, mut next_warning) = (0_u64, Instant::now());
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = connections.join_next() => continue,
            };
            match accepted {
                Ok((socket, address)) => {
                    if let Some(connection) = self.admit(socket, address) {
                        connections.spawn(connection.run());
                    }
                    // The next connection closes an older one. The open ones read first what has
                    // arrived.
                    if self.table.is_full() {
                        tokio::task::yield_now().await;
                    }
                }
                Err(error) => {
                    failures += 1;
                    if next_warning <= Instant::now() {
                        tracing::warn!(%error, failures, "cannot accept connections");
                        (failures, next_warning) = (0, Instant::now() + WARNING_INTERVAL);
                    }
                    // Out of descriptors, most likely: trying again at once would only burn the
                    // processor.
                    self.handler.release_descriptors();
                    self.table.evict();
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
    }

    fn admit(&self, socket: TcpStream, address: SocketAddr) -> Option<Connection<A>> {
        let shutdown = self.shutdown.lock().unwrap_or_else(PoisonError::into_inner);
        let client = address.ip().to_canonical();
        Some(Connection {
            handler: Arc::clone(&self.handler),
            socket,
            client,
            activity: self.table.open(client)?,
            shutdown: shutdown.watcher(),
        })
    }

    fn take_shutdown(&self) -> GracefulShutdown {
        let mut shutdown = self.shutdown.lock().unwrap_or_else(PoisonError::into_inner);
        mem::take(&mut *shutdown)
    }
}

#[cfg(test)]
mod tests;
