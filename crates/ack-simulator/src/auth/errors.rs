//! Errors of the gateway about signatures, keys, dates and tokens.

use http::StatusCode;

use crate::error_response::ErrorResponse;

pub(crate) fn malformed_date() -> ErrorResponse {
    bad_request(
        "InvalidTimeStamp.Format",
        "Specified time stamp or date value is not well formatted.",
    )
}

pub(crate) fn clock_skew() -> ErrorResponse {
    bad_request(
        "InvalidTimeStamp.Expired",
        "Specified time stamp or date value is expired.",
    )
}

pub(crate) fn nonce_used() -> ErrorResponse {
    bad_request(
        "SignatureNonceUsed",
        "Specified signature nonce was used already.",
    )
}

pub(crate) fn token_expired() -> ErrorResponse {
    bad_request(
        "InvalidSecurityToken.Expired",
        "Specified SecurityToken is expired.",
    )
}

pub(crate) fn unknown_key() -> ErrorResponse {
    ErrorResponse::gateway(
        StatusCode::NOT_FOUND,
        "InvalidAccessKeyId.NotFound",
        "Specified access key is not found.",
    )
}

pub(crate) fn mismatch(hint: &str) -> ErrorResponse {
    bad_request(
        "SignatureDoesNotMatch",
        format!("Specified signature is not matched with our calculation. {hint}"),
    )
}

pub(crate) fn incomplete(reason: &str) -> ErrorResponse {
    bad_request(
        "IncompleteSignature",
        format!("The request signature does not conform to Aliyun standards. {reason}."),
    )
}

pub(crate) fn bad_request(code: &str, message: impl Into<String>) -> ErrorResponse {
    ErrorResponse::gateway(StatusCode::BAD_REQUEST, code, message)
}
