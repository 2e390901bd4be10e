//! What can go wrong with a call, sorted by what the operator or the caller can do about it.

use std::fmt;
use std::time::Duration;

use super::operation::Operation;

/// The bounded label that a failure has in metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The credentials were refused, or there were none.
    Auth,
    /// RAM does not allow the action.
    Forbidden,
    /// There is no such cluster.
    NotFound,
    /// The vendor asked to slow down.
    Throttled,
    /// Our own limit left no room for the call.
    RateLimited,
    /// The vendor was silent until the time was over.
    Timeout,
    /// There was no connection, or it broke.
    Network,
    /// The vendor had an error of its own.
    Server,
    /// The reply could not be understood.
    Decode,
    /// Anything else.
    Other,
}

impl Reason {
    /// Every reason, in the order of exposition.
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

/// What happened, as finely as somebody may have to tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The vendor does not know the key, or the signature does not fit it; or there are no
    /// credentials, and somebody has to do something about it.
    Credentials,
    /// There are no credentials for now: whoever gives them does not answer or has none yet.
    NoCredentials,
    /// The security token has run out or does not fit its key; a fresh one helps.
    TokenExpired,
    /// The nonce was used before; a new one helps.
    NonceUsed,
    /// Our clock and the vendor's are too far apart.
    Clock,
    /// RAM does not allow the action.
    Forbidden,
    /// There is no such cluster.
    ClusterNotFound,
    /// The vendor says that there is no such operation.
    OperationGone,
    /// The vendor asked to slow down.
    Throttled,
    /// The vendor refused the call for another reason, in words of its own.
    Rejected,
    /// The vendor had an error of its own.
    Server,
    /// A refusal that is not in the vendor's words: a proxy's page, a redirect.
    Foreign,
    /// The reply is not what the operation answers.
    Decode,
    /// No connection, or it broke.
    Network,
    /// No reply until the time was over.
    Timeout,
    /// Our own limit left no room.
    RateLimited,
}

impl ErrorKind {
    /// The label of this failure.
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

    /// Whether it lasts until somebody does something about it, as far as one call can tell.
    pub fn is_lasting(self) -> bool {
        matches!(
            self,
            Self::Credentials | Self::Forbidden | Self::ClusterNotFound
        )
    }

    /// Whether the same call may succeed when it is made again a little later.
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Throttled | Self::Server | Self::Network | Self::Timeout
        )
    }
}

/// A call that failed. Holds no secret: what the vendor says is kept, what we sent is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The call.
    pub operation: Operation,
    /// What happened.
    pub kind: ErrorKind,
    /// The vendor's code, if the reply had one.
    pub code: Option<String>,
    /// The vendor's message or our own description.
    pub message: String,
    /// The vendor's ID of the request, for its support.
    pub request_id: Option<String>,
    /// The HTTP status, if there was a reply.
    pub status: Option<u16>,
    /// How long the vendor asked to wait before the next try.
    pub retry_after: Option<Duration>,
}

impl ApiError {
    /// A failure without a reply.
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

    /// The label of this failure.
    pub fn reason(&self) -> Reason {
        self.kind.reason()
    }

    /// True if the API is asked too much, by its words or by its status.
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
    fn what_somebody_has_to_mend_lasts() {
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
    fn only_what_may_be_over_in_a_moment_is_tried_again() {
        use ErrorKind::*;
        for kind in [Throttled, Server, Network, Timeout] {
            assert!(kind.is_retryable(), "{kind:?}");
        }
        // Some are mended by a new nonce or token, which is another call; the rest by somebody.
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
