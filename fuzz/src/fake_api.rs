//! A fake API with given responses.

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ack_client::clock::Clock;
use ack_client::credentials::{Context, Environment, Http, HttpError, Route};
use ack_client::{ResponseFuture, Transport, TransportError};
use ack_upgrade_exporter::collect::{Dependencies, ScrapeMetrics};
use ack_upgrade_exporter::metrics::ExporterMetrics;
use ack_upgrade_exporter::shard::Shard;
use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

use super::with_secrets;

/// Returns its responses in order, then the last one again and again. Without any it is silent.
#[derive(Debug, Clone)]
pub struct FakeApi {
    responses: Arc<Mutex<Responses>>,
}

#[derive(Debug)]
struct Responses {
    left: std::vec::IntoIter<Response<Bytes>>,
    last: Option<Response<Bytes>>,
}

/// The time at which every target starts.
pub fn start() -> Timestamp {
    Timestamp::constant(1_795_459_769, 0)
}

impl FakeApi {
    /// Parses responses: a line with the status, lines of headers, an empty line, the body. A byte
    /// 0 separates responses.
    pub fn read(input: &[u8]) -> Self {
        let responses: Vec<_> = input
            .split(|byte| *byte == 0)
            .take(8)
            .map(read_response)
            .collect();
        Self {
            responses: Arc::new(Mutex::new(Responses {
                left: responses.into_iter(),
                last: None,
            })),
        }
    }

    /// An API that never responds.
    pub fn silent() -> Self {
        Self {
            responses: Arc::new(Mutex::new(Responses {
                left: Vec::new().into_iter(),
                last: None,
            })),
        }
    }

    /// The dependencies of a collector that queries this API.
    pub fn dependencies(self, own: &ExporterMetrics) -> Dependencies {
        let clock = Clock::simulated(start());
        Dependencies {
            clock,
            transports: Arc::new(self),
            shard: Shard::default(),
            credentials: Context::offline(clock),
            metrics: Arc::new(own.clone()) as Arc<dyn ScrapeMetrics>,
        }
    }

    /// The context of a credential provider that queries this API.
    pub fn context(self) -> Context {
        let environment = Environment::from_iter([]);
        let clock = Clock::simulated(start());
        Context {
            environment,
            http: Arc::new(self),
            ..Context::offline(clock)
        }
    }

    async fn respond(&self) -> Response<Bytes> {
        let response = {
            let mut responses = self.responses.lock().expect("nobody panics here");
            let next = responses.left.next().or_else(|| responses.last.clone());
            responses.last.clone_from(&next);
            next
        };
        // As over a network, no response comes at once.
        tokio::time::sleep(Duration::from_millis(10)).await;
        match response {
            Some(response) => response,
            None => std::future::pending().await,
        }
    }
}

impl Transport for FakeApi {
    fn send(&self, _: Request<Bytes>) -> ResponseFuture<'_> {
        Box::pin(async move { Ok::<_, TransportError>(self.respond().await) })
    }
}

impl Http for FakeApi {
    fn send(
        &self,
        _: Route,
        _: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + '_>> {
        Box::pin(async move {
            tokio::time::timeout(Duration::from_secs(10), self.respond())
                .await
                .map_err(|_| HttpError::Timeout)
        })
    }
}

fn read_response(input: &[u8]) -> Response<Bytes> {
    let (head, body) = match input.windows(2).position(|pair| pair == b"\n\n") {
        Some(end) => (&input[..end], &input[end + 2..]),
        None => (b"200".as_slice(), input),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let status = lines
        .next()
        .and_then(|line| std::str::from_utf8(line).ok()?.parse().ok());
    let mut response = Response::builder().status(
        status
            .filter(|status| (200..600).contains(status))
            .unwrap_or(200_u16),
    );
    for (name, value) in lines.filter_map(header) {
        response = response.header(name, value);
    }
    response
        .body(Bytes::from(with_secrets(body)))
        .expect("only legal parts")
}

/// Parses a header, if `line` is a legal one.
pub fn header(line: &[u8]) -> Option<(http::HeaderName, http::HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = http::HeaderName::from_bytes(&line[..colon]).ok()?;
    let value =
        http::HeaderValue::from_bytes(&with_secrets(line[colon + 1..].trim_ascii())).ok()?;
    Some((name, value))
}
