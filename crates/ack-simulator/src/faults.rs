//! Faults: the ways in which responses can go wrong.

mod effect;
mod injector;
mod parse;
mod rewrite;
mod rule;

use std::time::Duration;

pub(crate) use self::effect::{Replacement, proxy_page};
pub(crate) use self::injector::{CallSubject, FaultInjector};
pub use self::parse::{InvalidRule, parse_rules};
pub use self::rule::Rule;

use crate::response::Framing;

/// A fault of one response.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// A throttling error.
    Throttled {
        /// 400, 429 or 503; each is sent by some generation of the gateway.
        status: u16,
        /// The wait in `x-acs-retry-after`.
        retry_after: Option<Duration>,
    },
    /// A server error.
    ServerError {
        /// The status, 500 or above.
        status: u16,
        /// The body of the response.
        body: ErrorBody,
    },
    /// The right response after this time.
    Slow(Duration),
    /// No response.
    Hang,
    /// A reset of the connection.
    Reset,
    /// A body without its end.
    Truncated,
    /// A body of 8 GiB.
    Huge(Framing),
    /// A body that is sent byte by byte, with this time between two bytes.
    Drip(Duration),
    /// A body that starts like JSON and breaks off.
    Malformed,
    /// A body that is not text.
    Garbage,
    /// A page of HTML with status 200.
    HtmlPage,
    /// JSON with 200,000 nested arrays.
    DeepNesting,
    /// JSON in which every value has a wrong type.
    WrongTypes,
    /// A redirect to this location.
    Redirect(String),
    /// The right response in XML, although JSON was accepted.
    XmlResponse,
    /// An error in XML, although JSON was accepted.
    XmlError,
    /// An empty body with status 200.
    EmptyBody,
    /// A proxy's page with this status.
    ProxyPage(u16),
    /// The error for an expired security token.
    ExpiredToken,
    /// The error for a nonce that was used before.
    NonceUsed,
    /// The error for clocks that are too far apart.
    ClockSkew,
    /// RAM's error for a missing permission.
    Forbidden,
    /// States that are not documented.
    UnknownValues,
    /// A response that repeats the whole request, security token included.
    Repeat(RepeatIn),
}

/// The place in which [`Fault::Repeat`] repeats the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepeatIn {
    /// In the message of a signature error, as the API does.
    Error,
    /// In the texts of an otherwise right response.
    Response,
}

/// The body of a [`Fault::ServerError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorBody {
    /// The service's JSON.
    Json,
    /// An empty body.
    Nothing,
    /// A page of HTML.
    Html,
}
