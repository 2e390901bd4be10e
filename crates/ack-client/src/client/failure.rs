//! The errors of calls that got no response.

use crate::credentials::CredentialsError;
use crate::error::{ApiError, ErrorKind};
use crate::operation::Operation;
use crate::transport::TransportError;

/// The error of two attempts in a row. A timeout that the budget has cut short says less than an
/// earlier one with a limit of its own.
pub(super) fn more_specific(earlier: Option<ApiError>, error: ApiError) -> ApiError {
    earlier
        .filter(|earlier| (earlier.kind, error.kind) == (ErrorKind::Timeout, ErrorKind::Timeout))
        .unwrap_or(error)
}

pub(super) fn rate_limited(operation: Operation) -> ApiError {
    ApiError::local(
        operation,
        ErrorKind::RateLimited,
        "the account's rate_limit leaves no room within the budget",
    )
}

pub(super) fn no_credentials(operation: Operation, error: &CredentialsError) -> ApiError {
    let kind = if error.is_transient() {
        ErrorKind::NoCredentials
    } else {
        ErrorKind::Credentials
    };
    ApiError::local(operation, kind, error.to_string())
}

pub(super) fn transport_failure(operation: Operation, error: &TransportError) -> ApiError {
    let kind = match error {
        TransportError::Connect(_) | TransportError::Broken(_) => ErrorKind::Network,
        TransportError::ConnectTimeout(_) => ErrorKind::Timeout,
        TransportError::TooLarge => ErrorKind::Decode,
    };
    let message = match error {
        TransportError::TooLarge => {
            let limit = operation.max_response();
            format!("the response is longer than {limit} bytes")
        }
        error => error.to_string(),
    };
    ApiError::local(operation, kind, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_several_timeouts_in_a_row_is_reported_and_else_the_last_failure() {
        let error =
            |kind, message: &str| ApiError::local(Operation::GetUpgradeStatus, kind, message);
        let message = |earlier, kind| more_specific(earlier, error(kind, "last")).message;
        let connecting = || Some(error(ErrorKind::Timeout, "no connection in 3 s"));
        assert_eq!(
            message(connecting(), ErrorKind::Timeout),
            "no connection in 3 s"
        );
        assert_eq!(message(connecting(), ErrorKind::Server), "last");
        assert_eq!(
            message(Some(error(ErrorKind::Server, "first")), ErrorKind::Timeout),
            "last"
        );
        assert_eq!(message(None, ErrorKind::Timeout), "last");
    }
}
