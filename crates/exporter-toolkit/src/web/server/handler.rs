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
use tokio_util::sync::CancellationToken;

use super::application::Application;
use super::body::GuardedBody;
use super::connections::RequestGuard;
use crate::web::guard::{Auth, Rejection, WebGuard};
use crate::web::limits::{MaxRequests, RequestPermit};

/// Reloads at once; the next gets a 503.
const MAX_RELOADS: u32 = 10;

/// Handles the requests of a server: the guard first, then the routes, then the file's headers.
pub(super) struct RequestHandler<A> {
    application: Arc<A>,
    pub(super) guard: Arc<WebGuard>,
    requests: MaxRequests,
    /// Apart, so that a file that hangs leaves scrapes their permits.
    reloads: MaxRequests,
    /// Cancelled when the server is going to stop.
    stop: CancellationToken,
}

impl<A: Application> RequestHandler<A> {
    pub(super) fn new(
        application: Arc<A>,
        guard: Arc<WebGuard>,
        max_requests: u32,
        stop: CancellationToken,
    ) -> Self {
        Self {
            application,
            guard,
            requests: MaxRequests::new(max_requests),
            reloads: MaxRequests::new(MAX_RELOADS),
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
        let mut response = match self.admit(&request, client).await {
            Ok(permit) => self.respond(&request, permit, &guard).await,
            Err(rejection) => rejection,
        };
        if request.method == Method::HEAD {
            strip_body(&mut response);
        }
        self.guard.add_headers(response.headers_mut());
        guard.respond(response.body());
        Ok(response.map(|body| GuardedBody::new(body, guard)))
    }

    /// Responds to an admitted request. Its permit is free once the response is known, since others
    /// must not wait for a client that does not read.
    async fn respond(
        &self,
        request: &Parts,
        permit: Option<RequestPermit>,
        guard: &RequestGuard,
    ) -> Response<Bytes> {
        // In boxes, so that a response that waits for its client does not pay for them.
        let respond = Box::pin(self.application.respond(request));
        let Some(permit) = permit else {
            return respond.await;
        };
        guard.admit();
        let response = permit.run(respond).await;
        response.unwrap_or_else(|| reject(Rejection::Busy))
    }

    /// Admits a request, with a permit unless it is a health check.
    async fn admit(
        &self,
        request: &Parts,
        client: IpAddr,
    ) -> Result<Option<RequestPermit>, Response<Bytes>> {
        let hosts = request.headers.get_all(HOST).iter().count();
        if request.version == Version::HTTP_11 && hosts != 1 {
            tracing::debug!(%client, hosts, "request rejected: it needs one Host header");
            return Err(reject(Rejection::Host));
        }
        let path = request.uri.path();
        let auth = self.application.auth(path);
        self.guard
            .check(request, client, auth)
            .await
            .map_err(reject)?;
        if auth == Auth::None {
            return Ok(None);
        }
        if self.stop.is_cancelled() {
            return Err(draining());
        }
        let permits = if self.application.is_reload(path) {
            &self.reloads
        } else {
            &self.requests
        };
        match permits.try_acquire(client) {
            Some(permit) => Ok(Some(permit)),
            None => Err(reject(Rejection::Busy)),
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
