//! The routes of the exporter. The `match` in [`respond`](AppState::respond) is their table.

use std::sync::Arc;
use std::time::Duration;

use ack_client::clock::Clock;
use ack_client::{Trace, TransportFactory};
use bytes::Bytes;
use exporter_toolkit::web::encode::encode;
use exporter_toolkit::web::guard::Auth;
use exporter_toolkit::web::negotiate::{self, Encoding};
use exporter_toolkit::web::{Application, draining};
use http::header::{
    ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, LOCATION, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::lifecycle::Lifecycle;
use super::pages::{PageKind, Pages};
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

/// The longest wait of a client for a reload.
const RELOAD_TIMEOUT: Duration = Duration::from_secs(10);

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// The state that the routes share.
#[derive(Debug)]
pub struct AppState {
    /// The configuration in force, and its collector.
    pub running: watch::Receiver<Arc<ActiveConfig>>,
    /// The exporter's own instruments.
    pub exporter_metrics: Arc<ExporterMetrics>,
    /// The paths of the pages, for links.
    pub paths: Paths,
    /// The prefix that proxies leave before the path of every request. Of the same form as
    /// [`Paths::prefix`].
    pub prefix: String,
    /// The files that clients may have reloaded; None if they may not.
    pub lifecycle: Option<Arc<Lifecycle>>,
    /// The clock for the age of a page's numbers.
    pub clock: Clock,
    /// The pages that are being rendered or sent.
    pub pages: Pages,
    /// The connections to the API.
    pub transports: Arc<dyn TransportFactory>,
    /// Cancelled when the server begins to stop.
    pub stop: CancellationToken,
}

impl Application for AppState {
    /// Responds to one request. Only GET of the metrics and of a probe calls the API.
    async fn respond(&self, request: &Parts) -> Response<Bytes> {
        let whole = request.uri.path();
        let Some(path) = whole.strip_prefix(&self.prefix) else {
            return if whole == "/" {
                self.redirect_to_prefix()
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

    fn release_descriptors(&self) {
        self.transports.close_idle();
    }
}

impl AppState {
    async fn metrics(&self, request: &Parts) -> Response<Bytes> {
        if request.method == Method::HEAD {
            // A request for the head alone is not worth a call to the API.
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
        let own = Arc::clone(&self.exporter_metrics);
        let render = move |snapshot: &Snapshot| {
            let page = metrics::render(snapshot, &own, &running.config.metrics, format);
            encode(page, encoding)
        };
        let kind = PageKind::Metrics(format, encoding);
        match self.pages.shared(kind, snapshot, render).await {
            Ok(written) => encoded(format.content_type(), written),
            Err(_) => render_failed(),
        }
    }

    /// Queries one configured cluster, and never another: a probe uses the exporter's credentials.
    async fn probe(&self, request: &Parts) -> Response<Bytes> {
        let running = Arc::clone(&self.running.borrow());
        let began = Instant::now();
        let deadline = deadline(request, &running.config.scrape);
        let query = match probe::ProbeQuery::parse(request.uri.query()) {
            Ok(query) => query,
            Err(message) => return text(StatusCode::BAD_REQUEST, message),
        };
        if request.method == Method::HEAD {
            return probe_head(&query, &running, request);
        }
        let trace = (query.detail == probe::Detail::Exchange).then(Trace::default);
        let Some(reading) = running
            .collector
            .probe(&query.target, deadline, trace.as_ref())
            .await
        else {
            return unknown_cluster();
        };
        if let Some(trace) = trace {
            return exchange(probe::exchange(&reading, &trace, began.elapsed()));
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

    /// The clusters for Prometheus' service discovery. While a list is unread it gets an error, so
    /// that it keeps the targets that it has.
    async fn targets(&self) -> Response<Bytes> {
        let collector = Arc::clone(&self.running.borrow().collector);
        let clusters = match collector.targets().await {
            Ok(clusters) => clusters,
            Err(unread) => {
                return typed(StatusCode::SERVICE_UNAVAILABLE, TEXT, sd::unread(&unread));
            }
        };
        let count = clusters.len();
        let written = self.pages.own(count, move || sd::targets(&clusters)).await;
        written.map_or_else(
            |_| render_failed(),
            |targets| typed(StatusCode::OK, JSON, targets),
        )
    }

    async fn clusters(&self) -> Response<Bytes> {
        let now = self.clock.now();
        let Some(latest) = self.running.borrow().collector.latest() else {
            return typed(StatusCode::OK, JSON, json::clusters(None, now));
        };
        let render = move |snapshot: &Snapshot| {
            let list = json::clusters(Some(snapshot), now);
            (Bytes::from(list), Encoding::Identity)
        };
        match self.pages.shared(PageKind::Clusters, latest, render).await {
            Ok((list, _)) => typed(StatusCode::OK, JSON, list),
            Err(_) => render_failed(),
        }
    }

    async fn reload(&self, method: &Method) -> Response<Bytes> {
        let Some(lifecycle) = &self.lifecycle else {
            // RFC 9110, 10.2.1: an empty Allow for a resource that the configuration disables.
            return not_allowed("");
        };
        if !matches!(*method, Method::POST | Method::PUT) {
            return not_allowed("POST, PUT");
        }
        // Neither the client nor the shutdown waits for a file system that hangs.
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

    /// The configuration in force, defaults included.
    fn config(&self) -> Response<Bytes> {
        typed(StatusCode::OK, TEXT, self.running.borrow().config.to_yaml())
    }

    /// Redirects clients that forgot the prefix, as Prometheus does.
    fn redirect_to_prefix(&self) -> Response<Bytes> {
        let mut response = text(StatusCode::FOUND, "");
        if let Ok(location) = HeaderValue::from_str(&format!("{}/", self.prefix)) {
            response.headers_mut().insert(LOCATION, location);
        }
        response
    }

    async fn status_page(&self, request: &Parts) -> Response<Bytes> {
        let latest = self.running.borrow().collector.latest();
        let count = count(latest.as_deref());
        let language = negotiate::language(&request.headers, PageQuery::LANGUAGES);
        let (query, paths, now) = (
            PageQuery::parse(request.uri.query(), language),
            self.paths.clone(),
            self.clock.now(),
        );
        let write = move || status_page::page(latest.as_deref(), now, &query, &paths);
        let page = match self.pages.own(count, write).await {
            Ok(Ok(page)) => page,
            Ok(Err(error)) => {
                tracing::error!(%error, "status page not rendered");
                return render_failed();
            }
            Err(_panicked) => return render_failed(),
        };
        let mut response = typed(StatusCode::OK, "text/html; charset=utf-8", page);
        response.headers_mut().extend(status_page::headers());
        response
    }
}

/// Responds to HEAD of a probe without a call to the API, as for the metrics.
fn probe_head(
    query: &probe::ProbeQuery,
    running: &ActiveConfig,
    request: &Parts,
) -> Response<Bytes> {
    if !running.collector.knows(&query.target) {
        return unknown_cluster();
    }
    match query.detail {
        probe::Detail::Exchange => exchange(String::new()),
        probe::Detail::Metrics => with_negotiation(typed(
            StatusCode::OK,
            negotiate::format(&request.headers).content_type(),
            Bytes::new(),
        )),
    }
}

/// The exchange of a probe. It contains text of the API, which no browser must take for a page.
fn exchange(text: String) -> Response<Bytes> {
    let mut response = typed(StatusCode::OK, TEXT, text);
    response
        .headers_mut()
        .insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The number of clusters of a page.
fn count(snapshot: Option<&Snapshot>) -> usize {
    snapshot.map_or(0, |snapshot| snapshot.clusters.len())
}

fn render_failed() -> Response<Bytes> {
    text(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the page could not be written; please report this\n",
    )
}

fn unknown_cluster() -> Response<Bytes> {
    text(
        StatusCode::NOT_FOUND,
        "no such cluster is configured here\n",
    )
}

fn not_found() -> Response<Bytes> {
    text(StatusCode::NOT_FOUND, "not found\n")
}

fn not_allowed(allowed: &'static str) -> Response<Bytes> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// The time at which the budget of the request ends, a little before its client gives up.
fn deadline(request: &Parts, settings: &Scrape) -> Instant {
    let header = request
        .headers
        .get("x-prometheus-scrape-timeout-seconds")
        .and_then(|value| value.to_str().ok());
    Instant::now() + collect::budget(header, settings)
}

fn encoded(content_type: &'static str, (body, encoding): (Bytes, Encoding)) -> Response<Bytes> {
    let mut response = typed(StatusCode::OK, content_type, body);
    if let Some(encoding) = encoding.header() {
        response
            .headers_mut()
            .insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    with_negotiation(response)
}

fn with_negotiation(mut response: Response<Bytes>) -> Response<Bytes> {
    response
        .headers_mut()
        .insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    response
}

fn text(status: StatusCode, body: &'static str) -> Response<Bytes> {
    typed(status, TEXT, body)
}

fn typed(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
