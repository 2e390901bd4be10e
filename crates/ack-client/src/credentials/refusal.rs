//! The refusal of a server to give credentials.

use std::fmt;

/// A response that refuses a request for credentials. The texts contain no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The server.
    pub host: String,
    /// The HTTP status.
    pub status: u16,
    /// The error code, if the server sent one.
    pub code: Option<String>,
    /// The error message of the server, or a description of the response.
    pub message: String,
    /// The ID of the request, for Alibaba Cloud's support.
    pub request_id: Option<String>,
    /// The probable cause, for the operator.
    pub advice: Option<String>,
}

impl Refusal {
    /// Returns true if a later request may succeed without a change of settings: the server is
    /// faulty or overloaded, the clocks differ, or the response is not that of the API.
    pub(super) fn is_transient(&self) -> bool {
        let Some(code) = &self.code else {
            return true;
        };
        let code = code.to_ascii_lowercase();
        self.status >= 500
            || matches!(self.status, 408 | 429)
            || code.contains("throttling")
            || code.contains("timestamp")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered HTTP {}", self.host, self.status)?;
        if let Some(code) = self.code.as_deref().filter(|code| !code.is_empty()) {
            write!(f, ": {code}")?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        if let Some(advice) = &self.advice {
            write!(f, "; {advice}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
