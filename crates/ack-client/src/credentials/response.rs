//! The responses of STS, the metadata service and credentials URIs.

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Credential;
use super::error::Problem;
use super::redaction::redact;
use super::refusal::Refusal;
use crate::decode::ErrorFields;
use crate::secret::Secret;
use crate::text::clean_message;

/// Temporary credentials as Alibaba Cloud's services write them. It has no `Debug`, since the
/// fields are secrets.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct TemporaryKeys {
    access_key_id: Option<String>,
    access_key_secret: Option<String>,
    security_token: Option<String>,
    expiration: Option<String>,
}

/// The rule for responses that do not say when their credentials expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    Required,
    Optional,
}

impl TemporaryKeys {
    /// Converts the keys, which `host` sent. Both halves and the token are required.
    pub(super) fn credential(self, host: &str, expiry: Expiry) -> Result<Credential, Problem> {
        let expires_at = match self.expiration.filter(|text| !text.is_empty()) {
            Some(text) => Some(parse_expiration(text.trim()).ok_or_else(|| {
                Problem::bad_response(host, "has an Expiration that is not a time")
            })?),
            None if expiry == Expiry::Required => {
                return Err(Problem::bad_response(host, "has no Expiration"));
            }
            None => None,
        };
        let required = |name: &str, value: Option<String>| {
            value
                .filter(|value| !value.trim().is_empty())
                .ok_or_else(|| Problem::bad_response(host, format!("has no {name}")))
        };
        let secret = |name, value| required(name, value).map(Secret::new);
        Ok(Credential {
            access_key_id: required("AccessKeyId", self.access_key_id)?,
            access_key_secret: secret("AccessKeySecret", self.access_key_secret)?,
            security_token: Some(secret("SecurityToken", self.security_token)?),
            expires_at,
        })
    }
}

/// Parses a time. Many servers write the end of the year 9999 for "never", or a later year. Both
/// are more than a [`Timestamp`] can hold.
fn parse_expiration(text: &str) -> Option<Timestamp> {
    match text.parse() {
        Ok(time) => Some(time),
        Err(_) => is_beyond_timestamps(text).then_some(Timestamp::MAX),
    }
}

fn is_beyond_timestamps(text: &str) -> bool {
    let year = text.split('-').next().unwrap_or_default();
    let year = year.strip_prefix('+').unwrap_or(year);
    let has_five_digits = year.len() >= 5 && year.bytes().all(|byte| byte.is_ascii_digit());
    text.starts_with("9999-12-3") || (has_five_digits && text.contains('T'))
}

/// Decodes JSON or XML. The error gives the place of a mistake and never the text there, since a
/// response contains secrets.
pub(super) fn decode<T: DeserializeOwned>(
    host: &str,
    response: &Response<Bytes>,
) -> Result<T, Problem> {
    decode_text(response.body()).map_err(|complaint| Problem::bad_response(host, complaint))
}

fn decode_text<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let text = std::str::from_utf8(body).map_err(|_| "is not UTF-8".to_owned())?;
    let text = text.trim_start_matches('\u{feff}').trim();
    match text.bytes().next() {
        Some(b'{') => serde_json::from_str(text).map_err(|error| {
            format!(
                "is not the JSON it should be, at line {} column {}",
                error.line(),
                error.column()
            )
        }),
        Some(b'<') => {
            quick_xml::de::from_str(text).map_err(|_| "is not the XML it should be".to_owned())
        }
        Some(_) => Err("is neither JSON nor XML".to_owned()),
        None => Err("is empty".to_owned()),
    }
}

/// The refusal in the body of `response`, if it has a code other than `Success`. `secrets` are
/// removed from its texts.
pub(super) fn refusal_in_body(
    host: &str,
    response: &Response<Bytes>,
    secrets: &[&Secret],
) -> Option<Refusal> {
    let fields: ErrorFields = decode(host, response).ok()?;
    let code = fields
        .code
        .filter(|code| !code.is_empty() && !code.eq_ignore_ascii_case("success"))?;
    let clean = |text: String| clean_message(&redact_message(secrets, text));
    Some(Refusal {
        host: host.to_owned(),
        status: response.status().as_u16(),
        code: Some(clean(code)),
        message: clean(fields.message.unwrap_or_default()),
        request_id: fields.request_id.map(clean).filter(|id| !id.is_empty()),
        advice: None,
    })
}

/// The refusal that `response` is, which has no success status.
pub(super) fn refusal(host: &str, response: &Response<Bytes>, secrets: &[&Secret]) -> Refusal {
    if let Some(refusal) = refusal_in_body(host, response, secrets) {
        return refusal;
    }
    let message = if response.status().is_redirection() {
        "a redirect, which is not followed"
    } else {
        ""
    };
    Refusal {
        host: host.to_owned(),
        status: response.status().as_u16(),
        code: None,
        message: message.to_owned(),
        request_id: request_id(response, secrets),
        advice: None,
    }
}

/// Removes `secrets` from `message` before it is cut: a part of a secret is secret too.
fn redact_message(secrets: &[&Secret], mut message: String) -> String {
    // The string to sign is the canonical request, which has the security token in a header.
    if let Some(end) = message.find("string to sign") {
        message.truncate(end);
        message.push_str("string to sign: …");
    }
    redact(secrets, &message).into_owned()
}

fn request_id(response: &Response<Bytes>, secrets: &[&Secret]) -> Option<String> {
    let id = response.headers().get("x-acs-request-id")?.to_str().ok()?;
    Some(clean_message(&redact(secrets, id))).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_beyond_every_calendar_is_the_latest_time() {
        for text in [
            "9999-12-31T23:59:59Z",
            "9999-12-30T23:59:59-08:00",
            "10000-01-01T00:00:00Z",
            "+010000-01-01T00:00:00Z",
            "292277026596-12-04T15:30:08Z",
        ] {
            assert_eq!(parse_expiration(text), Some(Timestamp::MAX), "{text}");
        }
        let time = "2026-11-23T18:49:29Z";
        assert_eq!(
            parse_expiration(time)
                .map(|time| time.to_string())
                .as_deref(),
            Some(time)
        );
        for bad in [
            "never",
            "99999",
            "10000",
            "-10000-01-01T00:00:00Z",
            "1-1",
            "",
        ] {
            assert_eq!(parse_expiration(bad), None, "{bad}");
        }
    }
}
