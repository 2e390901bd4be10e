//! What a server serves.

use bytes::Bytes;
use http::Response;
use http::request::Parts;

use crate::web::door::Passage;

/// The routes of a server.
pub trait Application: Send + Sync + 'static {
    /// Answers one request, whose body is not read.
    fn respond(&self, request: &Parts) -> impl Future<Output = Response<Bytes>> + Send;

    /// Who may ask for `path`.
    fn passage(&self, path: &str) -> Passage;

    /// Whether a request for `path` asks for a reload, which may take long and then is no scrape's
    /// business.
    fn is_reload(&self, path: &str) -> bool;
}
