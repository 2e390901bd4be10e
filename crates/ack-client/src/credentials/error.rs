//! Errors about credentials, by what the operator can do about them. No message contains a secret.

use std::fmt;
use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use safe_input::text::is_invisible;

use super::network::HttpError;
use super::refusal::Refusal;
use crate::sign::SignError;

/// The name of a provider, such as `oidc_role_arn` or `cli_profile:default (RamRoleArn)`: at most
/// 128 characters, all visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderName(String);

impl ProviderName {
    const MAX_LENGTH: usize = 128;

    pub(super) fn new(text: &str) -> Self {
        Self(
            text.chars()
                .filter(|c| !is_invisible(*c))
                .take(Self::MAX_LENGTH)
                .collect(),
        )
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The failure of a provider to give credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{provider}: {problem}")]
pub struct CredentialsError {
    /// The provider.
    pub provider: ProviderName,
    /// The problem.
    pub problem: Problem,
}

impl CredentialsError {
    /// Returns true if a later attempt may succeed without a change of settings, such as after a
    /// server's downtime or when a file has been written.
    pub fn is_transient(&self) -> bool {
        self.problem.is_transient()
    }

    /// Returns true if `other` has the same cause, whatever the time and the request ID in it.
    pub(super) fn has_cause_of(&self, other: &Self) -> bool {
        let has_same_cause = match (&self.problem, &other.problem) {
            (Problem::Refused(one), Problem::Refused(other)) => {
                (&one.host, one.status, &one.code) == (&other.host, other.status, &other.code)
            }
            (Problem::Expired(_), Problem::Expired(_)) => true,
            (Problem::Source(one), Problem::Source(other)) => one.has_cause_of(other),
            (one, other) => one == other,
        };
        has_same_cause && self.provider == other.provider
    }
}

/// A reason why a provider gives no credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No provider of the default chain is configured. The texts say what each one lacks.
    #[error("no credentials are configured: {}", .0.join("; "))]
    NothingConfigured(Vec<String>),
    /// The provider is not configured, so the default chain goes on to the next one. Only what
    /// looks for the configuration of a link may return it (`load_if_configured`, `find` and
    /// `env::load`): from a configured provider it would make the chain log in with another
    /// identity.
    #[error("{0}")]
    NotConfigured(String),
    /// The default chain finds no role of this machine, for the reason in it, and goes on.
    #[error("{0}")]
    NoMachineRole(Box<Problem>),
    /// A part of the configuration is missing, which the text names.
    #[error("{0}")]
    Incomplete(String),
    /// A file cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason that the system gives.
        reason: String,
    },
    /// A file or a setting is malformed, in the place that the text names.
    #[error("{0}")]
    Malformed(String),
    /// The provider is not supported.
    #[error("{0}")]
    Unsupported(String),
    /// A server did not respond.
    #[error("{host} does not answer: {error}")]
    Unreachable {
        /// The server.
        host: String,
        /// The reason.
        error: HttpError,
    },
    /// A server refused the request.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The metadata service knows no role.
    #[error("{host} knows of no RAM role for this machine")]
    NoRole {
        /// The metadata service.
        host: String,
    },
    /// A response is not the expected one.
    #[error("the reply of {host} {complaint}")]
    BadResponse {
        /// The server.
        host: String,
        /// The mistake, as the rest of a sentence about the response.
        complaint: String,
    },
    /// The credentials had expired when they arrived.
    #[error("the credentials expired at {0}; if they are new, the clock is wrong")]
    Expired(Timestamp),
    /// The source credentials cannot sign.
    #[error(transparent)]
    Unsignable(#[from] SignError),
    /// There are no source credentials to assume a role with.
    #[error("source {0}")]
    Source(Box<CredentialsError>),
    /// The refresh was aborted, which is a bug.
    #[error("the refresh broke off")]
    Aborted,
}

impl Problem {
    fn is_transient(&self) -> bool {
        match self {
            Self::Unreadable { .. }
            | Self::Malformed(_)
            | Self::Unreachable { .. }
            | Self::BadResponse { .. }
            | Self::Expired(_)
            | Self::Aborted => true,
            Self::Refused(refusal) => refusal.is_transient(),
            Self::Source(source) => source.is_transient(),
            Self::NoMachineRole(problem) => problem.is_transient(),
            Self::NothingConfigured(_)
            | Self::NotConfigured(_)
            | Self::Incomplete(_)
            | Self::Unsupported(_)
            | Self::NoRole { .. }
            | Self::Unsignable(_) => false,
        }
    }

    /// The error that this problem of `provider` is.
    pub(super) fn of(self, provider: &str) -> CredentialsError {
        CredentialsError {
            provider: ProviderName::new(provider),
            problem: self,
        }
    }

    pub(super) fn unreadable(path: impl Into<PathBuf>, error: &io::Error) -> Self {
        Self::Unreadable {
            path: path.into(),
            reason: system_message(error),
        }
    }

    pub(super) fn refused(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }

    pub(super) fn bad_response(host: &str, complaint: impl Into<String>) -> Self {
        Self::BadResponse {
            host: host.to_owned(),
            complaint: complaint.into(),
        }
    }

    /// The problem of a request to `host` that failed with `error`.
    pub(super) fn no_response(host: &str, error: HttpError) -> Self {
        match error {
            HttpError::TooLarge => Self::bad_response(host, "is too long"),
            error => Self::Unreachable {
                host: host.to_owned(),
                error,
            },
        }
    }
}

/// The message of `error` without the number of the system's error.
fn system_message(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((message, _)) => message.to_owned(),
        None => text,
    }
}
