//! The seam between a signed request and the network.

mod connector;
mod factory;
mod http_transport;
mod interim;
mod large_responses;
mod pool;

use std::fmt::Debug;
use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};

pub use self::factory::{ConnectionSettings, Network, TransportFactory};
pub use self::http_transport::HttpTransport;

/// The largest response body that is read if the request has no other [`ResponseLimit`], in bytes.
pub(crate) const MAX_RESPONSE: usize = 1 << 20;

/// The size of the read buffer, and so of the largest response head, in bytes.
const MAX_HEAD: usize = 64 << 10;

/// The largest body of the response to one request, in bytes. It is an extension of the request,
/// and 1 MiB for a request without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseLimit(pub usize);

impl ResponseLimit {
    /// The limit of the response to `request`.
    pub fn of<B>(request: &Request<B>) -> Self {
        let limit = request.extensions().get().copied();
        limit.unwrap_or(Self(MAX_RESPONSE))
    }
}

/// The future of [`Transport::send`].
pub type ResponseFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + 'a>>;

/// Sends one request and reads the whole response, up to its [`ResponseLimit`]. A transport follows
/// no redirect and repeats no request. It limits the time for connecting; all other time limits are
/// the caller's.
pub trait Transport: Debug + Send + Sync {
    /// Sends `request`, whose URI is absolute and whose `Host` header is set. Dropping the future
    /// cancels the request.
    fn send(&self, request: Request<Bytes>) -> ResponseFuture<'_>;
}

/// The reason why there is no response. The message names the server or the proxy, and contains
/// neither the request nor a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The connection failed, or its TLS handshake did.
    #[error("{0}")]
    Connect(String),
    /// The connection was not made in time.
    #[error("{0}")]
    ConnectTimeout(String),
    /// The connection broke before the response was complete.
    #[error("{0}")]
    Broken(String),
    /// The response is longer than its [`ResponseLimit`].
    #[error("the response is too long")]
    TooLarge,
}
