//! The transport to the vendor without a proxy: hyper's connections, kept from call to call.
//!
//! hyper-util's pooled client does the same and more. The little that is needed here (no HTTP/2, no racing of connections,
//! no request without a host) costs a tenth less of a whole scrape.

use std::error::Error;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::ClientConfig;
use tower_service::Service as _;

use super::idle::{Idle, Origin};
use super::transport::{Sending, Transport, TransportError};
use crate::lookup::Lookup;
use crate::outgoing::{MAX_REPLY, root_cause};

/// The vendor's SDKs allow 5 s; 3 s leave time for a second try in a default scrape.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The read buffer, and with it the largest head of a reply, in bytes.
const MAX_HEAD: usize = 64 << 10;

/// Connects straight to the endpoint and keeps the connections; clones share them.
#[derive(Debug, Clone)]
pub struct Direct {
    connector: HttpsConnector<HttpConnector<Lookup>>,
    idle: Idle,
}

impl Direct {
    /// A transport that trusts whom `tls` trusts and asks `lookup` for names.
    pub fn new(tls: ClientConfig, lookup: Lookup) -> Self {
        let mut http = HttpConnector::new_with_resolver(lookup);
        http.set_connect_timeout(Some(CONNECT_TIMEOUT));
        http.set_nodelay(true);
        http.enforce_http(false);
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(http);
        Self { connector, idle: Idle::default() }
    }

    /// Sends `request` on a connection that is there, or else on a new one.
    async fn exchange(
        &self,
        origin: &Origin,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(SendRequest<Full<Bytes>>, Response<Incoming>), TransportError> {
        while let Some(mut connection) = self.idle.take(origin) {
            if connection.ready().await.is_err() {
                continue;
            }
            match connection.try_send_request(request).await {
                Ok(response) => return Ok((connection, response)),
                // The other side had closed it, and nothing of the request went out.
                Err(mut refused) => match refused.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(TransportError::Broken(root_cause(refused.error()))),
                },
            }
        }
        let mut connection = self.connect(origin).await?;
        let response = connection.send_request(request).await.map_err(|error| TransportError::Broken(root_cause(&error)))?;
        Ok((connection, response))
    }

    async fn connect(&self, origin: &Origin) -> Result<SendRequest<Full<Bytes>>, TransportError> {
        // It opens connections without waiting for anything, so it is always ready.
        let stream = self.connector.clone().call(origin.uri()).await.map_err(|error| unconnected(&*error))?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .handshake(stream)
            .await
            .map_err(|error| TransportError::Connect(root_cause(&error)))?;
        // Ends when either side closes the connection; ours does so by dropping the sender.
        tokio::spawn(connection);
        Ok(sender)
    }
}

impl Transport for Direct {
    fn send(&self, request: Request<Bytes>) -> Sending<'_> {
        Box::pin(async move {
            let (origin, request) = addressed(request)?;
            let (connection, response) = self.exchange(&origin, request).await?;
            let (parts, body) = response.into_parts();
            let response = Response::from_parts(parts, read(body).await?);
            self.idle.put(origin, connection);
            Ok(response)
        })
    }
}

/// The server of `request`, and the request as it is on the wire: with the path alone.
fn addressed(request: Request<Bytes>) -> Result<(Origin, Request<Full<Bytes>>), TransportError> {
    let mut request = request.map(Full::new);
    let uri = std::mem::take(request.uri_mut()).into_parts();
    let (Some(scheme), Some(authority)) = (uri.scheme, uri.authority) else {
        return Err(TransportError::Connect("the request names no server".to_owned()));
    };
    if let Some(target) = uri.path_and_query {
        *request.uri_mut() = Uri::from(target);
    }
    Ok((Origin { scheme, authority }, request))
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

/// Why there is no connection.
fn unconnected(error: &(dyn Error + 'static)) -> TransportError {
    let timed_out = std::iter::successors(Some(error), |error| (*error).source())
        .filter_map(|error| error.downcast_ref::<std::io::Error>())
        .any(|error| error.kind() == std::io::ErrorKind::TimedOut);
    let cause = root_cause(error);
    if timed_out { TransportError::ConnectTimeout(cause) } else { TransportError::Connect(cause) }
}

#[cfg(test)]
mod tests;
