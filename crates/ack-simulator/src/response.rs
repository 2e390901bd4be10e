//! A reply, and the manner in which it comes, or does not.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use jiff::Timestamp;

use crate::world::clock::http_date;

/// What goes back to the client.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers, but for what the connection adds.
    pub headers: HeaderMap,
    /// The body, as far as it is not made up on the way.
    pub body: Bytes,
    /// How the reply comes.
    pub manner: Manner,
    /// How long the stand-in takes over it.
    pub(crate) delay: Duration,
}

/// How a reply comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As it should.
    Whole,
    /// Never; the connection stays open.
    Hang,
    /// Not at all: the connection is reset.
    Reset,
    /// With the end missing.
    Truncated,
    /// With a body of 8 GiB in the place of its own.
    Huge(Framing),
    /// A byte at a time, with this much time between two.
    Drip(Duration),
}

/// How the length of a body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// By `Content-Length`.
    Length,
    /// By chunks, so that nobody knows before the end.
    Chunked,
}

/// The size of [`Manner::Huge`], in bytes.
pub(crate) const HUGE: u64 = 8 << 30;

static X_ACS_REQUEST_ID: HeaderName = HeaderName::from_static("x-acs-request-id");

impl Reply {
    pub(crate) fn new(
        status: StatusCode,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Self {
        let mut headers = HeaderMap::with_capacity(6);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            status,
            headers,
            body: body.into(),
            manner: Manner::Whole,
            delay: Duration::ZERO,
        }
    }

    /// A reply of which nothing is seen.
    pub(crate) fn unseen(manner: Manner) -> Self {
        Self {
            manner,
            ..Self::new(
                StatusCode::OK,
                "application/json;charset=utf-8",
                Bytes::new(),
            )
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Adds what every reply carries.
    pub(crate) fn stamp(&mut self, request_id: &str, now: Timestamp) {
        for (name, text) in [
            (&X_ACS_REQUEST_ID, request_id),
            (&DATE, http_date(now).as_str()),
        ] {
            if let Ok(value) = HeaderValue::from_str(text) {
                self.headers.insert(name, value);
            }
        }
    }

    /// The reply as it would be if it came whole.
    pub fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
