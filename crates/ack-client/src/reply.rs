//! A reply: whether it is the vendor's, what it says, and what its errors mean.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use quick_xml::events::Event;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::error::{ApiError, ErrorKind};
use super::operation::Operation;
use crate::credentials::Credential;
use crate::outgoing::{Key, Object, Use, Words};
use crate::text::clean_message;

/// The answer of an operation.
pub(super) trait Answer: Object {
    /// Whether the object is one. `fields` says what there is in it.
    fn is_complete(&self, fields: Fields) -> bool {
        fields != Fields::Foreign
    }
}

/// The fields of an object, as far as they say whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fields {
    /// There are none.
    None,
    /// None is the operation's and can be used.
    Foreign,
    /// One is, or the object is of the operation's name.
    Own,
}

/// Reads `response` as the answer to `operation` at `now`. The vendor may repeat what was sent with
/// `credential`, in an answer as well as in an error; its secrets are taken out first.
pub(super) fn read<T: Answer>(
    operation: Operation,
    response: &Response<Bytes>,
    now: Timestamp,
    credential: &Credential,
) -> Result<T, ApiError> {
    let text = without_secrets(response.body(), credential);
    let body = Body::of(&text);
    let unusable = |kind, message| unusable(operation, response, kind, message, now, credential);
    if !response.status().is_success() {
        return Err(match body.error() {
            Some(error) => vendor_error(operation, response, error, now, credential),
            None => unusable(
                foreign_kind(response.status()),
                foreign_message(response.status(), &body),
            ),
        });
    }
    let Received::<T> {
        answer,
        fields,
        words,
        keys,
    } = match body.received(operation) {
        Ok(received) => received,
        // An error under a good status.
        Err(message) => {
            return Err(match body.error() {
                Some(error) => vendor_error(operation, response, error, now, credential),
                None => unusable(ErrorKind::Decode, message),
            });
        }
    };
    // No operation's answer has a code of its own, but an error's may have fields that look like an
    // answer's.
    if code(&words).is_some() {
        return Err(vendor_error(operation, response, words, now, credential));
    }
    if !answer.is_complete(fields) {
        let keys = if keys.is_empty() {
            "none".to_owned()
        } else {
            clean_message(&credential.hide_in(&keys))
        };
        let language = if matches!(body, Body::Xml { .. }) {
            "XML"
        } else {
            "JSON"
        };
        let message = format!(
            "{language} that is not an answer of {}; its keys: {keys}",
            operation.as_str()
        );
        return Err(unusable(ErrorKind::Decode, message));
    }
    Ok(answer)
}

/// The body as text without what it repeats, before any field of it is read: none can be forgotten.
/// Bytes that are no text do not keep the rest of a body from being read, and must not keep a
/// secret in it.
fn without_secrets<'a>(body: &'a [u8], credential: &Credential) -> Cow<'a, str> {
    let text = String::from_utf8_lossy(body);
    match credential.hide_in(&text) {
        // What stands in for a secret must not look like an element.
        Cow::Owned(clean) if matches!(Body::of(&text), Body::Xml { .. }) => {
            clean.replace("<secret>", "&lt;secret&gt;").into()
        }
        Cow::Owned(clean) => clean.into(),
        Cow::Borrowed(_) => text,
    }
}

/// A body by its look; the vendor's content types cannot be relied on.
#[derive(Debug)]
enum Body<'a> {
    Json(&'a str),
    Xml { root: String, text: &'a str },
    Html,
    Empty,
    Other,
}

impl<'a> Body<'a> {
    fn of(text: &'a str) -> Self {
        let text = text.trim_start_matches('\u{feff}').trim_ascii();
        let is_doctype = || {
            text.get(..9)
                .is_some_and(|start| start.eq_ignore_ascii_case("<!doctype"))
        };
        match text.as_bytes().first() {
            None => Self::Empty,
            Some(b'{') => Self::Json(text),
            Some(b'<') if is_doctype() => Self::Html,
            Some(b'<') => {
                let root = root(text).unwrap_or_default();
                let is_html = ["html", "head", "body"]
                    .iter()
                    .any(|name| root.eq_ignore_ascii_case(name));
                if is_html {
                    Self::Html
                } else {
                    Self::Xml { root, text }
                }
            }
            Some(_) => Self::Other,
        }
    }

    /// The answer to `operation`, and whatever else stands beside it. The messages say where, never
    /// what: a body may hold anything.
    fn received<T: Object>(&self, operation: Operation) -> Result<Received<T>, String> {
        match self {
            Self::Json(text) => from_json(text),
            Self::Xml { root, text }
                if root.strip_suffix("Response") == Some(operation.as_str()) =>
            {
                let received: Received<T> = from_xml(text)?;
                Ok(Received {
                    fields: Fields::Own,
                    ..received
                })
            }
            Self::Xml { root, .. } if root.is_empty() => Err("broken XML".to_owned()),
            Self::Xml { root, .. } => Err(format!(
                "XML that is not an answer of {}; its root: {}",
                operation.as_str(),
                clean_message(root)
            )),
            Self::Html => Err("an HTML page".to_owned()),
            Self::Empty => Err("an empty body".to_owned()),
            Self::Other => Err("neither a JSON object nor XML".to_owned()),
        }
    }

    /// The error that it is, if it is one: the service's (`code`) or the gateway's (`Code`).
    fn error(&self) -> Option<Words> {
        let words: Words = match self {
            Self::Json(text) => from_json(text).ok()?,
            Self::Xml { root, text } if root == "Error" || root.ends_with("Response") => {
                from_xml(text).ok()?
            }
            _ => return None,
        };
        code(&words).is_some().then_some(words)
    }
}

/// The name of the outermost element, without its namespace.
fn root(xml: &str) -> Option<String> {
    let mut reader = quick_xml::Reader::from_str(xml);
    loop {
        match reader.read_event().ok()? {
            Event::Start(element) | Event::Empty(element) => {
                return Some(element.local_name().as_ref().to_owned());
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    // serde_json counts levels only in what it reads, not in what no field is for.
    if depth(text.as_bytes()) > MAX_DEPTH {
        return Err(format!("JSON that nests more than {MAX_DEPTH} deep"));
    }
    serde_json::from_slice(&without_lone_surrogates(text.as_bytes())).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Eof => "JSON that ends early",
            serde_json::error::Category::Data => "JSON of another shape",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "broken JSON",
        };
        format!("{what}, at line {} column {}", error.line(), error.column())
    })
}

fn from_xml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    quick_xml::de::from_str(text).map_err(|_| "broken XML".to_owned())
}

/// An object as it came.
struct Received<T> {
    answer: T,
    fields: Fields,
    /// Those of an error.
    words: Words,
    /// The first keys, to tell people whose it is.
    keys: String,
}

impl<'de, T: Object> Deserialize<'de> for Received<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ReceivedVisitor(PhantomData))
    }
}

struct ReceivedVisitor<T>(PhantomData<T>);

impl<'de, T: Object> Visitor<'de> for ReceivedVisitor<T> {
    type Value = Received<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Received<T>, A::Error> {
        let mut received = Received {
            answer: T::default(),
            fields: Fields::None,
            words: Words::default(),
            keys: String::new(),
        };
        while let Some(Key(key)) = map.next_key()? {
            note(&mut received.keys, &key);
            let used = received.answer.read(&key, &mut map)?;
            if used == Use::Foreign && received.words.read(&key, &mut map)? == Use::Foreign {
                map.next_value::<IgnoredAny>()?;
            }
            if used == Use::Some {
                received.fields = Fields::Own;
            } else if received.fields == Fields::None {
                received.fields = Fields::Foreign;
            }
        }
        Ok(received)
    }
}

/// How long a list of keys may be, in bytes.
const MAX_KEYS: usize = 120;

/// Adds `key` to `keys`, unless they are enough.
fn note(keys: &mut String, key: &str) {
    if keys.ends_with('…') {
        return;
    }
    if !keys.is_empty() {
        keys.push_str(", ");
    }
    keys.push_str(if keys.len() + key.len() > MAX_KEYS {
        "…"
    } else {
        key
    });
}

/// `json` with the escapes of halves of characters replaced, which JavaScript and Python write and
/// which no text can have.
fn without_lone_surrogates(json: &[u8]) -> Cow<'_, [u8]> {
    let mut json = Cow::Borrowed(json);
    let mut at = 0;
    while let Some(found) = json[at..].iter().position(|byte| *byte == b'\\') {
        at += found;
        match (
            surrogate(&json[at..]),
            surrogate(&json[(at + 6).min(json.len())..]),
        ) {
            (None, _) => at += 2,
            (Some(Surrogate::High), Some(Surrogate::Low)) => at += 12,
            (Some(_), _) => {
                json.to_mut()[at + 2..at + 6].copy_from_slice(b"fffd");
                at += 6;
            }
        }
        at = at.min(json.len());
    }
    json
}

enum Surrogate {
    High,
    Low,
}

/// The half of a character that `json` begins with, if it is one.
fn surrogate(json: &[u8]) -> Option<Surrogate> {
    let [b'\\', b'u', b'd' | b'D', second, third, fourth, ..] = json else {
        return None;
    };
    if !third.is_ascii_hexdigit() || !fourth.is_ascii_hexdigit() {
        return None;
    }
    match second.to_ascii_lowercase() {
        b'8'..=b'9' | b'a'..=b'b' => Some(Surrogate::High),
        b'c'..=b'f' => Some(Surrogate::Low),
        _ => None,
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
            b'"' => {
                while bytes
                    .next()
                    .is_some_and(|byte| *byte != b'"' && (*byte != b'\\' || bytes.next().is_some()))
                {
                }
            }
            _ => {}
        }
    }
    deepest
}

/// The code in `words`, unless it says that all is well.
fn code(words: &Words) -> Option<&str> {
    let code = words.code.as_deref().or(words.number.as_deref())?.trim();
    let is_well = ["", "0", "200", "ok", "success"]
        .iter()
        .any(|well| code.eq_ignore_ascii_case(well));
    (!is_well).then_some(code)
}

fn vendor_error(
    operation: Operation,
    response: &Response<Bytes>,
    words: Words,
    now: Timestamp,
    credential: &Credential,
) -> ApiError {
    // Once more, since XML and JSON can spell a letter in many ways. Before anything is cut off:
    // half a secret is one too.
    let hide = |text: &str| credential.hide_in(text).into_owned();
    let code = hide(code(&words).unwrap_or_default());
    let kind = kind_of(&code, response.status());
    let said = hide(words.message.as_deref().unwrap_or_default());
    let mut message = match advice(&code) {
        Some(advice) => format!("{advice}: {}", first_sentence(&said)),
        None => clean_message(&said),
    };
    if kind == ErrorKind::Forbidden {
        let action = words.action.map_or_else(
            || format!("cs:{}", operation.as_str()),
            |action| clean_message(&action),
        );
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
        request_id: words
            .request_id
            .map(|id| clean_message(&hide(&id)))
            .or_else(|| request_id(response.headers(), credential)),
        status: Some(response.status().as_u16()),
        retry_after: retry_after(response.headers(), now),
    }
}

/// What is wrong with the credentials, in plain words.
fn advice(code: &str) -> Option<&'static str> {
    let code = code.to_ascii_lowercase();
    let advice = [
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
    advice
        .into_iter()
        .find(|(prefix, _)| code.starts_with(prefix))
        .map(|(_, advice)| advice)
}

/// The beginning of a message that may go on with all that was signed.
fn first_sentence(message: &str) -> String {
    let end = message.find(". ").map_or(message.len(), |end| end + 1);
    let sentence = &message[..end];
    match sentence.find("string to sign") {
        Some(end) => clean_message(&format!("{}string to sign: …", &sentence[..end])),
        None => clean_message(sentence),
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

/// The vendor's code decides; the status is asked only where the code is not known, since it varies
/// by gateway. A number is no code of the vendor's.
fn kind_of(code: &str, status: StatusCode) -> ErrorKind {
    if let Ok(number) = code.parse::<u16>() {
        return foreign_kind(StatusCode::from_u16(number).unwrap_or(status));
    }
    let code = code.to_ascii_lowercase();
    let is = |prefixes: &[&str]| prefixes.iter().any(|prefix| code.starts_with(prefix));
    if code.contains("throttling") {
        ErrorKind::Throttled
    } else if is(&["errorclusternotfound"]) {
        ErrorKind::ClusterNotFound
    } else if is(&[
        "statusforbidden",
        "forbidden",
        "errorcheckacl",
        "nopermission",
    ]) {
        ErrorKind::Forbidden
    } else if is(&[
        "invalidsecuritytoken.expired",
        "invalidsecuritytoken.malformed",
        "invalidsecuritytoken.mismatchwithaccesskey",
    ]) {
        ErrorKind::TokenExpired
    } else if is(&["signaturenonceused"]) {
        ErrorKind::NonceUsed
    } else if is(&["invalidtimestamp", "illegaltimestamp"]) {
        ErrorKind::Clock
    } else if is(&[
        "invalidaccesskeyid",
        "signaturedoesnotmatch",
        "incompletesignature",
        "invalidsecuritytoken",
        "missingsecuritytoken",
    ]) {
        ErrorKind::Credentials
    } else if is(&["invalidapi", "invalidaction"]) {
        ErrorKind::OperationGone
    } else if is(&[
        "serviceunavailable",
        "internalerror",
        "unknownerror",
        "errorquerycluster",
    ]) {
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

/// Without the vendor's words, a 4xx tells of a proxy rather than of the cluster or the
/// credentials.
fn foreign_kind(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        429 => ErrorKind::Throttled,
        500..=599 => ErrorKind::Server,
        _ => ErrorKind::Foreign,
    }
}

fn foreign_message(status: StatusCode, body: &Body<'_>) -> String {
    if status.is_redirection() {
        return "a redirect, which is not followed".to_owned();
    }
    match body {
        Body::Html => "an HTML page, probably a proxy's",
        Body::Empty => "an empty body",
        Body::Json(_) | Body::Xml { .. } | Body::Other => "a body that is not the API's",
    }
    .to_owned()
}

/// `x-acs-retry-after` is in milliseconds; `Retry-After` in seconds, or a date, which is by the
/// clock of whoever sends it.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let until = || {
        Duration::try_from(
            date(headers, "date")
                .unwrap_or(now)
                .duration_until(date(headers, "retry-after")?),
        )
        .ok()
    };
    let wish = number("x-acs-retry-after")
        .map(Duration::from_millis)
        .or_else(|| number("retry-after").map(Duration::from_secs));
    wish.or_else(until).filter(|wish| !wish.is_zero())
}

/// A header with a date as RFC 9110 has it.
fn date(headers: &HeaderMap, name: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new()
        .parse_timestamp(headers.get(name)?.to_str().ok()?)
        .ok()
}

fn skew(headers: &HeaderMap, now: Timestamp) -> Option<String> {
    let theirs = date(headers, "date")?;
    let seconds = now.as_second() - theirs.as_second();
    Some(if seconds >= 0 {
        format!("{seconds} s ahead of the vendor's")
    } else {
        format!("{} s behind the vendor's", -seconds)
    })
}

fn request_id(headers: &HeaderMap, credential: &Credential) -> Option<String> {
    let id = headers.get("x-acs-request-id")?.to_str().ok()?;
    Some(clean_message(&credential.hide_in(id))).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests;
