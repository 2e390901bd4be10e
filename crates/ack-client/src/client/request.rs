//! A call before it is signed, and a signed request for people to read.

use http::HeaderValue;

use crate::credentials::Credential;
use crate::endpoint::Endpoint;
use crate::operation::Operation;
use crate::sign::encode::canonical_query;
use crate::sign::{CS_VERSION, SignedRequest, UnsignedRequest};

/// A call of an operation. All operations in use are GET.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The operation.
    pub operation: Operation,
    /// The server.
    pub endpoint: &'a Endpoint,
    /// The path, percent-encoded.
    pub path: &'a str,
    /// The query, not encoded. No value may be empty: the SDKs do not agree on how to sign one.
    pub query: &'a [(&'a str, String)],
}

impl<'a> Call<'a> {
    /// A call without a query.
    pub fn new(operation: Operation, endpoint: &'a Endpoint, path: &'a str) -> Self {
        Self {
            operation,
            endpoint,
            path,
            query: &[],
        }
    }

    pub(super) fn unsigned(&self) -> UnsignedRequest<'_> {
        UnsignedRequest {
            method: "GET",
            authority: self.endpoint.authority(),
            action: self.operation.as_str(),
            path: self.path,
            query: self.query,
            version: CS_VERSION,
            form: None,
        }
    }

    /// Path and query as they are sent.
    pub(super) fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.to_owned()
        } else {
            format!("{}?{}", self.path, canonical_query(self.query))
        }
    }
}

/// A signed request that is not sent, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedRequest {
    /// The whole URL.
    pub url: String,
    /// All signed headers and the signature. A security token is `<secret>`.
    pub headers: Vec<(String, String)>,
    /// The canonical request, in schemes that have one.
    pub canonical_request: Option<String>,
    /// The string to sign.
    pub string_to_sign: String,
}

impl ExplainedRequest {
    pub(super) fn new(call: &Call<'_>, signed: &SignedRequest, credential: &Credential) -> Self {
        let redact = |text: &str| credential.redact(text).into_owned();
        let value_text = |value: &HeaderValue| redact(&String::from_utf8_lossy(value.as_bytes()));
        Self {
            url: format!("{}{}", call.endpoint, call.target()),
            headers: signed
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value_text(value)))
                .collect(),
            canonical_request: signed.canonical_request.as_deref().map(redact),
            string_to_sign: redact(&signed.string_to_sign),
        }
    }
}
