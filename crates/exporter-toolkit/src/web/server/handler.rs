//! The way of a request from hyper to the routes and back.

use std::convert::Infallible;
use std::mem;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::request::Parts;
use http::{Method, Request, Response, Version};
use hyper::body::Incoming;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use super::application::Application;
use super::body::GuardedBody;
use super::connections::RequestGuard;
use crate::web::guard::{Auth, Rejection, WebGuard};

/// Reloads at once; the next gets a 503.
const MAX_RELOADS: usize = 10;

/// Handles the requests of a server: the guard first, then the routes, then the file's headers.
pub(super) struct RequestHandler<A> {
    application: Arc<A>,
    pub(super) guard: Arc<WebGuard>,
    /// Permits apart, so that a file that hangs leaves scrapes theirs.
    reloads: Semaphore,
    /// Cancelled when the server is going to stop.
    stop: CancellationToken,
}

impl<A: Application> RequestHandler<A> {
    pub(super) fn new(application: Arc<A>, guard: Arc<WebGuard>, stop: CancellationToken) -> Self {
        Self {
            application,
            guard,
            reloads: Semaphore::new(MAX_RELOADS),
            stop,
        }
    }

    pub(super) fn release_descriptors(&self) {
        self.application.release_descriptors();
    }

    /// Handles one request. Its body, if there is one, is not read.
    pub(super) async fn handle(
        &self,
        request: Request<Incoming>,
        client: IpAddr,
        guard: RequestGuard,
    ) -> Result<Response<GuardedBody>, Infallible> {
        let request = request.into_parts().0;
        // In a box, so that a response that waits for its client does not pay for it.
        let response = Box::pin(self.respond(&request, client, &guard)).await;
        let mut response = response.unwrap_or_else(reject);
        if request.method == Method::HEAD {
            strip_body(&mut response);
        }
        self.guard.add_headers(response.headers_mut());
        guard.respond(response.body());
        Ok(response.map(|body| GuardedBody::new(body, guard)))
    }

    /// Responds to a request that passes all checks.
    async fn respond(
        &self,
        request: &Parts,
        client: IpAddr,
        guard: &RequestGuard,
    ) -> Result<Response<Bytes>, Rejection> {
        let hosts = request.headers.get_all(HOST).iter().count();
        if request.version == Version::HTTP_11 && hosts != 1 {
            tracing::debug!(%client, hosts, "request rejected: it needs one Host header");
            return Err(Rejection::Host);
        }
        let path = request.uri.path();
        let auth = self.application.auth(path);
        self.guard.check(request, client, auth).await?;
        let _reload = self.admit(path, auth, guard)?;
        Ok(self.application.respond(request).await)
    }

    /// Takes a permit, unless the request is a health check. That of a reload is returned.
    fn admit(
        &self,
        path: &str,
        auth: Auth,
        guard: &RequestGuard,
    ) -> Result<Option<SemaphorePermit<'_>>, Rejection> {
        match auth {
            Auth::None => Ok(None),
            Auth::Required if self.stop.is_cancelled() => Err(Rejection::Draining),
            Auth::Required if self.application.is_reload(path) => {
                let permit = self.reloads.try_acquire();
                permit.map(Some).map_err(|_| Rejection::Busy)
            }
            Auth::Required if guard.admit() => Ok(None),
            Auth::Required => Err(Rejection::Busy),
        }
    }
}

fn reject(rejection: Rejection) -> Response<Bytes> {
    rejection
        .response()
        .map(|text| Bytes::from_static(text.as_bytes()))
}

/// The response to a request that comes while the server drains.
pub fn draining() -> Response<Bytes> {
    reject(Rejection::Draining)
}

/// Leaves the head of a response. The length is that of the response to GET, where it is known.
fn strip_body(response: &mut Response<Bytes>) {
    let body = mem::take(response.body_mut());
    if !body.is_empty() {
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, body.len().into());
    }
}
