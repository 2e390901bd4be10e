//! A request as it was received, with its query decoded, and the parameters of a call to STS.

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{ACCEPT, HOST};
use http::{HeaderMap, Method, Request, StatusCode};

use crate::error_response::ErrorResponse;

/// A request.
#[derive(Debug)]
pub(crate) struct ReceivedRequest {
    pub(crate) method: Method,
    /// Percent-encoded, as it was sent.
    pub(crate) path: String,
    /// Decoded, in the order in which it was sent.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl ReceivedRequest {
    pub(crate) fn new(request: Request<Bytes>) -> Self {
        let (parts, body) = request.into_parts();
        Self {
            path: parts.uri.path().to_owned(),
            query: decode_form(parts.uri.query().unwrap_or_default().as_bytes()),
            method: parts.method,
            headers: parts.headers,
            body,
        }
    }

    /// The request as text, for the faults that repeat it. The security token comes first, so that
    /// it survives any truncation.
    pub(crate) fn text(&self) -> String {
        let is_token = |name: &http::HeaderName| name.as_str() == "x-acs-security-token";
        let mut headers: Vec<_> = self.headers.iter().collect();
        headers.sort_by_key(|(name, _)| !is_token(name));
        let mut text = String::from_utf8_lossy(&self.body).into_owned();
        for (name, value) in headers {
            write!(
                text,
                "; {name}: {}",
                String::from_utf8_lossy(value.as_bytes())
            )
            .expect("a String takes every write");
        }
        write!(text, "; {} {}", self.method, self.path).expect("a String takes every write");
        text
    }

    /// The value of a header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The `Host` header with its port.
    pub(crate) fn host(&self) -> &str {
        self.header(HOST.as_str()).unwrap_or_default()
    }

    /// A parameter of the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns true if the client accepts JSON; the API sends XML otherwise.
    pub(crate) fn accepts_json(&self) -> bool {
        self.headers
            .get_all(ACCEPT)
            .iter()
            .any(|value| value.to_str().is_ok_and(|value| value.contains("json")))
    }
}

/// The parameters of a call to STS, from its query and its form.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(crate) fn of(request: &ReceivedRequest) -> Self {
        let form = decode_form(&request.body);
        Self(request.query.iter().cloned().chain(form).collect())
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn require(&self, name: &str) -> Result<&str, ErrorResponse> {
        self.find(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| {
                let code = format!("MissingParameter.{name}");
                let message = format!("{name} is mandatory for this action.");
                ErrorResponse::gateway(StatusCode::BAD_REQUEST, &code, message)
            })
    }

    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

/// Decodes a query or a form. The encodings that different clients use for one query have the same
/// result.
pub(crate) fn decode_form(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

/// Decodes percent-encoding, and keeps invalid escapes.
pub(crate) fn percent_decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_encodings_of_a_query_decode_to_the_same() {
        for encoding in ["name=a+b%2Ac&n=", "name=a%20b*c&n", "name=a%20b%2ac&n="] {
            assert_eq!(
                decode_form(encoding.as_bytes()),
                [
                    ("name".to_owned(), "a b*c".to_owned()),
                    ("n".to_owned(), String::new())
                ],
                "{encoding}"
            );
        }
        assert_eq!(percent_decode("100%"), "100%");
        assert_eq!(percent_decode("%zz%E9%9B%86"), "%zz集");
    }
}
