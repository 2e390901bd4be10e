//! A response, and the way in which it is delivered.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use crate::world::clock::http_date;

/// A response of the simulator.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers, without those of the connection.
    pub headers: HeaderMap,
    /// The body, unless [`Delivery::Huge`] generates one.
    pub body: Bytes,
    /// The way in which the response is delivered.
    pub delivery: Delivery,
    /// Time before the response.
    pub(crate) delay: Duration,
}

/// The way in which a response is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Completely and at once.
    Complete,
    /// Never; the connection stays open.
    Hang,
    /// Never; the connection is reset.
    Reset,
    /// Without the end of the body.
    Truncated,
    /// With a body of 8 GiB in place of its own.
    Huge(Framing),
    /// Byte by byte, with this time between two bytes.
    Drip(Duration),
}

/// The framing of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// `Content-Length`.
    Length,
    /// Chunked encoding: the length is known at the end only.
    Chunked,
}

/// The size of [`Delivery::Huge`] in bytes.
pub(crate) const HUGE: u64 = 8 << 30;

static X_ACS_REQUEST_ID: HeaderName = HeaderName::from_static("x-acs-request-id");

impl Response {
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
            delivery: Delivery::Complete,
            delay: Duration::ZERO,
        }
    }

    /// A response whose own body never arrives.
    pub(crate) fn undelivered(delivery: Delivery) -> Self {
        Self {
            delivery,
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

    /// Adds the headers that every response has.
    pub(crate) fn add_common_headers(&mut self, request_id: &str, now: Timestamp) {
        for (name, text) in [
            (&X_ACS_REQUEST_ID, request_id),
            (&DATE, http_date(now).as_str()),
        ] {
            if let Ok(value) = HeaderValue::from_str(text) {
                self.headers.insert(name, value);
            }
        }
    }

    /// The response as it is when it is delivered completely.
    pub fn into_http(self) -> http::Response<Bytes> {
        let mut response = http::Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
