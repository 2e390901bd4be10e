//! The transport through a proxy.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use reqwest::{Client, redirect};
use rustls::ClientConfig;

use super::transport::{Sending, Transport, TransportError};
use crate::config::Proxy;
use crate::lookup::Lookup;
use crate::outgoing::{read_body, root_cause};

/// A proxy has a way of its own to go.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends through a proxy and keeps the connections.
#[derive(Debug)]
pub struct Proxied(Client);

impl Proxied {
    /// A transport through `proxy`, or through those that the process's environment names, that trusts whom `tls` trusts and
    /// asks `lookup` for names.
    pub fn new(proxy: Option<&Proxy>, tls: ClientConfig, lookup: Lookup) -> Result<Self, TransportError> {
        let unusable = |error: reqwest::Error| TransportError::Connect(cause(error));
        let mut client = Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Arc::new(lookup))
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT);
        if let Some(proxy) = proxy {
            client = client.proxy(reqwest::Proxy::all(proxy.expose()).map_err(unusable)?);
        }
        client.build().map(Self).map_err(unusable)
    }
}

impl Transport for Proxied {
    fn send(&self, request: Request<Bytes>) -> Sending<'_> {
        Box::pin(async move {
            let request = request.try_into().map_err(|error: reqwest::Error| TransportError::Broken(cause(error)))?;
            let mut reply = self.0.execute(request).await.map_err(failure)?;
            let mut response = Response::new(());
            *response.status_mut() = reply.status();
            *response.headers_mut() = std::mem::take(reply.headers_mut());
            let body = read_body(&mut reply).await.map_err(failure)?.ok_or(TransportError::TooLarge)?;
            Ok(response.map(|()| body))
        })
    }
}

fn failure(error: reqwest::Error) -> TransportError {
    match (error.is_connect(), error.is_timeout()) {
        (true, true) => TransportError::ConnectTimeout(cause(error)),
        (true, false) => TransportError::Connect(cause(error)),
        (false, _) => TransportError::Broken(cause(error)),
    }
}

/// Without the URL, which may hold a secret.
fn cause(error: reqwest::Error) -> String {
    root_cause(&error.without_url())
}
