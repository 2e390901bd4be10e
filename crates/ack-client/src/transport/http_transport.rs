//! The transport over the network: HTTP/1.1 by hyper, on pooled connections.
//!
//! hyper-util's pooled client offers more than is needed here (HTTP/2, racing connections,
//! requests without a host), and costs a tenth more CPU time in a whole scrape.

use std::pin::pin;

use bytes::{Bytes, BytesMut};
use http::header::PROXY_AUTHORIZATION;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;

use super::connector::Connector;
use super::interim;
use super::large_responses::{self, LargeResponses};
use super::pool::{ConnectionPool, Origin, PooledConnection, Pools};
use super::{MAX_HEAD, MAX_RESPONSE, ResponseFuture, ResponseLimit, Transport, TransportError};
use crate::lookup::Lookup;
use crate::proxy::Proxies;
use crate::root_cause::root_cause;
use crate::uri::host_and_port;

/// Sends requests directly or through a proxy, and keeps the connections for the next request.
/// Clones share the connections.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    connector: Connector,
    pool: ConnectionPool,
    large_responses: LargeResponses,
}

impl HttpTransport {
    /// A transport without a proxy that uses `tls` for https and resolves names by `lookup`.
    pub fn new(tls: ClientConfig, lookup: Lookup) -> Self {
        Self::with_proxies(Proxies::default(), tls, lookup, Pools::default())
    }

    /// A transport through `proxies`, whose idle connections are those of `pools`.
    pub(super) fn with_proxies(
        proxies: Proxies,
        tls: ClientConfig,
        lookup: Lookup,
        pools: Pools,
    ) -> Self {
        Self {
            connector: Connector::new(tls, lookup, proxies, pools.clone()),
            pool: ConnectionPool::new(pools),
            large_responses: LargeResponses::default(),
        }
    }

    /// Sends `request` on an idle connection or a new one, and reads the response.
    async fn exchange(
        &self,
        origin: &Origin,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(PooledConnection, Response<Bytes>), TransportError> {
        let limit = ResponseLimit::of(&request);
        let too_many_interim = interim::too_many_interim_responses(&mut request);
        let mut too_many_interim = pin!(too_many_interim);
        while let Some(mut connection) = self.pool.take(origin) {
            if connection.sender.ready().await.is_err() {
                continue;
            }
            let guard = self.pool.reuse_guard(origin);
            let sent = tokio::select! {
                biased;
                sent = connection.sender.try_send_request(request) => sent,
                () = &mut too_many_interim => return Err(interim_error(origin)),
            };
            match sent {
                Ok(response) => {
                    let response = self.read(response, limit, origin).await?;
                    guard.responded();
                    return Ok((connection, response));
                }
                // The server had closed the connection, and nothing of the request was sent.
                Err(mut refused) => match refused.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(broken(origin, refused.error())),
                },
            }
        }
        // Boxed, since few calls need a new connection, and the future of every call would be as
        // large as that of connecting.
        let mut connection = Box::pin(self.connect(origin)).await?;
        let response = tokio::select! {
            biased;
            response = connection.sender.send_request(request) => {
                response.map_err(|error| broken(origin, &error))?
            }
            () = too_many_interim => return Err(interim_error(origin)),
        };
        let response = self.read(response, limit, origin).await?;
        Ok((connection, response))
    }

    async fn connect(&self, origin: &Origin) -> Result<PooledConnection, TransportError> {
        let stream = self.connector.open(&origin.uri()).await?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(origin, &error))?;
        // The task ends when either side closes the connection; this side does so by dropping the
        // sender.
        tokio::spawn(connection);
        Ok(self.pool.opened(sender))
    }

    /// Returns the server of `request`, and the request as it is sent: with the path alone, unless
    /// a proxy forwards it.
    fn split_origin(
        &self,
        request: Request<Bytes>,
    ) -> Result<(Origin, Request<Full<Bytes>>), TransportError> {
        let mut request = request.map(Full::new);
        let uri = std::mem::take(request.uri_mut());
        let (Some(scheme), Some(authority)) = (uri.scheme().cloned(), uri.authority().cloned())
        else {
            return Err(TransportError::Connect(
                "cannot connect: the request names no server".to_owned(),
            ));
        };
        if let Some(proxy) = self.connector.forwarding_proxy(&uri) {
            if let Some(authorization) = proxy.authorization() {
                request
                    .headers_mut()
                    .insert(PROXY_AUTHORIZATION, authorization);
            }
            *request.uri_mut() = uri;
        } else if let Some(target) = uri.into_parts().path_and_query {
            *request.uri_mut() = Uri::from(target);
        }
        Ok((Origin { scheme, authority }, request))
    }

    /// Reads the body of `response`, which may be as long as `limit`.
    async fn read(
        &self,
        response: Response<Incoming>,
        ResponseLimit(limit): ResponseLimit,
        origin: &Origin,
    ) -> Result<Response<Bytes>, TransportError> {
        let (parts, mut body) = response.into_parts();
        if body.size_hint().lower() > limit as u64 {
            return Err(TransportError::TooLarge);
        }
        let mut first = Bytes::new();
        let mut whole = BytesMut::new();
        let mut permit = None;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| broken(origin, &error))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if whole.is_empty() && first.is_empty() {
                first = data;
                continue;
            }
            if whole.is_empty() {
                whole.extend_from_slice(&first);
            }
            let length = whole.len() + data.len();
            if length > limit {
                return Err(TransportError::TooLarge);
            }
            if length > MAX_RESPONSE && permit.is_none() {
                permit = Some(self.large_responses.enter().await);
                // All at once: growing step by step would take twice the memory.
                whole.reserve(limit - whole.len());
            }
            whole.extend_from_slice(&data);
        }
        // Nearly every response is one frame, which is passed on without a copy.
        let body = if whole.is_empty() {
            first
        } else {
            whole.freeze()
        };
        let body = match permit {
            Some(permit) => large_responses::counted(body, permit),
            None => body,
        };
        Ok(Response::from_parts(parts, body))
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request<Bytes>) -> ResponseFuture<'_> {
        Box::pin(async move {
            let (origin, request) = self.split_origin(request)?;
            let (connection, response) = self.exchange(&origin, request).await?;
            self.pool.put(origin, connection);
            Ok(response)
        })
    }
}

fn broken(origin: &Origin, error: &hyper::Error) -> TransportError {
    TransportError::Broken(format!(
        "the connection to {} broke: {}",
        host_and_port(&origin.uri()),
        root_cause(error)
    ))
}

fn interim_error(origin: &Origin) -> TransportError {
    TransportError::Broken(format!(
        "{} {}",
        host_and_port(&origin.uri()),
        interim::COMPLAINT
    ))
}

#[cfg(test)]
mod tests;
