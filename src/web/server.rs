//! The HTTP server: sockets, connections, and their graceful end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::routes::Site;

/// How long a client may take to send a request's head.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// The read buffer of a connection, and with it the largest head, in bytes.
const MAX_HEAD: usize = 16 << 10;

/// Connections open at once. A connection costs a few KiB.
const MAX_CONNECTIONS: usize = 8192;

/// How long requests in flight may take to finish once the server stops.
const DRAIN: Duration = Duration::from_secs(130);

/// The server's sockets, bound but not yet served.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
}

impl Server {
    /// Binds every address.
    pub async fn bind(addresses: &[String]) -> Result<Self, BindError> {
        let mut listeners = Vec::new();
        for address in addresses {
            let listener = listen(address).await.map_err(|source| BindError { address: address.clone(), source })?;
            listeners.push(listener);
        }
        Ok(Self { listeners })
    }

    /// The addresses bound, with the ports that the system chose.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// Serves `site` until `stop` is cancelled, then lets requests in flight finish.
    pub async fn serve(self, site: Arc<Site>, stop: CancellationToken) {
        let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let tasks = TaskTracker::new();
        for listener in self.listeners {
            tasks.spawn(accept(listener, Arc::clone(&site), Arc::clone(&connections), tasks.clone(), stop.clone()));
        }
        stop.cancelled().await;
        tasks.close();
        if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
            tracing::warn!(connections = tasks.len(), "connections are cut off that did not end in time");
        }
    }
}

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    address: String,
    source: io::Error,
}

async fn listen(address: &str) -> io::Result<TcpListener> {
    // As in Go, a bare port means every address of both families.
    match address.strip_prefix(':') {
        Some(port) => match TcpListener::bind(format!("[::]:{port}")).await {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => TcpListener::bind(format!("0.0.0.0:{port}")).await,
            result => result,
        },
        None => TcpListener::bind(address).await,
    }
}

async fn accept(listener: TcpListener, site: Arc<Site>, connections: Arc<Semaphore>, tasks: TaskTracker, stop: CancellationToken) {
    loop {
        let permit = Arc::clone(&connections).acquire_owned();
        let accepted = async { (permit.await, listener.accept().await) };
        let (permit, stream) = tokio::select! {
            (permit, stream) = accepted => (permit.expect("the semaphore is never closed"), stream),
            () = stop.cancelled() => return,
        };
        match stream {
            Ok((stream, _)) => {
                tasks.spawn(connection(stream, Arc::clone(&site), permit, stop.clone()));
            }
            Err(error) => {
                // Out of descriptors, most likely: trying again at once would only burn the processor.
                tracing::warn!(error = %error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, site: Arc<Site>, _permit: OwnedSemaphorePermit, stop: CancellationToken) {
    // Without it a page's last packet waits for the client's acknowledgement.
    drop(stream.set_nodelay(true));
    let service = service_fn(move |request| answer(Arc::clone(&site), request));
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MAX_HEAD);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = %error, "connection ended early");
    }
}

async fn answer(site: Arc<Site>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
    Ok(site.respond(&request.into_parts().0).await)
}
