//! What a client is told that may not come in.

use std::time::Duration;

use http::header::{self, HeaderValue};
use http::{Response, StatusCode};

use crate::web::auth::Denied;

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 401: no user and password, or not the right ones.
    Unauthorized,
    /// 429: too many requests, or too many wrong passwords from this client.
    TooMany {
        /// When to come again.
        retry_after: Duration,
    },
    /// 503: too much is under way at once.
    Busy,
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unauthorized => Self::Unauthorized,
            Denied::TooManyGuesses { retry_after } => Self::TooMany { retry_after },
            Denied::Busy => Self::Busy,
        }
    }
}

impl Refusal {
    /// The refusal as an answer, without the file's own headers.
    pub fn response(self) -> Response<&'static str> {
        let (status, body) = match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized\n"),
            Self::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "Too Many Requests\n"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable\n"),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        match self {
            Self::Unauthorized => {
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
    fn a_refusal_says_what_the_client_can_do() {
        for (refusal, status, name, value) in [
            (
                Refusal::Unauthorized,
                401,
                header::WWW_AUTHENTICATE,
                "Basic",
            ),
            (
                Refusal::TooMany {
                    retry_after: Duration::from_millis(1200),
                },
                429,
                header::RETRY_AFTER,
                "2",
            ),
            (Refusal::Busy, 503, header::RETRY_AFTER, "1"),
        ] {
            let response = refusal.response();
            assert_eq!(
                (response.status().as_u16(), &response.headers()[name]),
                (status, &HeaderValue::from_static(value))
            );
        }
    }
}
