//! The way of a request from hyper to the routes and back.

use std::convert::Infallible;
use std::mem;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Version};
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
        let mut response = response.unwrap_or_else(|rejection| rejection);
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
    ) -> Result<Response<Bytes>, Response<Bytes>> {
        let hosts = request.headers.get_all(HOST).iter().count();
        if request.version == Version::HTTP_11 && hosts != 1 {
            tracing::debug!(%client, hosts, "request rejected: it needs one Host header");
            return Err(reject(Rejection::Host));
        }
        let path = request.uri.path();
        let auth = self.application.auth(path);
        let passed = self.guard.check(request, client, auth).await;
        passed.map_err(reject)?;
        let _reload = self.admit(path, auth, guard)?;
        Ok(self.application.respond(request).await)
    }

    /// Takes a permit, unless the request is a health check. That of a reload is returned.
    fn admit(
        &self,
        path: &str,
        auth: Auth,
        guard: &RequestGuard,
    ) -> Result<Option<SemaphorePermit<'_>>, Response<Bytes>> {
        let busy = || reject(Rejection::Busy);
        match auth {
            Auth::None => Ok(None),
            Auth::Required if self.stop.is_cancelled() => Err(draining()),
            Auth::Required if self.application.is_reload(path) => {
                self.reloads.try_acquire().map(Some).map_err(|_| busy())
            }
            Auth::Required if guard.admit() => Ok(None),
            Auth::Required => Err(busy()),
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
    let mut response = Response::new(Bytes::from_static(b"draining\n"));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
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
