//! The transport to the vendor without a proxy: hyper's pooled client.

use std::error::Error as _;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;

use super::transport::{MAX_REPLY, Sending, Transport, TransportError};

/// The vendor's SDKs allow 5 s; 3 s leave time for a second try in a default scrape.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Longer than a usual scrape interval, so that connections live from scrape to scrape.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// The read buffer, and with it the largest head of a reply, in bytes.
const MAX_HEAD: usize = 64 << 10;

/// Connects straight to the endpoint and keeps the connections; clones share them.
#[derive(Debug, Clone)]
pub struct Direct(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Direct {
    /// A transport that trusts whom `tls` trusts.
    pub fn new(tls: ClientConfig) -> Self {
        let mut http = HttpConnector::new();
        http.set_connect_timeout(Some(CONNECT_TIMEOUT));
        http.set_nodelay(true);
        http.enforce_http(false);
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(http);
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_TIMEOUT).http1_max_buf_size(MAX_HEAD);
        Self(client.build(https))
    }
}

impl Transport for Direct {
    fn send(&self, request: Request<Bytes>) -> Sending<'_> {
        Box::pin(async move {
            let response = self.0.request(request.map(Full::new)).await.map_err(|error| failure(&error))?;
            let (parts, body) = response.into_parts();
            Ok(Response::from_parts(parts, read(body).await?))
        })
    }
}

async fn read(mut body: Incoming) -> Result<Bytes, TransportError> {
    if body.size_hint().lower() > MAX_REPLY as u64 {
        return Err(TransportError::TooLarge);
    }
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| TransportError::Broken(root_cause(&error)))?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.is_empty() && first.is_empty() {
            first = data;
            continue;
        }
        if whole.is_empty() {
            whole.extend_from_slice(&first);
        }
        if whole.len() + data.len() > MAX_REPLY {
            return Err(TransportError::TooLarge);
        }
        whole.extend_from_slice(&data);
    }
    // Nearly every reply is one frame, which is passed on as it is.
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

fn failure(error: &Error) -> TransportError {
    let cause = root_cause(error);
    if !error.is_connect() {
        return TransportError::Broken(cause);
    }
    let timed_out = std::iter::successors(error.source(), |error| (*error).source())
        .filter_map(|error| error.downcast_ref::<std::io::Error>())
        .any(|error| error.kind() == std::io::ErrorKind::TimedOut);
    if timed_out { TransportError::ConnectTimeout } else { TransportError::Connect(cause) }
}

/// The innermost error: the outer ones say no more than that there is one.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
