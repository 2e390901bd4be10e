//! One connection from its first byte to its last.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answer::Host;
use super::application::Application;
use super::pulse::Pulse;
use super::watched::{MAX_HEAD, Watched};
use crate::web::door::{HandshakeError, Protocol};

/// Requests at once on one connection of HTTP/2.
const MAX_STREAMS: u32 = 64;

/// How long a connection may be without answers once it is to leave. Under HTTP/2 its client is
/// asked whether a request is on its way, and one that has gone never says.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why a connection ended early; no reason for more than a debug log, since any client can bring it
/// about.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    #[error("no whole head: {0}")]
    Head(#[from] io::Error),
    #[error(transparent)]
    Http(#[from] hyper::Error),
    #[error("it had to make room for another")]
    Dropped,
    #[error("the server stops, and it did not say that it had no more to ask")]
    Silent,
}

/// A connection that has been accepted.
pub(super) struct Accepted<A> {
    pub(super) host: Arc<Host<A>>,
    pub(super) stream: TcpStream,
    pub(super) client: IpAddr,
    pub(super) pulse: Arc<Pulse>,
    /// Cancelled when the connection is to end after the answers under way.
    pub(super) leave: CancellationToken,
    /// Where requests of HTTP/2 are worked on.
    pub(super) requests: TaskTracker,
}

impl<A: Application> Accepted<A> {
    /// Talks with the client until either has had enough.
    pub(super) async fn run(self) {
        let (client, dropped) = (self.client, self.pulse.dropped());
        let ended = tokio::select! {
            ended = self.converse() => ended,
            () = dropped => Err(Ended::Dropped),
        };
        if let Err(error) = ended {
            tracing::debug!(%client, %error, "connection ended early");
        }
    }

    async fn converse(self) -> Result<(), Ended> {
        let Self {
            host,
            stream,
            client,
            pulse,
            leave,
            requests,
        } = self;
        // Without it a page's last packet waits for the client's acknowledgement.
        drop(stream.set_nodelay(true));
        let Some(arrived) = leave
            .run_until_cancelled(arrive(&host, stream, &pulse))
            .await
        else {
            return Ok(());
        };
        let (stream, protocol) = arrived?;
        let heart = Arc::clone(&pulse);
        let service = service_fn(move |request| {
            let (host, answering) = (Arc::clone(&host), heart.answer());
            async move { host.answer(request, client, answering).await }
        });
        // In boxes of their own, so that a connection that sends no head does not pay for them.
        match protocol {
            Protocol::Http1 => {
                Box::pin(drive(
                    http1().serve_connection(TokioIo::new(stream), service),
                    &pulse,
                    &leave,
                ))
                .await
            }
            Protocol::Http2 => {
                Box::pin(drive(
                    http2(requests).serve_connection(TokioIo::new(stream), service),
                    &pulse,
                    &leave,
                ))
                .await
            }
        }
    }
}

/// Through the door, and as far as a whole head.
async fn arrive<A: Application>(
    host: &Host<A>,
    stream: TcpStream,
    pulse: &Arc<Pulse>,
) -> Result<(Watched, Protocol), Ended> {
    let stream = Box::pin(host.door.accept(stream)).await?;
    let protocol = stream.protocol();
    pulse.greeted(protocol);
    let mut stream = Watched::new(stream, Arc::clone(pulse));
    stream.first_head().await?;
    Ok((stream, protocol))
}

fn http1() -> http1::Builder {
    let mut http = http1::Builder::new();
    // The time-outs are those of `Watched`: hyper's own would count the rest between two requests.
    http.header_read_timeout(None).max_buf_size(MAX_HEAD);
    // A client that closes its half after the request, as `nc -N` does, still waits for the answer.
    // That one has gone altogether is for `Watched` to notice.
    http.half_close(true);
    http
}

fn http2(requests: TaskTracker) -> http2::Builder<Tracked> {
    let mut http = http2::Builder::new(Tracked(requests));
    http.max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
        .max_concurrent_streams(MAX_STREAMS)
        .max_send_buf_size(MAX_HEAD);
    http
}

/// Runs a connection; once it is to leave, until the answers under way are sent.
async fn drive<C>(connection: C, pulse: &Pulse, leave: &CancellationToken) -> Result<(), Ended>
where
    C: GracefulConnection<Error = hyper::Error>,
{
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = &mut connection => return Ok(ended?),
        () = leave.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    loop {
        match timeout(FAREWELL, connection.as_mut()).await {
            Ok(ended) => return Ok(ended?),
            Err(_) if pulse.has_rested(FAREWELL) => return Err(Ended::Silent),
            Err(_) => {}
        }
    }
}

/// Runs the requests of HTTP/2 as tasks that the server waits for.
#[derive(Debug, Clone)]
struct Tracked(TaskTracker);

impl<F> Executor<F> for Tracked
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.0.spawn(task);
    }
}
