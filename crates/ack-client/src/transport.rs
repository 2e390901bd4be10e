//! The seam between a signed request and the network.

use std::fmt::Debug;
use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};

use crate::outgoing::MAX_REPLY;

/// The future of [`Transport::send`].
pub type Sending<'a> =
    Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + 'a>>;

/// Sends one request and reads the whole reply. Follows no redirect and repeats nothing. Dropping
/// the future abandons the request; time limits are the caller's, but for connecting.
pub trait Transport: Debug + Send + Sync {
    /// Sends `request`, whose URI is absolute and whose `Host` header is set.
    fn send(&self, request: Request<Bytes>) -> Sending<'_>;
}

/// Why there is no reply, as a whole sentence. It names the server or the proxy, never the request
/// or a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection could be made, TLS included.
    #[error("{0}")]
    Connect(String),
    /// No connection came about in time.
    #[error("{0}")]
    ConnectTimeout(String),
    /// The connection broke before the reply was whole.
    #[error("{0}")]
    Broken(String),
    /// The reply is longer than [`MAX_REPLY`].
    #[error("the reply is longer than {MAX_REPLY} bytes")]
    TooLarge,
}
