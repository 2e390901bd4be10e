//! The responses to requests that do not pass.

use std::time::Duration;

use http::header::{self, HeaderValue};
use http::{Response, StatusCode};

/// The reason for which a request does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// 400: HTTP/1.1 with two `Host` headers or none (RFC 9112 §3.2).
    Host,
    /// 401: no user and password, or not the right ones.
    Unauthorized,
    /// 401: a password of more than 72 bytes.
    PasswordTooLong,
    /// 429: too many requests.
    TooMany {
        /// The time after which to try again.
        retry_after: Duration,
    },
    /// 503: too many requests at once.
    Busy,
    /// 503: the server is going to stop.
    Draining,
}

impl Rejection {
    /// Returns the response, without the file's own headers.
    pub fn response(self) -> Response<&'static str> {
        let (status, body) = match self {
            Self::Host => (StatusCode::BAD_REQUEST, "Bad Request: Host\n"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized\n"),
            Self::PasswordTooLong => (
                StatusCode::UNAUTHORIZED,
                "Unauthorized: the password has more than 72 bytes, and bcrypt ignores the rest\n",
            ),
            Self::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "Too Many Requests\n"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable\n"),
            Self::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        match self {
            Self::Host | Self::Draining => None,
            Self::Unauthorized | Self::PasswordTooLong => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic"))
            }
            Self::TooMany { retry_after } => {
                headers.insert(header::RETRY_AFTER, whole_seconds(retry_after).into())
            }
            Self::Busy => headers.insert(header::RETRY_AFTER, 1.into()),
        };
        response
    }
}

fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_tells_the_client_what_it_can_do() {
        for (rejection, status, name, value) in [
            (
                Rejection::Unauthorized,
                401,
                header::WWW_AUTHENTICATE,
                "Basic",
            ),
            (
                Rejection::PasswordTooLong,
                401,
                header::WWW_AUTHENTICATE,
                "Basic",
            ),
            (
                Rejection::TooMany {
                    retry_after: Duration::from_millis(1200),
                },
                429,
                header::RETRY_AFTER,
                "2",
            ),
            (Rejection::Busy, 503, header::RETRY_AFTER, "1"),
        ] {
            let response = rejection.response();
            assert_eq!(
                (response.status().as_u16(), &response.headers()[name]),
                (status, &HeaderValue::from_static(value))
            );
        }
    }
}
