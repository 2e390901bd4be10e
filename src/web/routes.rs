//! What each path answers. The `match` in [`respond`](AppState::respond) is the route table.

use std::sync::Arc;
use std::time::Duration;

use ack_client::Trace;
use ack_client::clock::Clock;
use bytes::Bytes;
use exporter_toolkit::web::encode::encode;
use exporter_toolkit::web::guard::Auth;
use exporter_toolkit::web::negotiate::{self, Encoding};
use exporter_toolkit::web::{Application, RenderPool, draining};
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, LOCATION, VARY};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::lifecycle::Lifecycle;
use super::paths::Paths;
use super::status_page::{self, PageQuery};
use super::{json, probe, sd};
use crate::collect;
use crate::config::Scrape;
use crate::metrics::{self, ExporterMetrics};
use crate::reload::ActiveConfig;
use crate::snapshot::Snapshot;

const HEALTHY: &str = "/-/healthy";
const READY: &str = "/-/ready";
const RELOAD: &str = "/-/reload";

/// How long a client waits for a reload.
const RELOAD_TIMEOUT: Duration = Duration::from_secs(10);

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// All that the routes answer from.
#[derive(Debug)]
pub struct AppState {
    /// What is configured now.
    pub running: watch::Receiver<Arc<ActiveConfig>>,
    /// The exporter's own instruments.
    pub own: Arc<ExporterMetrics>,
    /// Where things are.
    pub paths: Paths,
    /// Before every path of a request: what is left of clients' paths by proxies. Of the same form
    /// as [`Paths::prefix`].
    pub prefix: String,
    /// What a client may reload, if it may.
    pub lifecycle: Option<Arc<Lifecycle>>,
    /// Tells a page how old its numbers are.
    pub clock: Clock,
    /// Who writes large pages.
    pub render_pool: RenderPool,
    /// Cancelled when the server is going to stop.
    pub stop: CancellationToken,
}

type Answer = Response<Bytes>;

impl Application for AppState {
    /// Answers one request. Only GET of the metrics and of a probe asks the vendor.
    async fn respond(&self, request: &Parts) -> Answer {
        let whole = request.uri.path();
        let Some(path) = whole.strip_prefix(&self.prefix) else {
            return if whole == "/" {
                self.to_the_prefix()
            } else {
                not_found()
            };
        };
        if path == RELOAD {
            return self.reload(&request.method).await;
        }
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return not_allowed("GET, HEAD");
        }
        match path {
            path if path == self.paths.telemetry => self.metrics(request).await,
            "/" | "" => self.status_page(request).await,
            "/probe" => self.probe(request).await,
            "/sd" => self.targets().await,
            "/api/v1/clusters" => self.clusters().await,
            HEALTHY => text(StatusCode::OK, "healthy\n"),
            READY if self.stop.is_cancelled() => draining(),
            READY => text(StatusCode::OK, "ready\n"),
            "/config" => self.config(),
            _ => not_found(),
        }
    }

    fn auth(&self, path: &str) -> Auth {
        match path.strip_prefix(&self.prefix) {
            Some(HEALTHY | READY) => Auth::None,
            _ => Auth::Required,
        }
    }

    fn is_reload(&self, path: &str) -> bool {
        path.strip_prefix(&self.prefix) == Some(RELOAD)
    }
}

impl AppState {
    async fn metrics(&self, request: &Parts) -> Answer {
        if request.method == Method::HEAD {
            // Whoever wants the head alone is not worth a call to the vendor.
            return with_negotiation(typed(
                StatusCode::OK,
                negotiate::format(&request.headers).content_type(),
                Bytes::new(),
            ));
        }
        let running = Arc::clone(&self.running.borrow());
        let deadline = deadline(request, &running.config.scrape);
        let snapshot = running.collector.collect(deadline).await;
        let (format, encoding) = (
            negotiate::format(&request.headers),
            negotiate::encoding(&request.headers),
        );
        let (clusters, own) = (snapshot.clusters.len(), Arc::clone(&self.own));
        let write = move || {
            encode(
                metrics::render(&snapshot, &own, &running.config.metrics, format),
                encoding,
            )
        };
        match self.render_pool.render(clusters, write).await {
            Ok(written) => encoded(format.content_type(), written),
            Err(_) => unwritten(),
        }
    }

    /// One configured cluster, and never another: a probe is made with the exporter's credentials.
    async fn probe(&self, request: &Parts) -> Answer {
        let running = Arc::clone(&self.running.borrow());
        let began = Instant::now();
        let deadline = deadline(request, &running.config.scrape);
        let question = match probe::Question::parse(request.uri.query()) {
            Ok(question) => question,
            Err(complaint) => return text(StatusCode::BAD_REQUEST, complaint),
        };
        if request.method == Method::HEAD {
            return probe_head(&question, &running, request);
        }
        let trace = (question.detail == probe::Detail::Exchange).then(Trace::default);
        let Some(reading) = running
            .collector
            .probe(&question.target, deadline, trace.as_ref())
            .await
        else {
            return unknown_cluster();
        };
        if let Some(trace) = trace {
            return typed(
                StatusCode::OK,
                TEXT,
                probe::exchange(&reading, &trace, began.elapsed()),
            );
        }
        let (format, encoding) = (
            negotiate::format(&request.headers),
            negotiate::encoding(&request.headers),
        );
        encoded(
            format.content_type(),
            encode(
                metrics::render_probe(&reading, began.elapsed(), &running.config.metrics, format),
                encoding,
            ),
        )
    }

    /// The clusters as Prometheus' service discovery wants them; an error while they are not known,
    /// so that it keeps its own.
    async fn targets(&self) -> Answer {
        let collector = Arc::clone(&self.running.borrow().collector);
        let clusters = match collector.targets().await {
            Ok(clusters) => clusters,
            Err(unread) => {
                return typed(StatusCode::SERVICE_UNAVAILABLE, TEXT, sd::unread(&unread));
            }
        };
        let written = self
            .render_pool
            .render(clusters.len(), move || sd::targets(&clusters))
            .await;
        written.map_or_else(
            |_| unwritten(),
            |targets| typed(StatusCode::OK, JSON, targets),
        )
    }

    async fn clusters(&self) -> Answer {
        let latest = self.running.borrow().collector.latest();
        let (count, now) = (count(latest.as_deref()), self.clock.now());
        let written = self
            .render_pool
            .render(count, move || json::clusters(latest.as_deref(), now))
            .await;
        written.map_or_else(
            |_| unwritten(),
            |clusters| typed(StatusCode::OK, JSON, clusters),
        )
    }

    async fn reload(&self, method: &Method) -> Answer {
        let Some(lifecycle) = &self.lifecycle else {
            // RFC 9110, 10.2.1: an empty Allow is for what the configuration has switched off.
            return not_allowed("");
        };
        if !matches!(*method, Method::POST | Method::PUT) {
            return not_allowed("POST, PUT");
        }
        // Neither the client nor the end waits for a file system that hangs.
        match self
            .stop
            .run_until_cancelled(timeout(RELOAD_TIMEOUT, lifecycle.reload()))
            .await
        {
            None => draining(),
            Some(Err(_)) => text(
                StatusCode::SERVICE_UNAVAILABLE,
                "a reload is under way and does not end; a file may hang\n",
            ),
            Some(Ok(Ok(()))) => text(StatusCode::OK, "reloaded\n"),
            Some(Ok(Err(error))) => {
                typed(StatusCode::INTERNAL_SERVER_ERROR, TEXT, error.to_string())
            }
        }
    }

    /// The configuration that is in force, with what it leaves to the defaults.
    fn config(&self) -> Answer {
        typed(StatusCode::OK, TEXT, self.running.borrow().config.to_yaml())
    }

    /// As Prometheus does for those who forget the prefix.
    fn to_the_prefix(&self) -> Answer {
        let mut answer = text(StatusCode::FOUND, "");
        if let Ok(place) = HeaderValue::from_str(&format!("{}/", self.prefix)) {
            answer.headers_mut().insert(LOCATION, place);
        }
        answer
    }

    async fn status_page(&self, request: &Parts) -> Answer {
        let latest = self.running.borrow().collector.latest();
        let count = count(latest.as_deref());
        let (query, paths, now) = (
            PageQuery::parse(request.uri.query()),
            self.paths.clone(),
            self.clock.now(),
        );
        let write = move || status_page::page(latest.as_deref(), now, &query, &paths);
        let page = match self.render_pool.render(count, write).await {
            Ok(Ok(page)) => page,
            Ok(Err(error)) => {
                tracing::error!(%error, "status page not rendered");
                return unwritten();
            }
            Err(_panicked) => return unwritten(),
        };
        let mut answer = typed(StatusCode::OK, "text/html; charset=utf-8", page);
        answer.headers_mut().extend(status_page::headers());
        answer
    }
}

/// The head of a probe's answer, which asks nobody, as that of the metrics does not.
fn probe_head(question: &probe::Question, running: &ActiveConfig, request: &Parts) -> Answer {
    if !running.collector.knows(&question.target) {
        return unknown_cluster();
    }
    match question.detail {
        probe::Detail::Exchange => text(StatusCode::OK, ""),
        probe::Detail::Metrics => with_negotiation(typed(
            StatusCode::OK,
            negotiate::format(&request.headers).content_type(),
            Bytes::new(),
        )),
    }
}

/// The clusters that a page is about.
fn count(snapshot: Option<&Snapshot>) -> usize {
    snapshot.map_or(0, |snapshot| snapshot.clusters.len())
}

fn unwritten() -> Answer {
    text(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the page could not be written; please report this\n",
    )
}

fn unknown_cluster() -> Answer {
    text(
        StatusCode::NOT_FOUND,
        "no such cluster is configured here\n",
    )
}

fn not_found() -> Answer {
    text(StatusCode::NOT_FOUND, "not found\n")
}

fn not_allowed(allowed: &'static str) -> Answer {
    let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
    answer
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}

/// When the client gives up, or a little before.
fn deadline(request: &Parts, settings: &Scrape) -> Instant {
    let header = request
        .headers
        .get("x-prometheus-scrape-timeout-seconds")
        .and_then(|value| value.to_str().ok());
    Instant::now() + collect::budget(header, settings)
}

fn encoded(content_type: &'static str, (body, encoding): (Bytes, Encoding)) -> Answer {
    let mut answer = typed(StatusCode::OK, content_type, body);
    if let Some(encoding) = encoding.header() {
        answer
            .headers_mut()
            .insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    with_negotiation(answer)
}

fn with_negotiation(mut answer: Answer) -> Answer {
    answer
        .headers_mut()
        .insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    answer
}

fn text(status: StatusCode, body: &'static str) -> Answer {
    typed(status, TEXT, body)
}

fn typed(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
