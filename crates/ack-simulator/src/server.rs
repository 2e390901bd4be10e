//! The simulator on a socket.

mod body;
mod stream;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::body::OutgoingBody;
use self::stream::ResettableStream;
use crate::Simulator;
use crate::response::{Delivery, Framing, HUGE, Response};

/// The largest body of a request, in bytes.
const MAX_REQUEST_BODY: usize = 1 << 20;

/// Wait after a failed accept; the process is probably out of file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(20);

impl Simulator {
    /// Serves HTTP/1.1 on `listener` until `stop`, then drops every connection.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: CancellationToken) {
        let connections = TaskTracker::new();
        while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(ACCEPT_RETRY).await;
                continue;
            };
            let (simulator, stop) = (Arc::clone(&self), stop.clone());
            connections.spawn(async move {
                stop.run_until_cancelled(simulator.serve_connection(stream))
                    .await
            });
        }
        connections.close();
        connections.wait().await;
    }

    async fn serve_connection(self: Arc<Self>, stream: TcpStream) {
        let reset = Arc::new(AtomicBool::new(false));
        let Ok(stream) = ResettableStream::new(stream, Arc::clone(&reset)) else {
            return;
        };
        let service = service_fn(move |request| {
            let (simulator, reset) = (Arc::clone(&self), Arc::clone(&reset));
            async move { simulator.serve_request(request, &reset).await }
        });
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service)
            .await;
        // Half of the faults end a connection in an error, so it says nothing.
        drop(served);
    }

    async fn serve_request(
        &self,
        request: Request<Incoming>,
        reset: &AtomicBool,
    ) -> io::Result<http::Response<OutgoingBody>> {
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, MAX_REQUEST_BODY).collect().await else {
            return Ok(payload_too_large());
        };
        let request = Request::from_parts(parts, body.to_bytes());
        let response = self.handle(request).await;
        if response.delivery == Delivery::Reset {
            reset.store(true, Ordering::Relaxed);
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(deliver(response).await)
    }
}

/// The response for hyper, according to its delivery.
async fn deliver(response: Response) -> http::Response<OutgoingBody> {
    let delivery = response.delivery;
    let body = response.body.clone();
    let length = body.len() as u64;
    let response = response.into_http();
    match delivery {
        Delivery::Complete => response.map(OutgoingBody::complete),
        Delivery::Hang | Delivery::Reset => std::future::pending().await,
        Delivery::Truncated => {
            let beginning = body.slice(..body.len() / 2);
            // At least two bytes, so that even an empty body is truncated.
            with_length(response, length.max(2)).map(|_| OutgoingBody::truncated(beginning))
        }
        Delivery::Huge(Framing::Length) => {
            with_length(response, HUGE).map(|_| OutgoingBody::spaces(HUGE))
        }
        Delivery::Huge(Framing::Chunked) => response.map(|_| OutgoingBody::spaces(HUGE)),
        Delivery::Drip(interval) => {
            with_length(response, length).map(|body| OutgoingBody::drip(body, interval))
        }
    }
}

fn with_length(mut response: http::Response<Bytes>, length: u64) -> http::Response<Bytes> {
    response
        .headers_mut()
        .insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

fn payload_too_large() -> http::Response<OutgoingBody> {
    let mut response = http::Response::new(OutgoingBody::complete(Bytes::new()));
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    response
}
