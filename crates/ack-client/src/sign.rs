//! Signing: a pure function of the request, the key, the time and the nonce.
//!
//! Both signature schemes end in a few headers that are added to the request. The functions in
//! [`acs3`] and [`roa`] take a request as it is sent, so that a server can check signatures with
//! the same code.

pub mod acs3;
pub mod encode;
pub mod roa;

use std::borrow::Cow;
use std::fmt;

use http::HeaderValue;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HOST, HeaderMap, HeaderName};
use jiff::Timestamp;

use crate::secret::Secret;

/// A signature scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// ACS3-HMAC-SHA256, which Alibaba Cloud calls V3.
    Acs3,
    /// ROA with HMAC-SHA1, which Alibaba Cloud calls V2.
    Roa,
}

/// The version of the Container Service API.
pub const CS_VERSION: &str = "2015-12-15";

/// A request before it is signed.
#[derive(Debug, Clone, Copy)]
pub struct UnsignedRequest<'a> {
    /// The method in upper case.
    pub method: &'a str,
    /// The `Host` header: the host, and the port unless it is that of the scheme.
    pub authority: &'a str,
    /// The name of the operation, such as `GetUpgradeStatus`.
    pub action: &'static str,
    /// The path as sent.
    pub path: &'a str,
    /// The query, not encoded, in any order.
    pub query: &'a [(&'a str, String)],
    /// The version of the API, such as [`CS_VERSION`].
    pub version: &'static str,
    /// The form-encoded body, if there is one. Only ACS3 signs it.
    pub form: Option<&'a str>,
}

/// A key pair to sign with.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    /// The public half.
    pub access_key_id: &'a str,
    /// The secret half.
    pub access_key_secret: &'a Secret,
    /// The token of a temporary pair.
    pub security_token: Option<&'a Secret>,
}

/// The time and the nonce, which differ between any two attempts.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// The time of sending.
    pub time: Timestamp,
    /// A value that is used once.
    pub nonce: String,
}

/// The headers of a signed request, and the texts that the signature was made of. The texts
/// contain the security token.
#[derive(Clone)]
pub struct SignedRequest {
    /// All headers of the request, `Authorization` included.
    pub headers: HeaderMap,
    /// The canonical request, in schemes that have one.
    pub canonical_request: Option<String>,
    /// The string to sign.
    pub string_to_sign: String,
}

impl fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedRequest")
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// A request that cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The named value has characters that no header can have, such as a key that ends with a line
    /// break.
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

/// Signs `request` in the scheme `signature`. The result has all headers to send, but for
/// `User-Agent`.
///
/// ```
/// use ack_client::secret::Secret;
/// use ack_client::sign::{CS_VERSION, Key, Signature, Stamp, UnsignedRequest, sign};
///
/// let request = UnsignedRequest {
///     method: "GET",
///     authority: "cs.cn-hangzhou.aliyuncs.com",
///     action: "GetUpgradeStatus",
///     path: "/api/v2/clusters/c82e6987e2961451182edacd74faf/upgrade/status",
///     query: &[],
///     version: CS_VERSION,
///     form: None,
/// };
/// let key = Key {
///     access_key_id: "LTAI5tExample",
///     access_key_secret: &Secret::new("not-a-real-secret"),
///     security_token: None,
/// };
/// let stamp = Stamp {
///     time: "2026-11-23T10:00:00Z".parse()?,
///     nonce: "4f1c".to_owned(),
/// };
/// let signed = sign(Signature::Acs3, &request, key, &stamp)?;
/// println!("{}", signed.string_to_sign);
/// assert!(signed.string_to_sign.starts_with("ACS3-HMAC-SHA256\n"));
/// assert_eq!(signed.headers["x-acs-date"], "2026-11-23T10:00:00Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sign<'a>(
    signature: Signature,
    request: &UnsignedRequest<'_>,
    key: impl Into<Key<'a>>,
    stamp: &Stamp,
) -> Result<SignedRequest, SignError> {
    let key = key.into();
    let mut headers = common_headers(request, key, stamp)?;
    let signed = match signature {
        Signature::Acs3 => sign_acs3(&mut headers, request, key, stamp)?,
        Signature::Roa => sign_roa(&mut headers, request, key, stamp)?,
    };
    let mut authorization = header_value("access key ID", signed.authorization)?;
    authorization.set_sensitive(true);
    headers.insert(AUTHORIZATION, authorization);
    Ok(SignedRequest {
        headers,
        canonical_request: signed.canonical_request,
        string_to_sign: signed.string_to_sign,
    })
}

/// The output of a signature scheme.
struct SchemeOutput {
    authorization: String,
    canonical_request: Option<String>,
    string_to_sign: String,
}

fn common_headers(
    request: &UnsignedRequest<'_>,
    key: Key<'_>,
    stamp: &Stamp,
) -> Result<HeaderMap, SignError> {
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(HOST, header_value("host", request.authority.to_owned())?);
    headers.insert(ACCEPT, JSON);
    headers.insert(&X_ACS_ACTION, header_value("action", request.action)?);
    headers.insert(&X_ACS_VERSION, header_value("version", request.version)?);
    headers.insert(
        &X_ACS_SIGNATURE_NONCE,
        header_value("nonce", stamp.nonce.clone())?,
    );
    if let Some(token) = key.security_token {
        let mut token = header_value("security token", token.expose().to_owned())?;
        token.set_sensitive(true);
        headers.insert(&X_ACS_SECURITY_TOKEN, token);
    }
    Ok(headers)
}

fn sign_acs3(
    headers: &mut HeaderMap,
    request: &UnsignedRequest<'_>,
    key: Key<'_>,
    stamp: &Stamp,
) -> Result<SchemeOutput, SignError> {
    let content_sha256 = match request.form {
        Some(form) => Cow::Owned(acs3::content_sha256(form.as_bytes())),
        None => Cow::Borrowed(acs3::EMPTY_SHA256),
    };
    headers.insert(&X_ACS_DATE, header_value("date", acs3::date(stamp.time))?);
    headers.insert(
        &X_ACS_CONTENT_SHA256,
        header_value("content hash", content_sha256.clone())?,
    );
    if request.form.is_some() {
        headers.insert(CONTENT_TYPE, FORM);
    }
    let signed_headers = select_headers(headers, acs3::is_signed);
    let canonical_request = acs3::canonical_request(&acs3::Input {
        method: request.method,
        path: request.path,
        query: request.query,
        headers: &signed_headers,
        content_sha256: &content_sha256,
    });
    let string_to_sign = acs3::string_to_sign(&canonical_request);
    let signature = acs3::signature(key.access_key_secret, &string_to_sign);
    Ok(SchemeOutput {
        authorization: acs3::authorization(key.access_key_id, &signed_headers, &signature),
        canonical_request: Some(canonical_request),
        string_to_sign,
    })
}

fn sign_roa(
    headers: &mut HeaderMap,
    request: &UnsignedRequest<'_>,
    key: Key<'_>,
    stamp: &Stamp,
) -> Result<SchemeOutput, SignError> {
    headers.insert(DATE, header_value("date", roa::date(stamp.time))?);
    headers.insert(
        &X_ACS_SIGNATURE_METHOD,
        HeaderValue::from_static("HMAC-SHA1"),
    );
    headers.insert(&X_ACS_SIGNATURE_VERSION, HeaderValue::from_static("1.0"));
    let string_to_sign = roa::string_to_sign(&roa::Input {
        method: request.method,
        path: request.path,
        query: request.query,
        headers: &select_headers(headers, roa::is_signed),
    });
    let signature = roa::signature(key.access_key_secret, &string_to_sign);
    Ok(SchemeOutput {
        authorization: roa::authorization(key.access_key_id, &signature),
        canonical_request: None,
        string_to_sign,
    })
}

/// The headers that `is_signed` selects, as name and value, sorted by name.
fn select_headers(headers: &HeaderMap, is_signed: fn(&str) -> bool) -> Vec<(&str, &str)> {
    let mut selected: Vec<_> = headers
        .iter()
        .filter(|(name, _)| is_signed(name.as_str()))
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    selected.sort_unstable();
    selected
}

/// Makes the value of a header. `name` names the value in errors.
fn header_value(
    name: &'static str,
    text: impl Into<Cow<'static, str>>,
) -> Result<HeaderValue, SignError> {
    let text = text.into();
    // `select_headers` would drop a value with other characters than visible ASCII.
    if !text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Err(SignError::NotAHeader(name));
    }
    match text {
        Cow::Borrowed(text) => Ok(HeaderValue::from_static(text)),
        Cow::Owned(text) => HeaderValue::try_from(text).map_err(|_| SignError::NotAHeader(name)),
    }
}

#[cfg(test)]
mod tests;
