//! The routes of a server.

use bytes::Bytes;
use http::Response;
use http::request::Parts;

use crate::web::guard::Auth;

/// The routes of a server.
pub trait Application: Send + Sync + 'static {
    /// Responds to one request, whose body is not read.
    fn respond(&self, request: &Parts) -> impl Future<Output = Response<Bytes>> + Send;

    /// Returns which requests for `path` pass.
    fn auth(&self, path: &str) -> Auth;

    /// Returns whether a request for `path` asks for a reload, which may take long and so has
    /// permits of its own.
    fn is_reload(&self, path: &str) -> bool;

    /// Closes files and connections that can be opened again. Called when the process has no file
    /// descriptor for a new connection.
    fn release_descriptors(&self) {}
}
