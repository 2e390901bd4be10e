//! Responses of the API: decodes the expected object, or turns anything else into an [`ApiError`].

mod body;
mod failure;
mod headers;
mod json;
mod object;

use std::borrow::Cow;

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use serde::de::{Error as _, SeqAccess};

use self::body::Body;
use self::failure::Failure;
use self::object::DecodedObject;
use crate::credentials::Credential;
use crate::decode::{FieldRead, LenientObject};
use crate::error::ApiError;
use crate::operation::Operation;
use crate::text::clean_message;

/// The object that an operation responds with.
pub(crate) trait ResponseObject: LenientObject {
    /// Returns true if the object is a response of the operation, and not one of another system.
    fn is_recognized(&self, keys: KnownKeys) -> bool {
        keys != KnownKeys::NoneUsable
    }

    /// Reads a response that is a list in place of an object. Few operations have one.
    fn read_list<'de, A: SeqAccess<'de>>(&mut self, _: A) -> Result<FieldRead, A::Error> {
        Err(A::Error::custom("a list"))
    }
}

/// The keys of a decoded object, as far as they show which operation it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KnownKeys {
    /// The object has no keys.
    Empty,
    /// The object has keys, none of which is a usable field of the operation.
    NoneUsable,
    /// The object has a usable field of the operation, or the operation's name.
    SomeUsable,
}

/// Decodes `response` to `operation`, which was received at `now`.
///
/// A response or an error may repeat the request, so the secrets of `credential` are removed
/// first.
pub(crate) fn decode<T: ResponseObject>(
    operation: Operation,
    response: &Response<Bytes>,
    now: Timestamp,
    credential: &Credential,
) -> Result<T, ApiError> {
    let failure = Failure {
        operation,
        response,
        now,
        credential,
    };
    let text = redacted_text(response.body(), credential);
    let body = Body::of(&text);
    if !response.status().is_success() {
        return Err(match body.error_fields() {
            Some(fields) => failure.into_api_error(fields),
            None => failure.into_other_error(&body),
        });
    }
    let decoded: DecodedObject<T> = match body.object(operation) {
        Ok(decoded) => decoded,
        // Some gateways send errors with a success status.
        Err(message) => {
            return Err(match body.error_fields() {
                Some(fields) => failure.into_api_error(fields),
                None => failure.undecodable(message),
            });
        }
    };
    // No operation's response has a code, while an error may have fields of an operation's name.
    if decoded.error_fields.error_code().is_some() {
        return Err(failure.into_api_error(decoded.error_fields));
    }
    if !decoded.object.is_recognized(decoded.known_keys) {
        let keys = if decoded.keys.is_empty() {
            "none".to_owned()
        } else {
            clean_message(&credential.redact(&decoded.keys))
        };
        return Err(failure.undecodable(format!(
            "{} that is not an answer of {}; its keys: {keys}",
            body.format(),
            operation.as_str()
        )));
    }
    Ok(decoded.object)
}

/// The body as text, without secrets that it repeats. Bytes that are not UTF-8 are replaced: they
/// must neither hide the rest of the body nor a secret in it.
fn redacted_text<'a>(body: &'a [u8], credential: &Credential) -> Cow<'a, str> {
    let text = String::from_utf8_lossy(body);
    match credential.redact(&text) {
        // The placeholder must not look like an XML element.
        Cow::Owned(redacted) if matches!(Body::of(&text), Body::Xml { .. }) => {
            redacted.replace("<secret>", "&lt;secret&gt;").into()
        }
        Cow::Owned(redacted) => redacted.into(),
        Cow::Borrowed(_) => text,
    }
}

#[cfg(test)]
mod tests;
