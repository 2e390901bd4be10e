//! What stands between the routes and the wire: the door before, the file's headers after.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;

use super::application::Application;
use super::body::Held;
use super::pulse::Answering;
use crate::web::door::{Door, Passage, Refusal};
use crate::web::limits::{MaxRequests, Place};

/// Reloads asked for at once; more are answered with 503.
const RELOADS: u32 = 10;

/// What answers the requests of a server.
pub(super) struct Host<A> {
    application: Arc<A>,
    pub(super) door: Arc<Door>,
    places: MaxRequests,
    /// Those of reloads, so that a file that hangs leaves scrapes theirs.
    reloads: MaxRequests,
    /// Cancelled when the server is going to stop.
    stop: CancellationToken,
}

impl<A: Application> Host<A> {
    /// Answers from `application` behind `door`, so many `requests` at once.
    pub(super) fn new(
        application: Arc<A>,
        door: Arc<Door>,
        requests: u32,
        stop: CancellationToken,
    ) -> Self {
        Self {
            application,
            door,
            places: MaxRequests::new(requests),
            reloads: MaxRequests::new(RELOADS),
            stop,
        }
    }

    /// Answers one request. Its body, if there is one, is not read.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        client: IpAddr,
        answering: Answering,
    ) -> Result<Response<Held>, Infallible> {
        let request = request.into_parts().0;
        let (mut response, place) = self.respond(&request, client).await;
        if request.method == Method::HEAD {
            strip(&mut response);
        }
        self.door.add_headers(response.headers_mut());
        answering.sending();
        Ok(response.map(|body| Held::new(body, place, answering)))
    }

    async fn respond(&self, request: &Parts, client: IpAddr) -> (Response<Bytes>, Option<Place>) {
        match self.admit(request, client).await {
            Ok(place) => (self.application.respond(request).await, place),
            Err(refused) => (refused, None),
        }
    }

    /// Lets a request in, to a place of its own unless it is a health check.
    async fn admit(
        &self,
        request: &Parts,
        client: IpAddr,
    ) -> Result<Option<Place>, Response<Bytes>> {
        let refuse = |refusal: Refusal| {
            refusal
                .response()
                .map(|text| Bytes::from_static(text.as_bytes()))
        };
        let path = request.uri.path();
        let passage = self.application.passage(path);
        self.door
            .check(request, client, passage)
            .await
            .map_err(refuse)?;
        match passage {
            Passage::Open => Ok(None),
            Passage::Guarded if self.stop.is_cancelled() => Err(draining()),
            Passage::Guarded => {
                let places = if self.application.is_reload(path) {
                    &self.reloads
                } else {
                    &self.places
                };
                places
                    .enter()
                    .map(Some)
                    .ok_or_else(|| refuse(Refusal::Busy))
            }
        }
    }
}

/// What is said once the server is going to stop.
pub fn draining() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"draining\n"));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

/// Leaves the head of an answer. The length is what GET would get, where that is known.
fn strip(response: &mut Response<Bytes>) {
    let body = std::mem::take(response.body_mut());
    if !body.is_empty() {
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, body.len().into());
    }
}
