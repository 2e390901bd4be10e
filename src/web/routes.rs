//! What each path answers. The `match` in [`Site::respond`] is the route table.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, VARY};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::encode::encode;
use super::landing::{self, View};
use super::negotiate;
use super::paths::Paths;
use crate::clock::Clock;
use crate::collect;
use crate::metrics::{self, Own};
use crate::service::Running;

/// Clusters from which on a page is written apart from the connections.
const LARGE: usize = 500;

/// All that the routes answer from.
#[derive(Debug)]
pub struct Site {
    /// What is configured now.
    pub running: watch::Receiver<Arc<Running>>,
    /// The exporter's own instruments.
    pub own: Arc<Own>,
    /// Where things are.
    pub paths: Paths,
    /// Tells a page how old its numbers are.
    pub clock: Clock,
    /// Cancelled when the server is going to stop.
    pub stop: CancellationToken,
}

type Answer = Response<Full<Bytes>>;

impl Site {
    /// Answers one request. Nothing but the metrics asks the vendor.
    pub async fn respond(&self, request: &Parts) -> Answer {
        let Some(path) = request.uri.path().strip_prefix(&self.paths.prefix) else {
            return text(StatusCode::NOT_FOUND, "not found\n");
        };
        if !matches!(request.method, Method::GET | Method::HEAD) {
            let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        match path {
            path if path == self.paths.telemetry => self.metrics(request).await,
            "/" | "" => self.landing(request),
            "/-/healthy" => text(StatusCode::OK, "healthy\n"),
            "/-/ready" if self.stop.is_cancelled() => text(StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
            "/-/ready" => text(StatusCode::OK, "ready\n"),
            _ => text(StatusCode::NOT_FOUND, "not found\n"),
        }
    }

    async fn metrics(&self, request: &Parts) -> Answer {
        let arrived = Instant::now();
        let running = Arc::clone(&self.running.borrow());
        let header = request.headers.get("x-prometheus-scrape-timeout-seconds").and_then(|value| value.to_str().ok());
        let deadline = arrived + collect::budget(header, &running.config.scrape);
        let snapshot = running.collector.collect(deadline).await;
        let (format, encoding) = (negotiate::format(&request.headers), negotiate::encoding(&request.headers));
        let is_large = snapshot.clusters.len() > LARGE;
        let own = Arc::clone(&self.own);
        let write = move || encode(metrics::render(&snapshot, &own, &running.config.metrics, format), encoding);
        // A large page takes tens of milliseconds, in which other connections would wait.
        let written = if is_large { spawn_blocking(write).await } else { Ok(write()) };
        let Ok((body, encoding)) = written else {
            return text(StatusCode::INTERNAL_SERVER_ERROR, "the page could not be written; please report this\n");
        };
        let mut answer = typed(StatusCode::OK, format.content_type(), body);
        if let Some(encoding) = encoding.header() {
            answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        answer.headers_mut().insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
        answer
    }

    fn landing(&self, request: &Parts) -> Answer {
        let running = Arc::clone(&self.running.borrow());
        let view = View::parse(request.uri.query());
        let page = landing::page(running.collector.latest().as_deref(), self.clock.now(), &view, &self.paths);
        let mut answer = typed(StatusCode::OK, "text/html; charset=utf-8", page);
        answer.headers_mut().extend(landing::headers());
        answer
    }
}

fn text(status: StatusCode, body: &'static str) -> Answer {
    typed(status, "text/plain; charset=utf-8", body)
}

fn typed(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
