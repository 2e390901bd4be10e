//! Failed calls, sorted by what the operator or the caller can do about them.

use std::fmt;
use std::time::Duration;

use crate::operation::Operation;

/// The reason of a failure as a label of metrics, with few values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The credentials were refused, or there are none.
    Auth,
    /// RAM does not allow the action.
    Forbidden,
    /// There is no such cluster.
    NotFound,
    /// The API throttled the call.
    Throttled,
    /// The client's own rate limit left no room for the call.
    RateLimited,
    /// There was no response in time.
    Timeout,
    /// The connection failed or broke.
    Network,
    /// The API had an internal error.
    Server,
    /// The response could not be decoded.
    Decode,
    /// Anything else.
    Other,
}

impl Reason {
    /// Every reason, in the order of the metrics page.
    pub const ALL: &'static [Self] = &[
        Self::Auth,
        Self::Forbidden,
        Self::NotFound,
        Self::Throttled,
        Self::RateLimited,
        Self::Timeout,
        Self::Network,
        Self::Server,
        Self::Decode,
        Self::Other,
    ];

    /// The value of the label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Throttled => "throttled",
            Self::RateLimited => "rate_limited",
            Self::Timeout => "timeout",
            Self::Network => "network",
            Self::Server => "server",
            Self::Decode => "decode",
            Self::Other => "other",
        }
    }
}

/// The kind of a failure, as finely as a caller may have to distinguish it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The API refused the key or the signature, or there are no credentials until an operator
    /// changes something.
    Credentials,
    /// There are no credentials for now: their source does not respond or has none yet.
    NoCredentials,
    /// The security token has expired or does not belong to the key. A new one helps.
    TokenExpired,
    /// The nonce was used before. A new one helps.
    NonceUsed,
    /// The clocks of client and API differ too much.
    Clock,
    /// RAM does not allow the action.
    Forbidden,
    /// There is no such cluster.
    ClusterNotFound,
    /// The API has no such operation.
    OperationGone,
    /// The API throttled the call.
    Throttled,
    /// The API refused the call for another reason.
    Rejected,
    /// The API had an internal error.
    Server,
    /// A refusal without an error code of the API, such as a proxy's page or a redirect.
    Foreign,
    /// The response is not one of the operation.
    Decode,
    /// The connection failed or broke.
    Network,
    /// There was no response in time.
    Timeout,
    /// The client's own rate limit left no room.
    RateLimited,
}

impl ErrorKind {
    /// The reason as a label.
    pub fn reason(self) -> Reason {
        match self {
            Self::Credentials
            | Self::NoCredentials
            | Self::TokenExpired
            | Self::NonceUsed
            | Self::Clock => Reason::Auth,
            Self::Forbidden => Reason::Forbidden,
            Self::ClusterNotFound => Reason::NotFound,
            Self::Throttled => Reason::Throttled,
            Self::Server => Reason::Server,
            Self::Decode => Reason::Decode,
            Self::Network => Reason::Network,
            Self::Timeout => Reason::Timeout,
            Self::RateLimited => Reason::RateLimited,
            Self::OperationGone | Self::Rejected | Self::Foreign => Reason::Other,
        }
    }

    /// Returns true if the failure lasts until someone changes something, as far as one call shows.
    pub fn is_lasting(self) -> bool {
        matches!(
            self,
            Self::Credentials | Self::Forbidden | Self::ClusterNotFound
        )
    }

    /// Returns true if the same call may succeed a little later.
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Throttled | Self::Server | Self::Network | Self::Timeout
        )
    }
}

/// A failed call. It contains the API's message and nothing of the request, so no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The operation that was called.
    pub operation: Operation,
    /// The kind of the failure.
    pub kind: ErrorKind,
    /// The API's error code, if the response has one.
    pub code: Option<String>,
    /// The API's message, or a description of what went wrong.
    pub message: String,
    /// The API's ID of the request, for Alibaba Cloud's support.
    pub request_id: Option<String>,
    /// The HTTP status, if there was a response.
    pub status: Option<u16>,
    /// The delay before the next attempt that the API asks for.
    pub retry_after: Option<Duration>,
}

impl ApiError {
    /// A failure without a response.
    pub fn local(operation: Operation, kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            operation,
            kind,
            code: None,
            message: message.into(),
            request_id: None,
            status: None,
            retry_after: None,
        }
    }

    /// The reason as a label.
    pub fn reason(&self) -> Reason {
        self.kind.reason()
    }

    /// Returns true if the API is overloaded, by its error code or its status.
    pub fn asks_to_slow_down(&self) -> bool {
        self.kind == ErrorKind::Throttled || self.status == Some(503)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.operation.as_str())?;
        if let Some(status) = self.status {
            write!(f, "HTTP {status}: ")?;
        }
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_lasts_if_an_operator_has_to_act() {
        use ErrorKind::*;
        let lasting = |kind: &ErrorKind| kind.is_lasting();
        assert!(
            [Credentials, Forbidden, ClusterNotFound]
                .iter()
                .all(lasting)
        );
        assert!(
            ![
                NoCredentials,
                TokenExpired,
                NonceUsed,
                Clock,
                Network,
                Timeout,
                Server,
                Throttled
            ]
            .iter()
            .any(lasting)
        );
    }

    #[test]
    fn only_a_failure_that_may_soon_be_over_is_retried() {
        use ErrorKind::*;
        for kind in [Throttled, Server, Network, Timeout] {
            assert!(kind.is_retryable(), "{kind:?}");
        }
        // A new nonce or token, or an operator, resolves these.
        for kind in [
            Credentials,
            NoCredentials,
            TokenExpired,
            NonceUsed,
            Clock,
            Forbidden,
            ClusterNotFound,
            OperationGone,
            Rejected,
            Foreign,
            Decode,
            RateLimited,
        ] {
            assert!(!kind.is_retryable(), "{kind:?}");
        }
    }
}
