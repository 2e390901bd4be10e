//! Responses that are not what the operation should return, as an [`ApiError`] each.

use bytes::Bytes;
use http::{Response, StatusCode};
use jiff::Timestamp;

use super::body::Body;
use super::headers::{clock_skew, request_id, retry_after};
use crate::credentials::Credential;
use crate::decode::ErrorFields;
use crate::error::{ApiError, ErrorKind};
use crate::operation::Operation;
use crate::text::clean_message;

/// A failed call, from which errors are made.
#[derive(Clone, Copy)]
pub(super) struct Failure<'a> {
    pub(super) operation: Operation,
    pub(super) response: &'a Response<Bytes>,
    pub(super) now: Timestamp,
    pub(super) credential: &'a Credential,
}

impl Failure<'_> {
    /// An error of the API itself.
    pub(super) fn into_api_error(self, fields: ErrorFields) -> ApiError {
        let code = self.redact(fields.error_code().unwrap_or_default());
        let kind = kind_of_code(&code, self.response.status());
        let text = self.redact(fields.message.as_deref().unwrap_or_default());
        let mut message = match advice(&code) {
            Some(advice) => format!("{advice}: {}", first_sentence(&text)),
            None => clean_message(&text),
        };
        if kind == ErrorKind::Forbidden {
            let action = match fields.action {
                Some(action) => clean_message(&action),
                None => self.operation.ram_action(),
            };
            message = format!("{message}; RAM must allow {action}");
        }
        if kind == ErrorKind::Clock
            && let Some(skew) = clock_skew(self.response.headers(), self.now)
        {
            message = format!("{message}; our clock is {skew}");
        }
        ApiError {
            code: Some(clean_message(&code)),
            request_id: fields
                .request_id
                .map(|id| clean_message(&self.redact(&id)))
                .or_else(|| self.request_id()),
            ..self.error(kind, message)
        }
    }

    /// A refusal by something between here and the API, such as a proxy.
    pub(super) fn into_other_error(self, body: &Body<'_>) -> ApiError {
        let status = self.response.status();
        let message = match body {
            _ if status.is_redirection() => "a redirect, which is not followed",
            Body::Html => "an HTML page, probably a proxy's",
            Body::Empty => "an empty body",
            Body::Json(_) | Body::Xml { .. } | Body::Other => "a body that is not the API's",
        };
        self.error(kind_of_status(status), message.to_owned())
    }

    /// A response with a success status that is not the operation's.
    pub(super) fn undecodable(self, message: String) -> ApiError {
        self.error(ErrorKind::Decode, message)
    }

    fn error(self, kind: ErrorKind, message: String) -> ApiError {
        ApiError {
            operation: self.operation,
            kind,
            code: None,
            message,
            request_id: self.request_id(),
            status: Some(self.response.status().as_u16()),
            retry_after: retry_after(self.response.headers(), self.now),
        }
    }

    fn request_id(self) -> Option<String> {
        let id = request_id(self.response.headers())?;
        Some(clean_message(&self.redact(id))).filter(|id| !id.is_empty())
    }

    // The body has been redacted before, but JSON and XML can escape any letter. Text is redacted
    // before it is cut: a part of a secret is secret too.
    fn redact(self, text: &str) -> String {
        self.credential.redact(text).into_owned()
    }
}

/// The cause of an error about the credentials, for the operator.
fn advice(code: &str) -> Option<&'static str> {
    const ADVICE: [(&str, &str); 4] = [
        ("signaturedoesnotmatch", "the access key secret is wrong"),
        (
            "incompletesignature",
            "the access key secret is wrong, or something on the way changes requests",
        ),
        (
            "invalidaccesskeyid.notfound",
            "there is no such access key ID",
        ),
        ("invalidaccesskeyid.inactive", "the access key is disabled"),
    ];
    let code = code.to_ascii_lowercase();
    ADVICE
        .iter()
        .find(|(prefix, _)| code.starts_with(prefix))
        .map(|(_, advice)| *advice)
}

/// The first sentence of a message. What follows may be the whole string to sign.
fn first_sentence(message: &str) -> String {
    let end = message.find(". ").map_or(message.len(), |end| end + 1);
    let sentence = &message[..end];
    match sentence.find("string to sign") {
        Some(end) => clean_message(&format!("{}string to sign: …", &sentence[..end])),
        None => clean_message(sentence),
    }
}

/// The prefixes of error codes in lower case, and their kinds; the first that fits counts.
const KINDS: [(&[&str], ErrorKind); 8] = [
    (&["errorclusternotfound"], ErrorKind::ClusterNotFound),
    (
        &[
            "statusforbidden",
            "forbidden",
            "errorcheckacl",
            "nopermission",
        ],
        ErrorKind::Forbidden,
    ),
    (
        &[
            "invalidsecuritytoken.expired",
            "invalidsecuritytoken.malformed",
            "invalidsecuritytoken.mismatchwithaccesskey",
        ],
        ErrorKind::TokenExpired,
    ),
    (&["signaturenonceused"], ErrorKind::NonceUsed),
    (&["invalidtimestamp", "illegaltimestamp"], ErrorKind::Clock),
    (
        &[
            "invalidaccesskeyid",
            "signaturedoesnotmatch",
            "incompletesignature",
            "invalidsecuritytoken",
            "missingsecuritytoken",
        ],
        ErrorKind::Credentials,
    ),
    (&["invalidapi", "invalidaction"], ErrorKind::OperationGone),
    (
        &[
            "serviceunavailable",
            "internalerror",
            "unknownerror",
            "errorquerycluster",
        ],
        ErrorKind::Server,
    ),
];

/// The kind of an error of the API. The code decides; the status, which differs between gateways,
/// counts only for unknown codes. A number is a gateway's code and means the status of that number.
fn kind_of_code(code: &str, status: StatusCode) -> ErrorKind {
    if let Ok(number) = code.parse::<u16>() {
        return kind_of_status(StatusCode::from_u16(number).unwrap_or(status));
    }
    let code = code.to_ascii_lowercase();
    if code.contains("throttling") {
        return ErrorKind::Throttled;
    }
    let known = KINDS
        .iter()
        .find(|(prefixes, _)| prefixes.iter().any(|prefix| code.starts_with(prefix)));
    match known {
        Some((_, kind)) => *kind,
        None => match status.as_u16() {
            401 => ErrorKind::Credentials,
            403 => ErrorKind::Forbidden,
            429 => ErrorKind::Throttled,
            500..=599 => ErrorKind::Server,
            _ => ErrorKind::Rejected,
        },
    }
}

/// The kind of a response without an error code of the API. A status of 4xx is then a proxy's, and
/// says nothing about the cluster or the credentials.
fn kind_of_status(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        429 => ErrorKind::Throttled,
        500..=599 => ErrorKind::Server,
        _ => ErrorKind::Foreign,
    }
}
