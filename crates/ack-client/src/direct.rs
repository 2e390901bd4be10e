//! The transport to the API: hyper's connections, kept from call to call.
//!
//! hyper-util's pooled client does the same and more. The little that is needed here (no HTTP/2, no
//! racing of connections, no request without a host) costs a tenth less of a whole scrape.

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
use super::idle::{Generation, Idle, Kept, Origin};
use super::interim;
use super::transport::{Sending, Transport, TransportError};
use crate::lookup::Lookup;
use crate::outgoing::{MAX_REPLY, Proxies, host_and_port, root_cause};

/// The read buffer, and with it the largest head of a reply, in bytes.
pub(super) const MAX_HEAD: usize = 64 << 10;

/// Connects to the endpoint, straight or through a proxy, and keeps the connections; clones share
/// them.
#[derive(Debug, Clone)]
pub struct Direct {
    connector: Connector,
    idle: Idle,
}

impl Direct {
    /// A transport without a proxy that trusts whom `tls` trusts and asks `lookup` for names.
    pub fn new(tls: ClientConfig, lookup: Lookup) -> Self {
        Self::through(Proxies::default(), tls, lookup, Generation::default())
    }

    /// The same through `proxies`; connections of an earlier generation than `generation` is in are
    /// not used again.
    pub(super) fn through(
        proxies: Proxies,
        tls: ClientConfig,
        lookup: Lookup,
        generation: Generation,
    ) -> Self {
        Self {
            connector: Connector::new(tls, lookup, proxies),
            idle: Idle::new(generation),
        }
    }

    /// Sends `request` on a connection that is there, or else on a new one, and reads the reply.
    async fn exchange(
        &self,
        origin: &Origin,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(Kept, Response<Bytes>), TransportError> {
        let flood = interim::flood(&mut request);
        let mut flood = pin!(flood);
        while let Some(mut kept) = self.idle.take(origin) {
            if kept.connection.ready().await.is_err() {
                continue;
            }
            let suspicion = self.idle.suspicion(origin);
            let sent = tokio::select! {
                biased;
                sent = kept.connection.try_send_request(request) => sent,
                () = &mut flood => return Err(flooded(origin)),
            };
            match sent {
                Ok(response) => {
                    let response = read(response, origin).await?;
                    suspicion.lift();
                    return Ok((kept, response));
                }
                // The other side had closed it, and nothing of the request went out.
                Err(mut refused) => match refused.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(broken(origin, refused.error())),
                },
            }
        }
        // Apart from the others, since few calls need one: a call's future is as large as the
        // largest of its parts.
        let mut kept = Box::pin(self.connect(origin)).await?;
        let response = tokio::select! {
            biased;
            response = kept.connection.send_request(request) => response.map_err(|error| broken(origin, &error))?,
            () = flood => return Err(flooded(origin)),
        };
        let response = read(response, origin).await?;
        Ok((kept, response))
    }

    async fn connect(&self, origin: &Origin) -> Result<Kept, TransportError> {
        let stream = self.connector.open(&origin.uri()).await?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(origin, &error))?;
        // Ends when either side closes the connection; ours does so by dropping the sender.
        tokio::spawn(connection);
        Ok(self.idle.opened(sender))
    }

    /// The server of `request`, and the request as it is on the wire: with the path alone, but for
    /// a proxy that passes it on.
    fn addressed(
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
}

impl Transport for Direct {
    fn send(&self, request: Request<Bytes>) -> Sending<'_> {
        Box::pin(async move {
            let (origin, request) = self.addressed(request)?;
            let (kept, response) = self.exchange(&origin, request).await?;
            self.idle.put(origin, kept);
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

fn flooded(origin: &Origin) -> TransportError {
    TransportError::Broken(format!(
        "{} {}",
        host_and_port(&origin.uri()),
        interim::COMPLAINT
    ))
}

async fn read(
    response: Response<Incoming>,
    origin: &Origin,
) -> Result<Response<Bytes>, TransportError> {
    let (parts, mut body) = response.into_parts();
    if body.size_hint().lower() > MAX_REPLY as u64 {
        return Err(TransportError::TooLarge);
    }
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
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
        if whole.len() + data.len() > MAX_REPLY {
            return Err(TransportError::TooLarge);
        }
        whole.extend_from_slice(&data);
    }
    // Nearly every reply is one frame, which is passed on as it is.
    Ok(Response::from_parts(
        parts,
        if whole.is_empty() {
            first
        } else {
            whole.freeze()
        },
    ))
}

#[cfg(test)]
mod tests;
