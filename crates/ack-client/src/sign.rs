//! Signing: pure functions of request, credential, date and nonce.
//!
//! Both schemes end in a few headers that are added to the request. The functions in [`acs3`] and
//! [`roa`] take the request as it is on the wire, so the same code signs here, explains to the
//! operator, and checks in the stand-in.

pub mod acs3;
pub mod encode;
pub mod roa;

use std::borrow::Cow;
use std::fmt;

use http::HeaderValue;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HOST, HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::secret::Secret;

/// How requests are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// ACS3-HMAC-SHA256, the vendor's V3.
    Acs3,
    /// ROA with HMAC-SHA1, the vendor's V2.
    Roa,
}

/// The version of the Container Service API.
pub const CS_VERSION: &str = "2015-12-15";

/// A call that is to be signed.
#[derive(Debug, Clone, Copy)]
pub struct Unsigned<'a> {
    /// The method in upper case.
    pub method: &'a str,
    /// Host and, unless it is the scheme's own, port: the `Host` header on the wire.
    pub authority: &'a str,
    /// The operation's name, such as `GetUpgradeStatus`.
    pub action: &'static str,
    /// The path as sent.
    pub path: &'a str,
    /// The query, decoded and in any order.
    pub query: &'a [(&'a str, String)],
    /// The product's API version, such as [`CS_VERSION`].
    pub version: &'static str,
    /// A form-encoded body, if there is one; only ACS3 signs it.
    pub form: Option<&'a str>,
}

/// Who signs: a key pair, and the token that belongs to it if it is a temporary one.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    /// The public half.
    pub access_key_id: &'a str,
    /// The secret half.
    pub access_key_secret: &'a Secret,
    /// The token of a temporary pair.
    pub security_token: Option<&'a Secret>,
}

/// What makes one attempt different from the next.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// The time of sending.
    pub time: Timestamp,
    /// A value that is never used again.
    pub nonce: String,
}

/// The headers to send, and the texts that led to the signature, which have the security token in
/// them.
#[derive(Clone)]
pub struct Signed {
    /// All headers of the request, `Authorization` included.
    pub headers: HeaderMap,
    /// The canonical request, in schemes that have one.
    pub canonical_request: Option<String>,
    /// The text under the signature.
    pub string_to_sign: String,
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// Why a request cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The value has characters that no header can carry; a key with a line break at its end, for
    /// example.
    #[error("the {0} has characters that a header cannot carry")]
    NotAHeader(&'static str),
}

static X_ACS_ACTION: HeaderName = HeaderName::from_static("x-acs-action");
static X_ACS_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-acs-content-sha256");
static X_ACS_DATE: HeaderName = HeaderName::from_static("x-acs-date");
static X_ACS_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-acs-security-token");
static X_ACS_SIGNATURE_METHOD: HeaderName = HeaderName::from_static("x-acs-signature-method");
static X_ACS_SIGNATURE_NONCE: HeaderName = HeaderName::from_static("x-acs-signature-nonce");
static X_ACS_SIGNATURE_VERSION: HeaderName = HeaderName::from_static("x-acs-signature-version");
static X_ACS_VERSION: HeaderName = HeaderName::from_static("x-acs-version");

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// Signs `call` under `scheme`.
pub fn sign<'a>(
    scheme: Signature,
    call: &Unsigned<'_>,
    key: impl Into<Key<'a>>,
    stamp: &Stamp,
) -> Result<Signed, SignError> {
    let key = key.into();
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(HOST, value("host", call.authority.to_owned())?);
    headers.insert(ACCEPT, JSON);
    headers.insert(&X_ACS_ACTION, value("action", call.action)?);
    headers.insert(&X_ACS_VERSION, value("version", call.version)?);
    headers.insert(&X_ACS_SIGNATURE_NONCE, value("nonce", stamp.nonce.clone())?);
    if let Some(token) = key.security_token {
        let mut token = value("security token", token.expose().to_owned())?;
        token.set_sensitive(true);
        headers.insert(&X_ACS_SECURITY_TOKEN, token);
    }
    let (authorization, canonical_request, string_to_sign) = match scheme {
        Signature::Acs3 => {
            headers.insert(&X_ACS_DATE, value("date", acs3::date(stamp.time))?);
            let content_sha256 = call.form.map_or(Cow::Borrowed(acs3::EMPTY_SHA256), |form| {
                acs3::content_sha256(form.as_bytes()).into()
            });
            headers.insert(
                &X_ACS_CONTENT_SHA256,
                value("content hash", content_sha256.clone())?,
            );
            if call.form.is_some() {
                headers.insert(CONTENT_TYPE, FORM);
            }
            let signed = signed_headers(&headers, acs3::is_signed);
            let input = acs3::Input {
                method: call.method,
                path: call.path,
                query: call.query,
                headers: &signed,
                content_sha256: &content_sha256,
            };
            let canonical = acs3::canonical_request(&input);
            let to_sign = acs3::string_to_sign(&canonical);
            let signature = acs3::signature(key.access_key_secret, &to_sign);
            (
                acs3::authorization(key.access_key_id, &signed, &signature),
                Some(canonical),
                to_sign,
            )
        }
        Signature::Roa => {
            headers.insert(DATE, value("date", roa::date(stamp.time))?);
            headers.insert(
                &X_ACS_SIGNATURE_METHOD,
                HeaderValue::from_static("HMAC-SHA1"),
            );
            headers.insert(&X_ACS_SIGNATURE_VERSION, HeaderValue::from_static("1.0"));
            let signed = signed_headers(&headers, roa::is_signed);
            let to_sign = roa::string_to_sign(&roa::Input {
                method: call.method,
                path: call.path,
                query: call.query,
                headers: &signed,
            });
            let signature = roa::signature(key.access_key_secret, &to_sign);
            (
                roa::authorization(key.access_key_id, &signature),
                None,
                to_sign,
            )
        }
    };
    let mut authorization = value("access key ID", authorization)?;
    authorization.set_sensitive(true);
    headers.insert(AUTHORIZATION, authorization);
    Ok(Signed {
        headers,
        canonical_request,
        string_to_sign,
    })
}

/// The headers that `wanted` picks, as name and value, sorted by name.
fn signed_headers(headers: &HeaderMap, wanted: fn(&str) -> bool) -> Vec<(&str, &str)> {
    let mut signed: Vec<_> = headers
        .iter()
        .filter(|(name, _)| wanted(name.as_str()))
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    signed.sort_unstable();
    signed
}

fn value(what: &'static str, text: impl Into<Cow<'static, str>>) -> Result<HeaderValue, SignError> {
    let text = text.into();
    // Only what `to_str` gives back can be signed, so nothing beyond visible ASCII may get in.
    if !text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Err(SignError::NotAHeader(what));
    }
    match text {
        Cow::Borrowed(text) => Ok(HeaderValue::from_static(text)),
        Cow::Owned(text) => HeaderValue::try_from(text).map_err(|_| SignError::NotAHeader(what)),
    }
}

#[cfg(test)]
mod tests;
