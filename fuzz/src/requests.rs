//! Requests to the exporter's own server: paths, `/probe` queries, `Accept`, `Accept-Encoding`, the
//! timeout header.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use ack_client::clock::Clock;
use ack_upgrade_exporter::metrics::ExporterMetrics;
use ack_upgrade_exporter::reload::{ConfigManager, ConfigSource};
use ack_upgrade_exporter::web::{AppState, Pages, Paths};
use exporter_toolkit::process::ProcessMetrics;
use exporter_toolkit::web::Application as _;
use http::{HeaderMap, Request, Uri};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::fake_api::{FakeApi, header, start};
use super::{assert_no_secret, paused};
use crate::exposition::{Dialect, Exposition};

const CONFIG: &str = "accounts:
  - name: a
    credentials: {type: access_key, access_key_id: id, access_key_secret: MARKED-key-secret, security_token: MARKED+security/token==}
    source: upgrade_status
    clusters: [{id: c1, region: cn-hangzhou, name: shop}, {id: c2, region: cn-hangzhou}]
";

/// The one response of the API. It is silent from then on, so that both outcomes are on the page.
const RESPONSE: &[u8] = b"200\n\n{\"status\":\"running\",\"upgrade_step\":\"upgrading\"}";

/// The longest time that a client may make the exporter wait.
const LONGEST: Duration = Duration::from_secs(120);

/// Sends any request. The response is legal, in time, and in a format that the client accepts.
pub fn requests(input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let Some((method, target)) = lines.next().and_then(request_line) else {
        return;
    };
    let headers: HeaderMap = lines.filter_map(header).collect();
    paused().block_on(async {
        let own = Arc::new(ExporterMetrics::new(ProcessMetrics::Hidden));
        let api = if headers.contains_key("x-silent") {
            FakeApi::silent()
        } else {
            FakeApi::read(RESPONSE)
        };
        let dependencies = api.dependencies(&own);
        let transports = Arc::clone(&dependencies.transports);
        let service = ConfigManager::start(
            ConfigSource::Text(CONFIG.to_owned()),
            dependencies,
            Arc::clone(&own),
        )
        .expect("a good one");
        let state = AppState {
            running: service.running(),
            exporter_metrics: own,
            paths: Paths {
                prefix: String::new(),
                telemetry: "/metrics".to_owned(),
            },
            prefix: String::new(),
            lifecycle: None,
            clock: Clock::simulated(start()),
            pages: Pages::default(),
            transports,
            stop: CancellationToken::new(),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(target.clone())
            .body(())
            .expect("legal parts");
        *request.headers_mut() = headers.clone();
        let began = Instant::now();
        let answer = state.respond(&request.into_parts().0).await;
        let elapsed = began.elapsed();
        assert!(
            elapsed
                <= limit(&headers)
                    .unwrap_or(Duration::from_secs(10))
                    .min(LONGEST)
                    + Duration::from_millis(2),
            "{elapsed:?}"
        );
        let body = match answer
            .headers()
            .get("content-encoding")
            .map(http::HeaderValue::as_bytes)
        {
            None => answer.body().to_vec(),
            Some(b"gzip") => {
                assert!(
                    names(&headers, "accept-encoding", &["gzip", "*"]),
                    "nobody asked for gzip"
                );
                let mut plain = Vec::new();
                flate2::read::GzDecoder::new(&answer.body()[..])
                    .read_to_end(&mut plain)
                    .expect("gzip");
                plain
            }
            other => panic!("an encoding of its own: {other:?}"),
        };
        assert_no_secret(&String::from_utf8_lossy(&body), "the answer");
        let kind = answer.headers()["content-type"].to_str().expect("ASCII");
        let is_page = answer.status() == 200
            && !body.is_empty()
            && matches!(target.path(), "/metrics" | "/probe");
        if kind.starts_with("application/openmetrics-text") {
            assert!(
                names(&headers, "accept", &["application/openmetrics-text"]),
                "nobody asked for OpenMetrics"
            );
            if is_page {
                Exposition::read(&body, Dialect::OpenMetrics)
                    .unwrap_or_else(|error| panic!("{error}"));
            }
        } else if is_page && !target.query().unwrap_or_default().contains("debug") {
            Exposition::read(&body, Dialect::Text).unwrap_or_else(|error| panic!("{error}"));
        }
        service.stop().await;
    });
}

fn request_line(line: &[u8]) -> Option<(http::Method, Uri)> {
    let space = line.iter().position(|byte| *byte == b' ')?;
    let method = http::Method::from_bytes(&line[..space]).ok()?;
    let target = Uri::try_from(&line[space + 1..]).ok()?;
    Some((method, target))
}

/// The time in the timeout header, if it is legal.
fn limit(headers: &HeaderMap) -> Option<Duration> {
    let text = headers
        .get("x-prometheus-scrape-timeout-seconds")?
        .to_str()
        .ok()?;
    let seconds: f64 = text.trim().parse().ok()?;
    (seconds > 0.0 && seconds.is_finite())
        .then(|| Duration::from_secs_f64(seconds.min(1e6)))
        .filter(|limit| !limit.is_zero())
}

fn names(headers: &HeaderMap, name: &str, words: &[&str]) -> bool {
    let named = |value: &http::HeaderValue| {
        let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        words.iter().any(|word| value.contains(word))
    };
    headers.get_all(name).iter().any(named)
}
