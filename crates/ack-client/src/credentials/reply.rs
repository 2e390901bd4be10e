//! What STS, the metadata service and credentials URIs answer.

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Credential;
use super::error::{Problem, Refusal};
use super::hidden::hide;
use crate::decode::ErrorFields;
use crate::secret::Secret;
use crate::text::clean_message;

/// Temporary credentials as the vendor writes them. Not shown: the fields are secrets.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Keys {
    access_key_id: Option<String>,
    access_key_secret: Option<String>,
    security_token: Option<String>,
    expiration: Option<String>,
}

/// Whether a reply must say when its credentials expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    Required,
    Optional,
}

impl Keys {
    /// The credential, all of whose parts must be there.
    pub(super) fn credential(self, host: &str, expiry: Expiry) -> Result<Credential, Problem> {
        let part = |name: &str, value: Option<String>| {
            value
                .filter(|value| !value.trim().is_empty())
                .ok_or_else(|| Problem::reply(host, format!("has no {name}")))
        };
        let expires_at = match self.expiration.filter(|text| !text.is_empty()) {
            Some(text) => Some(
                expiration(text.trim())
                    .ok_or_else(|| Problem::reply(host, "has an Expiration that is not a time"))?,
            ),
            None if expiry == Expiry::Required => {
                return Err(Problem::reply(host, "has no Expiration"));
            }
            None => None::<Timestamp>,
        };
        Ok(Credential {
            access_key_id: part("AccessKeyId", self.access_key_id)?,
            access_key_secret: Secret::new(part("AccessKeySecret", self.access_key_secret)?),
            security_token: Some(Secret::new(part("SecurityToken", self.security_token)?)),
            expires_at,
        })
    }
}

/// The time that `text` is. Many write the end of the year 9999 for "never", which is a day more
/// than can be counted.
fn expiration(text: &str) -> Option<Timestamp> {
    text.parse()
        .ok()
        .or_else(|| text.starts_with("9999-12-3").then_some(Timestamp::MAX))
}

/// Reads a reply in JSON or XML. The complaints say where, never what: the reply holds secrets.
pub(super) fn decode<T: DeserializeOwned>(
    host: &str,
    response: &Response<Bytes>,
) -> Result<T, Problem> {
    let complain = |complaint: String| Problem::reply(host, complaint);
    let text =
        std::str::from_utf8(response.body()).map_err(|_| complain("is not UTF-8".to_owned()))?;
    let text = text.trim_start_matches('\u{feff}').trim();
    match text.bytes().next() {
        Some(b'{') => serde_json::from_str(text).map_err(|error| {
            complain(format!(
                "is not the JSON it should be, at line {} column {}",
                error.line(),
                error.column()
            ))
        }),
        Some(b'<') => quick_xml::de::from_str(text)
            .map_err(|_| complain("is not the XML it should be".to_owned())),
        Some(_) => Err(complain("is neither JSON nor XML".to_owned())),
        None => Err(complain("is empty".to_owned())),
    }
}

/// The reply's own words that it is no success, if it has any: a code other than `Success`. Should
/// they repeat one of `secrets`, it is taken out.
pub(super) fn objection(
    host: &str,
    response: &Response<Bytes>,
    secrets: &[&Secret],
) -> Option<Refusal> {
    let words: ErrorFields = decode(host, response).ok()?;
    let code = words
        .code
        .filter(|code| !code.is_empty() && !code.eq_ignore_ascii_case("success"))?;
    let clean = |text: String| clean_message(&without(secrets, text));
    Some(Refusal {
        host: host.to_owned(),
        status: response.status().as_u16(),
        code: Some(clean(code)),
        message: clean(words.message.unwrap_or_default()),
        request_id: words.request_id.map(clean).filter(|id| !id.is_empty()),
        advice: None,
    })
}

/// The refusal that `response`, whose status is no success, stands for.
pub(super) fn refusal(host: &str, response: &Response<Bytes>, secrets: &[&Secret]) -> Refusal {
    objection(host, response, secrets).unwrap_or_else(|| {
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
    })
}

/// `message` without `secrets`; before it is cut, so that no beginning of one stays.
fn without(secrets: &[&Secret], mut message: String) -> String {
    // After "string to sign" comes the canonical request, in which the security token is a header.
    if let Some(end) = message.find("string to sign") {
        message.truncate(end);
        message.push_str("string to sign: …");
    }
    hide(secrets, &message).into_owned()
}

fn request_id(response: &Response<Bytes>, secrets: &[&Secret]) -> Option<String> {
    let id = response.headers().get("x-acs-request-id")?.to_str().ok()?;
    Some(clean_message(&hide(secrets, id))).filter(|id| !id.is_empty())
}
