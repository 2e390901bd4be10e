//! The seam between providers and the network.

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::USER_AGENT;
use http::{HeaderValue, Request, Response, Uri};
use reqwest::{Client, ClientBuilder, redirect};

use crate::lookup::Lookup;
use crate::proxy::Proxies;
use crate::root_cause::root_cause;
use crate::transport::MAX_RESPONSE;
use crate::uri::{host_and_port, is_this_machine};

/// The interval of TCP keep-alive probes.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The path of a request through the network, and its time limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Through the proxy of the environment, if there is one: 5 s to connect, 10 s in total.
    Internet,
    /// Directly to a server on this machine: 1 s to connect, 10 s in total.
    Local,
    /// Directly to the metadata service, which responds at once or not at all: 1 s in total.
    Metadata,
}

impl Route {
    /// The route to `uri`.
    pub(super) fn to(uri: &Uri) -> Self {
        if is_this_machine(uri) {
            Self::Local
        } else {
            Self::Internet
        }
    }

    fn time_limit(self) -> Duration {
        match self {
            Self::Internet | Self::Local => Duration::from_secs(10),
            Self::Metadata => Duration::from_secs(1),
        }
    }
}

/// Sends one request and reads the whole response. It follows no redirect and repeats no request.
/// Dropping the future cancels the request.
pub trait Http: Debug + Send + Sync {
    /// Sends `request`, whose URI is absolute.
    fn send(
        &self,
        route: Route,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + '_>>;
}

/// The reason why there is no response. The message names the server or the proxy, and contains
/// nothing else of the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The connection failed, or its TLS handshake did.
    #[error("{0}")]
    Connect(String),
    /// There was no response in time.
    #[error("no reply in time")]
    Timeout,
    /// The request was not sent, or the connection broke before the response was complete.
    #[error("the exchange broke off: {0}")]
    Broken(String),
    /// The response is longer than 1 MiB.
    #[error("the reply is longer than {MAX_RESPONSE} bytes")]
    TooLarge,
}

/// Requests over the network.
#[derive(Debug)]
pub struct HttpClient {
    proxied: Client,
    direct: Client,
    proxies: Proxies,
    user_agent: HeaderValue,
}

impl HttpClient {
    /// A client that uses `tls` for https, resolves names by `lookup`, uses `proxies` for the
    /// internet, and identifies itself as `user_agent`.
    pub fn new(
        tls: &rustls::ClientConfig,
        lookup: &Lookup,
        proxies: &Proxies,
        user_agent: HeaderValue,
    ) -> Result<Self, HttpError> {
        // reqwest's own TLS setup fails without a CA store, even for plain HTTP. Connections are
        // not kept: the next request is minutes away, and they would be dead by then or lead to a
        // server that has moved.
        let builder = |connect| {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .dns_resolver(Arc::new(lookup.clone()))
                .redirect(redirect::Policy::none())
                .pool_max_idle_per_host(0)
                .tcp_keepalive(KEEP_ALIVE)
                .tcp_keepalive_interval(KEEP_ALIVE)
                .connect_timeout(connect)
        };
        let build = |builder: ClientBuilder| {
            builder
                .build()
                .map_err(|error| failure(error, "the network"))
        };
        let of_url = {
            let proxies = proxies.clone();
            move |url: &reqwest::Url| {
                let uri = url.as_str().parse().ok()?;
                proxies.of(&uri).map(|proxy| proxy.expose().to_owned())
            }
        };
        Ok(Self {
            proxied: build(builder(Duration::from_secs(5)).proxy(reqwest::Proxy::custom(of_url)))?,
            direct: build(builder(Duration::from_secs(1)).no_proxy())?,
            proxies: proxies.clone(),
            user_agent,
        })
    }
}

impl Http for HttpClient {
    fn send(
        &self,
        route: Route,
        mut request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + '_>> {
        let (client, proxy) = match route {
            Route::Internet => (&self.proxied, self.proxies.of(request.uri())),
            Route::Local | Route::Metadata => (&self.direct, None),
        };
        let through = proxy.map_or_else(String::new, |proxy| format!(" through the proxy {proxy}"));
        let place = host_and_port(request.uri()) + &through;
        Box::pin(async move {
            let failure = |error| failure(error, &place);
            request
                .headers_mut()
                .insert(USER_AGENT, self.user_agent.clone());
            let mut request = reqwest::Request::try_from(request).map_err(failure)?;
            *request.timeout_mut() = Some(route.time_limit());
            let mut response = client.execute(request).await.map_err(failure)?;
            let body = read_body(&mut response)
                .await
                .map_err(failure)?
                .ok_or(HttpError::TooLarge)?;
            let mut complete = Response::new(body);
            *complete.status_mut() = response.status();
            *complete.headers_mut() = std::mem::take(response.headers_mut());
            Ok(complete)
        })
    }
}

/// No network: every request fails.
#[derive(Debug)]
pub(super) struct NoNetwork;

impl Http for NoNetwork {
    fn send(
        &self,
        _: Route,
        _: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + '_>> {
        Box::pin(async { Err(HttpError::Connect("there is no network here".to_owned())) })
    }
}

/// Converts a failed request to `place`.
fn failure(error: reqwest::Error, place: &str) -> HttpError {
    // The URL may contain a secret.
    let error = error.without_url();
    if error.is_connect() {
        let cause = root_cause(&error);
        // reqwest does not give the status of the proxy's response.
        let cause = cause
            .strip_prefix("tunnel error: ")
            .map(|why| format!("no tunnel, {why}"))
            .unwrap_or(cause);
        HttpError::Connect(format!("cannot connect to {place}: {cause}"))
    } else if error.is_timeout() {
        HttpError::Timeout
    } else {
        HttpError::Broken(root_cause(&error))
    }
}

/// Reads the body of `response`. Returns `None` if it is longer than [`MAX_RESPONSE`].
async fn read_body(response: &mut reqwest::Response) -> Result<Option<Bytes>, reqwest::Error> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_RESPONSE {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_read_up_to_the_limit_and_no_further() {
        let read = async |length: usize| {
            let mut response = reqwest::Response::from(http::Response::new(vec![b'x'; length]));
            read_body(&mut response)
                .await
                .unwrap()
                .map(|body| body.len())
        };
        assert_eq!(
            (
                read(0).await,
                read(MAX_RESPONSE).await,
                read(MAX_RESPONSE + 1).await
            ),
            (Some(0), Some(MAX_RESPONSE), None)
        );
    }
}
