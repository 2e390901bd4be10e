//! A reply: whether it is the vendor's, what it says, and what its errors mean.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::{ApiError, ErrorKind};
use super::operation::Operation;
use crate::credentials::Credential;
use crate::outgoing::Words;
use crate::upgrade::clean_message;

/// Reads `response` as the answer to `operation` at `now`. The vendor may repeat what was sent with `credential`, in an
/// answer as well as in an error; its secrets are taken out first.
pub(super) fn read<T>(operation: Operation, response: &Response<Bytes>, now: Timestamp, credential: &Credential) -> Result<T, ApiError>
where
    T: DeserializeOwned + Default + PartialEq,
{
    let text = without_secrets(response.body(), credential);
    let body = Body::of(&text);
    let error = || VendorError::of(body).filter(VendorError::is_meant);
    let unusable = |kind, message| unusable(operation, response, kind, message, now, credential);
    if response.status().is_success() {
        let answer: T = body.decode().map_err(|message| unusable(ErrorKind::Decode, message))?;
        // An error under a good status would otherwise read as an answer in which every field is absent.
        return match (answer == T::default()).then(error).flatten() {
            Some(error) => Err(vendor_error(operation, response, error, now, credential)),
            None => Ok(answer),
        };
    }
    Err(match error() {
        Some(error) => vendor_error(operation, response, error, now, credential),
        None => unusable(foreign_kind(response.status()), foreign_message(response)),
    })
}

/// The body without what it repeats, before any field of it is read: none can be forgotten. Bytes that are no text do not
/// keep the rest of a body from being read, and must not keep a secret in it.
fn without_secrets<'a>(body: &'a [u8], credential: &Credential) -> Cow<'a, [u8]> {
    match credential.hide_in(&String::from_utf8_lossy(body)) {
        // What stands in for a secret must not look like an element.
        Cow::Owned(clean) if matches!(Body::of(body), Body::Xml(_)) => clean.replace("<secret>", "&lt;secret&gt;").into_bytes().into(),
        Cow::Owned(clean) => clean.into_bytes().into(),
        Cow::Borrowed(_) => body.into(),
    }
}

/// A body by its look; the vendor's content types cannot be relied on.
#[derive(Debug, Clone, Copy)]
enum Body<'a> {
    Json(&'a [u8]),
    Xml(&'a [u8]),
    Html,
    Empty,
    Other,
}

impl<'a> Body<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
        let starts_with = |prefix: &[u8]| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        match text.first() {
            None => Self::Empty,
            Some(b'{') => Self::Json(text),
            Some(b'<') if starts_with(b"<html") || starts_with(b"<!doctype") => Self::Html,
            Some(b'<') => Self::Xml(text),
            Some(_) => Self::Other,
        }
    }

    /// The messages say where, never what: a body may hold anything.
    fn decode<T: DeserializeOwned>(self) -> Result<T, String> {
        match self {
            // serde_json counts levels only in what it reads, not in what no field is for.
            Self::Json(text) if depth(text) > MAX_DEPTH => Err(format!("JSON that nests more than {MAX_DEPTH} deep")),
            Self::Json(text) => serde_json::from_slice(text).map_err(|error| {
                let what = match error.classify() {
                    serde_json::error::Category::Eof => "JSON that ends early",
                    serde_json::error::Category::Data => "JSON of another shape",
                    serde_json::error::Category::Syntax | serde_json::error::Category::Io => "broken JSON",
                };
                format!("{what}, at line {} column {}", error.line(), error.column())
            }),
            Self::Xml(text) => {
                let text = std::str::from_utf8(text).map_err(|_| "XML that is not UTF-8".to_owned())?;
                quick_xml::de::from_str(text).map_err(|_| "XML that is broken or of another shape".to_owned())
            }
            Self::Html => Err("an HTML page".to_owned()),
            Self::Empty => Err("an empty body".to_owned()),
            Self::Other => Err("neither a JSON object nor XML".to_owned()),
        }
    }
}

/// How deep JSON may nest: as `serde_json` has it.
const MAX_DEPTH: usize = 128;

/// How deep `json` nests; of what is no JSON, something.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            // A text, to its end.
            b'"' => while bytes.next().is_some_and(|byte| *byte != b'"' && (*byte != b'\\' || bytes.next().is_some())) {},
            _ => {}
        }
    }
    deepest
}

/// Both of the vendor's error bodies: the service's (`code`) and the gateway's (`Code`).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct VendorError {
    #[serde(alias = "Code")]
    code: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
    #[serde(rename = "requestId", alias = "RequestId", alias = "requestid", alias = "request_id")]
    request_id: Option<String>,
    #[serde(rename = "accessDeniedDetail", alias = "AccessDeniedDetail")]
    access_denied_detail: Option<AccessDenied>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AccessDenied {
    #[serde(rename = "AuthAction")]
    auth_action: Option<String>,
}

impl VendorError {
    /// The error that `body` is.
    fn of(body: Body<'_>) -> Option<Self> {
        let Body::Json(_) = body else { return body.decode().ok() };
        let Words { code, message, request_id, action } = body.decode().ok()?;
        let access_denied_detail = action.map(|action| AccessDenied { auth_action: Some(action) });
        Some(Self { code, message, request_id, access_denied_detail })
    }

    /// Once more, since XML and JSON can spell a letter in many ways. Before anything is cut off: half a secret is one too.
    fn without_secrets(self, credential: &Credential) -> Self {
        let hide = |text: Option<String>| text.map(|text| credential.hide_in(&text).into_owned());
        Self { code: hide(self.code), message: hide(self.message), request_id: hide(self.request_id), ..self }
    }

    fn is_meant(&self) -> bool {
        self.code.as_ref().is_some_and(|code| !code.is_empty())
    }
}

fn vendor_error(operation: Operation, response: &Response<Bytes>, error: VendorError, now: Timestamp, credential: &Credential) -> ApiError {
    let error = error.without_secrets(credential);
    let code = error.code.unwrap_or_default();
    let kind = kind_of(&code, response.status());
    let mut message = clean_message(error.message.as_deref().unwrap_or_default());
    if kind == ErrorKind::Forbidden {
        let action = error.access_denied_detail.and_then(|detail| detail.auth_action);
        let action = action.map_or_else(|| format!("cs:{}", operation.as_str()), |action| clean_message(&action));
        message = format!("{message}; RAM must allow {action}");
    }
    if kind == ErrorKind::Clock
        && let Some(skew) = skew(response.headers(), now)
    {
        message = format!("{message}; our clock is {skew}");
    }
    ApiError {
        operation,
        kind,
        code: Some(clean_message(&code)),
        message,
        request_id: error.request_id.map(|id| clean_message(&id)).or_else(|| request_id(response.headers(), credential)),
        status: Some(response.status().as_u16()),
        retry_after: retry_after(response.headers(), now),
    }
}

fn unusable(
    operation: Operation,
    response: &Response<Bytes>,
    kind: ErrorKind,
    message: String,
    now: Timestamp,
    credential: &Credential,
) -> ApiError {
    ApiError {
        operation,
        kind,
        code: None,
        message,
        request_id: request_id(response.headers(), credential),
        status: Some(response.status().as_u16()),
        retry_after: retry_after(response.headers(), now),
    }
}

/// The vendor's code decides; the status is asked only where the code is not known, since it varies by gateway.
fn kind_of(code: &str, status: StatusCode) -> ErrorKind {
    let code = code.to_ascii_lowercase();
    let is = |prefixes: &[&str]| prefixes.iter().any(|prefix| code.starts_with(prefix));
    if code.contains("throttling") {
        ErrorKind::Throttled
    } else if is(&["errorclusternotfound"]) {
        ErrorKind::ClusterNotFound
    } else if is(&["statusforbidden", "forbidden", "errorcheckacl", "nopermission"]) {
        ErrorKind::Forbidden
    } else if is(&["invalidsecuritytoken.expired", "invalidsecuritytoken.malformed", "invalidsecuritytoken.mismatchwithaccesskey"]) {
        ErrorKind::TokenExpired
    } else if is(&["signaturenonceused"]) {
        ErrorKind::NonceUsed
    } else if is(&["invalidtimestamp", "illegaltimestamp"]) {
        ErrorKind::Clock
    } else if is(&["invalidaccesskeyid", "signaturedoesnotmatch", "incompletesignature", "invalidsecuritytoken", "missingsecuritytoken"]) {
        ErrorKind::Credentials
    } else if is(&["invalidapi", "invalidaction"]) {
        ErrorKind::OperationGone
    } else if is(&["serviceunavailable", "internalerror", "unknownerror", "errorquerycluster"]) {
        ErrorKind::Server
    } else {
        match status.as_u16() {
            401 => ErrorKind::Credentials,
            403 => ErrorKind::Forbidden,
            429 => ErrorKind::Throttled,
            500..=599 => ErrorKind::Server,
            _ => ErrorKind::Rejected,
        }
    }
}

/// Without the vendor's words, a 4xx tells of a proxy rather than of the cluster or the credentials.
fn foreign_kind(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        429 => ErrorKind::Throttled,
        500..=599 => ErrorKind::Server,
        _ => ErrorKind::Foreign,
    }
}

fn foreign_message(response: &Response<Bytes>) -> String {
    if response.status().is_redirection() {
        return "a redirect, which is not followed".to_owned();
    }
    match Body::of(response.body()) {
        Body::Html => "an HTML page, probably a proxy's",
        Body::Empty => "an empty body",
        Body::Json(_) | Body::Xml(_) | Body::Other => "a body that is not the vendor's",
    }
    .to_owned()
}

/// `x-acs-retry-after` is in milliseconds; `Retry-After` in seconds, or a date, which is by the clock of whoever sends it.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let until = || Duration::try_from(date(headers, "date").unwrap_or(now).duration_until(date(headers, "retry-after")?)).ok();
    let wish = number("x-acs-retry-after").map(Duration::from_millis).or_else(|| number("retry-after").map(Duration::from_secs));
    wish.or_else(until).filter(|wish| !wish.is_zero())
}

/// A header with a date as RFC 9110 has it.
fn date(headers: &HeaderMap, name: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(headers.get(name)?.to_str().ok()?).ok()
}

fn skew(headers: &HeaderMap, now: Timestamp) -> Option<String> {
    let theirs = date(headers, "date")?;
    let seconds = now.as_second() - theirs.as_second();
    Some(if seconds >= 0 { format!("{seconds} s ahead of the vendor's") } else { format!("{} s behind the vendor's", -seconds) })
}

fn request_id(headers: &HeaderMap, credential: &Credential) -> Option<String> {
    let id = headers.get("x-acs-request-id")?.to_str().ok()?;
    Some(clean_message(&credential.hide_in(id))).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests;
