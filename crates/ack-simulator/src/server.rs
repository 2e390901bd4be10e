//! The stand-in on a socket.

mod body;
mod stream;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::body::Played;
use self::stream::Socket;
use crate::Sim;
use crate::response::{Framing, HUGE, Manner, Reply};

/// The largest request body that is read.
const MAX_REQUEST: usize = 1 << 20;

impl Sim {
    /// Answers on `listener` over HTTP/1.1 until `stop`, then drops every connection.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: CancellationToken) {
        let connections = TaskTracker::new();
        while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
            match accepted {
                Ok((stream, _)) => {
                    let (sim, stop) = (Arc::clone(&self), stop.clone());
                    connections
                        .spawn(async move { stop.run_until_cancelled(sim.converse(stream)).await });
                }
                // Out of descriptors, most likely: some may be free again in a moment.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        connections.close();
        connections.wait().await;
    }

    /// One connection from beginning to end.
    async fn converse(self: Arc<Self>, stream: TcpStream) {
        let reset = Arc::new(AtomicBool::new(false));
        let Ok(socket) = Socket::new(stream, Arc::clone(&reset)) else {
            return;
        };
        let service = service_fn(move |request| {
            let (sim, reset) = (Arc::clone(&self), Arc::clone(&reset));
            async move { sim.respond(request, &reset).await }
        });
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(socket), service)
            .await;
        // A connection that ends in an error is what half of the faults are about.
        drop(served);
    }

    async fn respond(
        &self,
        request: Request<Incoming>,
        reset: &AtomicBool,
    ) -> io::Result<Response<Played>> {
        let (parts, body) = request.into_parts();
        let body = match Limited::new(body, MAX_REQUEST).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => return Ok(too_large()),
        };
        let reply = self.handle(Request::from_parts(parts, body)).await;
        if reply.manner == Manner::Reset {
            reset.store(true, Ordering::Relaxed);
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(play(reply).await)
    }
}

/// The reply as hyper is to send it.
async fn play(reply: Reply) -> Response<Played> {
    let (manner, full) = (reply.manner, reply.body.clone());
    let claim = |mut response: Response<Bytes>, length: u64| {
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(length));
        response
    };
    let length = full.len() as u64;
    let response = reply.into_response();
    match manner {
        Manner::Whole => response.map(Played::whole),
        Manner::Hang | Manner::Reset => std::future::pending().await,
        Manner::Truncated => {
            claim(response, length.max(2)).map(|_| Played::cut(full.slice(..full.len() / 2)))
        }
        Manner::Huge(Framing::Length) => claim(response, HUGE).map(|_| Played::endless(HUGE)),
        Manner::Huge(Framing::Chunked) => response.map(|_| Played::endless(HUGE)),
        Manner::Drip(interval) => claim(response, length).map(|body| Played::drip(body, interval)),
    }
}

fn too_large() -> Response<Played> {
    let mut response = Response::new(Played::whole(Bytes::new()));
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    response
}
