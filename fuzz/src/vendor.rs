//! A vendor that answers what it is told to.

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

/// Replies, given one after the other; the last one again and again, and none at all where there is
/// none.
#[derive(Debug, Clone)]
pub struct Vendor {
    replies: Arc<Mutex<Replies>>,
}

#[derive(Debug)]
struct Replies {
    left: std::vec::IntoIter<Response<Bytes>>,
    last: Option<Response<Bytes>>,
}

/// When every target takes place.
pub fn start() -> Timestamp {
    Timestamp::constant(1_795_459_769, 0)
}

impl Vendor {
    /// Reads replies: a line with the status, lines of headers, an empty one, the body; between two
    /// replies a byte 0.
    pub fn read(input: &[u8]) -> Self {
        let replies: Vec<_> = input
            .split(|byte| *byte == 0)
            .take(8)
            .map(read_reply)
            .collect();
        Self {
            replies: Arc::new(Mutex::new(Replies {
                left: replies.into_iter(),
                last: None,
            })),
        }
    }

    /// A vendor that never answers.
    pub fn silent() -> Self {
        Self {
            replies: Arc::new(Mutex::new(Replies {
                left: Vec::new().into_iter(),
                last: None,
            })),
        }
    }

    /// The world of a collector that asks this vendor.
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

    /// The world of a provider of credentials that asks this vendor.
    pub fn context(self) -> Context {
        let environment = Environment::from_iter([]);
        let clock = Clock::simulated(start());
        Context {
            environment,
            http: Arc::new(self),
            ..Context::offline(clock)
        }
    }

    async fn answer(&self) -> Response<Bytes> {
        let reply = {
            let mut replies = self.replies.lock().expect("nobody panics here");
            let next = replies.left.next().or_else(|| replies.last.clone());
            replies.last.clone_from(&next);
            next
        };
        // As over a wire, nothing comes at once.
        tokio::time::sleep(Duration::from_millis(10)).await;
        match reply {
            Some(reply) => reply,
            None => std::future::pending().await,
        }
    }
}

impl Transport for Vendor {
    fn send(&self, _: Request<Bytes>) -> ResponseFuture<'_> {
        Box::pin(async move { Ok::<_, TransportError>(self.answer().await) })
    }
}

impl Http for Vendor {
    fn send(
        &self,
        _: Route,
        _: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + '_>> {
        Box::pin(async move {
            tokio::time::timeout(Duration::from_secs(10), self.answer())
                .await
                .map_err(|_| HttpError::Timeout)
        })
    }
}

fn read_reply(input: &[u8]) -> Response<Bytes> {
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

/// A header, if `line` is a legal one.
pub fn header(line: &[u8]) -> Option<(http::HeaderName, http::HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = http::HeaderName::from_bytes(&line[..colon]).ok()?;
    let value =
        http::HeaderValue::from_bytes(&with_secrets(line[colon + 1..].trim_ascii())).ok()?;
    Some((name, value))
}
