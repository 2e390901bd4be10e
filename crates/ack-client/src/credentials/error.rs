//! What can go wrong, sorted by what the operator can do about it. No message holds a secret.

use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;

use super::network::HttpError;
use crate::sign::SignError;

/// Where credentials come from, such as `oidc_role_arn` or `cli_profile:default (RamRoleArn)`: at
/// most 128 characters, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderName(String);

impl ProviderName {
    const MAX_LENGTH: usize = 128;

    pub(super) fn new(text: &str) -> Self {
        Self(
            text.chars()
                .filter(|c| !c.is_control())
                .take(Self::MAX_LENGTH)
                .collect(),
        )
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why there are no credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{provider}: {problem}")]
pub struct CredentialsError {
    /// Who failed.
    pub provider: ProviderName,
    /// How.
    pub problem: Problem,
}

impl CredentialsError {
    /// Whether it may be over without anybody doing something about it here: a server that does not
    /// answer, a file that is about to be written.
    pub fn may_pass(&self) -> bool {
        match &self.problem {
            Problem::Unreadable { .. }
            | Problem::Malformed(_)
            | Problem::Unreachable { .. }
            | Problem::Reply { .. }
            | Problem::Expired(_)
            | Problem::BrokeOff => true,
            Problem::Refused(refusal) => refusal.may_pass(),
            Problem::Source(source) => source.may_pass(),
            Problem::NothingConfigured(_)
            | Problem::NotConfigured(_)
            | Problem::Incomplete(_)
            | Problem::Unsupported(_)
            | Problem::NoRole { .. }
            | Problem::Unsignable(_) => false,
        }
    }

    /// Whether the same is wrong in `other`, whatever request or time it names.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let is_like = match (&self.problem, &other.problem) {
            (Problem::Refused(one), Problem::Refused(other)) => {
                (&one.host, one.status, &one.code) == (&other.host, other.status, &other.code)
            }
            (Problem::Expired(_), Problem::Expired(_)) => true,
            (Problem::Source(one), Problem::Source(other)) => one.is_like(other),
            (one, other) => one == other,
        };
        is_like && self.provider == other.provider
    }
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The default chain found nothing; what each provider missed.
    #[error("no credentials are configured: {}", .0.join("; "))]
    NothingConfigured(Vec<String>),
    /// This provider is not configured.
    #[error("{0}")]
    NotConfigured(String),
    /// This provider is configured in part; the text names what is missing.
    #[error("{0}")]
    Incomplete(String),
    /// A file cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A file or a setting is not what it should be; the text says where.
    #[error("{0}")]
    Malformed(String),
    /// The provider is one that this exporter does without.
    #[error("{0}")]
    Unsupported(String),
    /// A server did not answer.
    #[error("{host} does not answer: {error}")]
    Unreachable {
        /// The server.
        host: String,
        /// Why not.
        error: HttpError,
    },
    /// A server said no.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The metadata service knows of no role.
    #[error("{host} knows of no RAM role for this machine")]
    NoRole {
        /// The metadata service.
        host: String,
    },
    /// A server answered with something else.
    #[error("the reply of {host} {complaint}")]
    Reply {
        /// The server.
        host: String,
        /// What is wrong with it.
        complaint: String,
    },
    /// The credentials had run out when they came.
    #[error("the credentials expired at {0}; if they are new, the clock is wrong")]
    Expired(Timestamp),
    /// The credentials that should sign cannot.
    #[error(transparent)]
    Unsignable(#[from] SignError),
    /// The credentials that a role is assumed with failed.
    #[error("source {0}")]
    Source(Box<CredentialsError>),
    /// The refresh broke off; a bug.
    #[error("the refresh broke off")]
    BrokeOff,
}

/// A server's refusal, in its own words where it has some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The server.
    pub host: String,
    /// The HTTP status.
    pub status: u16,
    /// The vendor's code.
    pub code: Option<String>,
    /// The vendor's message, or what we make of the reply.
    pub message: String,
    /// The vendor's ID of the request, for its support.
    pub request_id: Option<String>,
    /// What would help.
    pub advice: Option<String>,
}

impl Refusal {
    /// Whether it is not the server's own word that it will not: it has a problem or too much to
    /// do, the clocks differ, or something stands before it.
    fn may_pass(&self) -> bool {
        let Some(code) = self.code.as_ref().map(|code| code.to_ascii_lowercase()) else {
            return true;
        };
        self.status >= 500
            || matches!(self.status, 408 | 429)
            || ["throttling", "timestamp"]
                .iter()
                .any(|word| code.contains(word))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered HTTP {}", self.host, self.status)?;
        for part in [self.code.as_deref(), Some(self.message.as_str())]
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
        {
            write!(f, ": {part}")?;
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

impl Problem {
    /// The error of `provider` that this problem is.
    pub(super) fn of(self, provider: &str) -> CredentialsError {
        CredentialsError {
            provider: ProviderName::new(provider),
            problem: self,
        }
    }

    /// A file that could not be read.
    pub(super) fn unreadable(path: impl Into<PathBuf>, error: &std::io::Error) -> Self {
        Self::Unreadable {
            path: path.into(),
            reason: reason(error),
        }
    }

    /// A server's refusal.
    pub(super) fn refused(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }

    /// A reply that is not what was asked for.
    pub(super) fn reply(host: &str, complaint: impl Into<String>) -> Self {
        Self::Reply {
            host: host.to_owned(),
            complaint: complaint.into(),
        }
    }

    /// A request without a reply.
    pub(super) fn unanswered(host: &str, error: HttpError) -> Self {
        match error {
            HttpError::TooLarge => Self::reply(host, "is too long"),
            error => Self::Unreachable {
                host: host.to_owned(),
                error,
            },
        }
    }
}
/// The reason of `error` without the number that the system gives it.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error ")
        .next()
        .unwrap_or_default()
        .to_owned()
}
