//! One connection from its first byte to its last.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::Watcher;
use tokio::net::TcpStream;

use super::application::Application;
use super::connections::ConnectionActivity;
use super::handler::RequestHandler;
use crate::web::guard::Protocol;

/// The largest head, and each of hyper's buffers, in bytes.
const MAX_HEAD: u32 = 16 << 10;

/// Requests at once on one connection of HTTP/2. Prometheus makes one, and a browser a few.
const MAX_STREAMS: u32 = 8;

/// A connection that has been accepted.
pub(super) struct Connection<A> {
    pub(super) handler: Arc<RequestHandler<A>>,
    pub(super) socket: TcpStream,
    pub(super) client: IpAddr,
    pub(super) activity: Arc<ConnectionActivity>,
    /// Tells when the connection has to end after the responses under way.
    pub(super) shutdown: Watcher,
}

impl<A: Application> Connection<A> {
    /// Serves the client until either side closes.
    pub(super) async fn run(self) {
        let (client, close) = (self.client, self.activity.close().clone());
        // No reason for more than a debug log, since any client can bring it about.
        match close.run_until_cancelled(self.serve()).await {
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::debug!(%client, error, "connection ended early"),
            None => tracing::debug!(%client, "connection closed: too slow, or too many of them"),
        }
    }

    async fn serve(self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let Self {
            handler,
            socket,
            client,
            activity,
            shutdown,
        } = self;
        // Without it a page's last packet waits for the client's acknowledgement.
        drop(socket.set_nodelay(true));
        // In boxes, so that a connection that sends no head does not pay for what comes after it.
        let accepted = Box::pin(handler.guard.accept(socket)).await?;
        let service = service_fn(move |request| {
            let (handler, guard) = (Arc::clone(&handler), activity.request());
            async move { handler.handle(request, client, guard).await }
        });
        let http = http(accepted.protocol);
        let connection = http.serve_connection(TokioIo::new(accepted.stream), service);
        Box::pin(shutdown.watch(connection)).await
    }
}

/// Returns hyper's settings. Its time-outs are off for want of a timer.
fn http(protocol: Protocol) -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .max_buf_size(MAX_HEAD as usize)
        // A client that closes its half after the request, as `nc -N` does, waits for the response.
        .half_close(true);
    http.http2()
        .max_header_list_size(MAX_HEAD)
        .max_concurrent_streams(MAX_STREAMS)
        .max_send_buf_size(MAX_HEAD as usize)
        // No body is read.
        .initial_stream_window_size(MAX_HEAD)
        .initial_connection_window_size(MAX_HEAD);
    match protocol {
        Protocol::Http1 => http.http1_only(),
        Protocol::Http2 => http.http2_only(),
    }
}
