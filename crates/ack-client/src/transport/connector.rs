//! New connections: TCP, TLS, and the tunnel of a proxy.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, PROXY_AUTHORIZATION};
use http::uri::Scheme;
use http::{HeaderValue, Request, Uri};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tower_service::Service as _;

use super::interim;
use super::pool::Pools;
use super::{MAX_HEAD, TransportError};
use crate::lookup::Lookup;
use crate::proxy::{Proxies, Proxy};
use crate::root_cause::root_cause;
use crate::uri::{host, host_and_port};

/// The time limit of a TCP connection. Alibaba Cloud's SDKs allow 5 s; 3 s leave time for a second
/// attempt in a default scrape.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The time that sent data may stay unacknowledged (`TCP_USER_TIMEOUT`) before the connection is
/// closed.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs(3);

/// The time limit of a connection through a proxy, tunnel and TLS included.
const PROXY_TIMEOUT: Duration = Duration::from_secs(5);

/// The interval of TCP keep-alive probes. They also keep a NAT from forgetting the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The keep-alive probes without a response after which the connection is closed.
const KEEP_ALIVE_RETRIES: u32 = 3;

/// A byte stream to a server.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Opens connections to servers.
#[derive(Clone)]
pub(super) struct Connector {
    tcp: HttpConnector<Lookup>,
    tls: TlsConnector,
    proxies: Proxies,
    /// The idle connections, which give way when there are no file descriptors.
    pools: Pools,
}

impl Connector {
    pub(super) fn new(tls: ClientConfig, lookup: Lookup, proxies: Proxies, pools: Pools) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(lookup);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        tcp.set_keepalive(Some(KEEP_ALIVE));
        tcp.set_keepalive_interval(Some(KEEP_ALIVE));
        tcp.set_keepalive_retries(Some(KEEP_ALIVE_RETRIES));
        // A server may respond slowly, but its kernel acknowledges a request at once. Behind a NAT
        // that has forgotten the connection, nothing does.
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(UNACKNOWLEDGED_TIMEOUT));
        Self {
            tcp,
            tls: TlsConnector::from(Arc::new(tls)),
            proxies,
            pools,
        }
    }

    /// The proxy that forwards requests to the server in `uri`. There is none for https, which
    /// uses a tunnel.
    pub(super) fn forwarding_proxy(&self, uri: &Uri) -> Option<&Proxy> {
        self.proxies
            .of(uri)
            .filter(|_| uri.scheme() != Some(&Scheme::HTTPS))
    }

    /// Connects to the server in `uri`, or to the proxy that forwards to it.
    pub(super) async fn open(&self, uri: &Uri) -> Result<Box<dyn Stream>, TransportError> {
        let Some(proxy) = self.proxies.of(uri) else {
            let stream = self.tcp(uri, &host_and_port(uri)).await?;
            return self.with_tls(stream, uri, &host_and_port(uri)).await;
        };
        let opened = timeout(PROXY_TIMEOUT, self.open_through(proxy, uri));
        opened.await.unwrap_or_else(|_| {
            Err(TransportError::ConnectTimeout(format!(
                "cannot connect to {} through the proxy {proxy} in {PROXY_TIMEOUT:?}",
                host_and_port(uri)
            )))
        })
    }

    async fn open_through(
        &self,
        proxy: &Proxy,
        uri: &Uri,
    ) -> Result<Box<dyn Stream>, TransportError> {
        let place = format!("the proxy {proxy}");
        let stream = self.tcp(proxy.server(), &place).await?;
        let stream = self.with_tls(stream, proxy.server(), &place).await?;
        if uri.scheme() != Some(&Scheme::HTTPS) {
            return Ok(stream);
        }
        let stream = open_tunnel(stream, proxy, uri).await?;
        self.with_tls(stream, uri, &host_and_port(uri)).await
    }

    pub(super) async fn tcp(&self, uri: &Uri, place: &str) -> Result<TcpStream, TransportError> {
        // hyper-util's connector is always ready, so `poll_ready` need not be called.
        let connect = || self.tcp.clone().call(uri.clone());
        let mut connected = connect().await;
        if let Err(error) = &connected
            && is_out_of_descriptors(error)
        {
            self.pools.close_idle();
            // The tasks of the connections end first.
            yield_now().await;
            connected = connect().await;
        }
        let stream = connected.map_err(|error| connect_error(place, &error))?;
        Ok(stream.into_inner())
    }

    /// Starts TLS on `stream` if the scheme of `uri` is https.
    async fn with_tls(
        &self,
        stream: impl Stream + 'static,
        uri: &Uri,
        place: &str,
    ) -> Result<Box<dyn Stream>, TransportError> {
        if uri.scheme() != Some(&Scheme::HTTPS) {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(host(uri).to_owned()).map_err(|_| {
            TransportError::Connect(format!(
                "cannot connect to {place}: no certificate can have such a name"
            ))
        })?;
        let stream = self
            .tls
            .connect(name, stream)
            .await
            .map_err(|error| connect_error(place, &error))?;
        Ok(Box::new(stream))
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("proxies", &self.proxies)
            .finish_non_exhaustive()
    }
}

/// Asks `proxy`, at the other end of `stream`, for a tunnel to the server in `uri`.
async fn open_tunnel(
    stream: Box<dyn Stream>,
    proxy: &Proxy,
    uri: &Uri,
) -> Result<impl Stream + 'static, TransportError> {
    let server = host_and_port(uri);
    let failed = |error: hyper::Error| {
        TransportError::Connect(format!(
            "cannot connect to {server}: the proxy {proxy} makes no tunnel: {}",
            root_cause(&error)
        ))
    };
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    // The task ends with the tunnel, or with the sender if the proxy refuses the tunnel.
    tokio::spawn(connection.with_upgrades());
    let mut request = Request::connect(&server)
        .body(Empty::<Bytes>::new())
        .map_err(|error| TransportError::Connect(error.to_string()))?;
    if let Ok(host) = HeaderValue::try_from(&server) {
        request.headers_mut().insert(HOST, host);
    }
    if let Some(authorization) = proxy.authorization() {
        request
            .headers_mut()
            .insert(PROXY_AUTHORIZATION, authorization);
    }
    let too_many_interim = interim::too_many_interim_responses(&mut request);
    let response = tokio::select! {
        biased;
        response = sender.send_request(request) => response.map_err(failed)?,
        () = too_many_interim => {
            return Err(TransportError::Connect(format!(
                "cannot connect to {server}: the proxy {proxy} {}",
                interim::COMPLAINT
            )));
        }
    };
    if !response.status().is_success() {
        let status = response.status();
        return Err(TransportError::Connect(format!(
            "cannot connect to {server}: the proxy {proxy} refused the tunnel: HTTP {status}"
        )));
    }
    hyper::upgrade::on(response)
        .await
        .map(TokioIo::new)
        .map_err(failed)
}

/// The error for a connection to `place` that failed.
fn connect_error(place: &str, error: &(dyn Error + 'static)) -> TransportError {
    let timed_out = io_errors(error).any(|error| error.kind() == io::ErrorKind::TimedOut);
    let cause = root_cause(error);
    if timed_out {
        TransportError::ConnectTimeout(format!("cannot connect to {place} in time: {cause}"))
    } else {
        TransportError::Connect(format!("cannot connect to {place}: {cause}"))
    }
}

/// Returns true if the process, or the system, has no file descriptor left (`EMFILE`, `ENFILE`).
fn is_out_of_descriptors(error: &(dyn Error + 'static)) -> bool {
    io_errors(error).any(|error| matches!(error.raw_os_error(), Some(23 | 24)))
}

/// The errors of the system among the causes of `error`.
fn io_errors<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e io::Error> {
    std::iter::successors(Some(error), |error| (*error).source())
        .filter_map(|error| error.downcast_ref())
}
