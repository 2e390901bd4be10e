//! Checks the signature of a call from what was on the wire, as the vendor's gateway has to.

pub(crate) mod keys;
pub(crate) mod nonces;
pub(crate) mod rpc;

use std::borrow::Cow;

use ack_client::sign::{acs3, roa};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use crate::auth::keys::{Keys, Known};
use crate::auth::nonces::Nonces;
use crate::error_response::Refusal;
use crate::request::Received;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) access_key_id: String,
    pub(crate) kind: PrincipalKind,
}

/// What sort of identity a key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PrincipalKind {
    RamUser,
    AssumedRole,
}

/// What a call is checked against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gate<'a> {
    pub(crate) keys: &'a Keys,
    pub(crate) nonces: &'a Nonces,
    pub(crate) now: Timestamp,
    /// The same moment in the world's milliseconds.
    pub(crate) millis: i64,
    /// How far a date may be off to either side.
    pub(crate) tolerance: SignedDuration,
    /// The API version that the product answers to.
    pub(crate) version: &'a str,
}

/// What a signature claims, before it is believed.
struct Claim<'a> {
    access_key_id: &'a str,
    signature: &'a str,
    date: Timestamp,
    nonce: Option<&'a str>,
}

impl Gate<'_> {
    /// Checks a call signed under ACS3 or ROA.
    pub(crate) fn admit(&self, received: &Received) -> Result<Principal, Refusal> {
        let authorization = received
            .header("authorization")
            .ok_or_else(|| incomplete("Authorization is missing"))?;
        if let Some(rest) = authorization.strip_prefix(acs3::ALGORITHM) {
            self.admit_acs3(received, rest.trim_start())
        } else if let Some(rest) = authorization.strip_prefix("acs ") {
            self.admit_roa(received, rest)
        } else {
            Err(incomplete("Authorization is of no known scheme"))
        }
    }

    fn admit_acs3(&self, received: &Received, authorization: &str) -> Result<Principal, Refusal> {
        let part = |name: &str| {
            authorization
                .split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
                .ok_or_else(|| incomplete(&format!("Authorization has no {name}")))
        };
        let declared = part("SignedHeaders")?;
        for name in [
            "x-acs-action",
            "x-acs-version",
            "x-acs-signature-nonce",
            "x-acs-content-sha256",
        ] {
            required(received, name)?;
        }
        let claim = Claim {
            access_key_id: part("Credential")?,
            signature: part("Signature")?,
            date: parse_utc(required(received, "x-acs-date")?)?,
            nonce: received.header("x-acs-signature-nonce"),
        };
        let known = self.examine(received, &claim)?;
        let headers = declared_headers(received, declared)?;
        let content_sha256 = acs3::content_sha256(&received.body);
        if received.header("x-acs-content-sha256") != Some(&content_sha256) {
            return Err(mismatch(&format!(
                "x-acs-content-sha256 of the body is:{content_sha256}"
            )));
        }
        let canonical = acs3::canonical_request(&acs3::Input {
            method: received.method.as_str(),
            path: &received.path,
            query: &borrowed(&received.query),
            headers: &borrowed_headers(&headers),
            content_sha256: &content_sha256,
        });
        let to_sign = acs3::string_to_sign(&canonical);
        if acs3::signature(&known.secret, &to_sign) != claim.signature {
            return Err(mismatch(&format!(
                "server string to sign is:{to_sign}, server canonical request is:{canonical}"
            )));
        }
        self.accept(received, &claim, &known)
    }

    fn admit_roa(&self, received: &Received, authorization: &str) -> Result<Principal, Refusal> {
        let (access_key_id, signature) = authorization
            .split_once(':')
            .ok_or_else(|| incomplete("Authorization has no signature"))?;
        for (name, value) in [
            ("x-acs-signature-method", "HMAC-SHA1"),
            ("x-acs-signature-version", "1.0"),
        ] {
            if required(received, name)? != value {
                return Err(incomplete(&format!("{name} is not {value}")));
            }
        }
        required(received, "x-acs-version")?;
        let date = parse_rfc1123(required(received, "date")?)?;
        // An old SDK of the vendor sends no nonce, and is served.
        let claim = Claim {
            access_key_id,
            signature,
            date,
            nonce: received.header("x-acs-signature-nonce"),
        };
        let known = self.examine(received, &claim)?;
        let headers = headers_named(received, roa::is_signed)?;
        let to_sign = roa::string_to_sign(&roa::Input {
            method: received.method.as_str(),
            path: &received.path,
            query: &borrowed(&received.query),
            headers: &borrowed_headers(&headers),
        });
        if roa::signature(&known.secret, &to_sign) != signature
            && roa::signature(&known.secret, &without_bare_equals(&to_sign)) != signature
        {
            return Err(mismatch(&format!("server string to sign is:{to_sign}")));
        }
        self.accept(received, &claim, &known)
    }

    /// What can be refused before anything is computed.
    fn examine(&self, received: &Received, claim: &Claim<'_>) -> Result<Known, Refusal> {
        if received.header("x-acs-version") != Some(self.version) {
            return Err(bad_request(
                "InvalidVersion",
                format!(
                    "Specified parameter Version is not valid; here it is {}.",
                    self.version
                ),
            ));
        }
        self.check_date(claim.date)?;
        self.keys.find(claim.access_key_id).ok_or_else(unknown_key)
    }

    /// What is checked once the signature is known to be good, so that a stranger can neither probe
    /// tokens nor use up nonces.
    fn accept(
        &self,
        received: &Received,
        claim: &Claim<'_>,
        known: &Known,
    ) -> Result<Principal, Refusal> {
        self.check_token(known, received.header("x-acs-security-token"))?;
        if let Some(nonce) = claim.nonce {
            self.check_nonce(claim.access_key_id, nonce)?;
        }
        Ok(principal(claim.access_key_id, known))
    }

    pub(crate) fn check_date(&self, date: Timestamp) -> Result<(), Refusal> {
        if self.now.duration_since(date).abs() > self.tolerance {
            return Err(clock_skew());
        }
        Ok(())
    }

    pub(crate) fn check_nonce(&self, access_key_id: &str, nonce: &str) -> Result<(), Refusal> {
        if self.nonces.claim(access_key_id, nonce, self.millis) {
            Ok(())
        } else {
            Err(nonce_used())
        }
    }

    pub(crate) fn check_token(&self, known: &Known, token: Option<&str>) -> Result<(), Refusal> {
        match (&known.temporary, token) {
            (None, None) => Ok(()),
            (Some(_), None) => Err(bad_request(
                "MissingSecurityToken",
                "SecurityToken is mandatory for this action.",
            )),
            (Some(temporary), Some(token)) if temporary.token.expose() == token => {
                if temporary.expires_at > self.now {
                    Ok(())
                } else {
                    Err(token_expired())
                }
            }
            (_, Some(_)) => Err(bad_request(
                "InvalidSecurityToken.MismatchWithAccessKey",
                "Specified SecurityToken does not match the AccessKey.",
            )),
        }
    }
}

pub(crate) fn principal(access_key_id: &str, known: &Known) -> Principal {
    let kind = if known.temporary.is_some() {
        PrincipalKind::AssumedRole
    } else {
        PrincipalKind::RamUser
    };
    Principal {
        access_key_id: access_key_id.to_owned(),
        kind,
    }
}

/// The declared headers with their values, once they are known to be all that must be signed.
fn declared_headers<'a>(
    received: &'a Received,
    declared: &str,
) -> Result<Vec<(&'a str, Cow<'a, str>)>, Refusal> {
    let is_declared = |name: &str| declared.split(';').any(|other| other == name);
    for name in received
        .headers
        .keys()
        .map(http::HeaderName::as_str)
        .chain(["host"])
    {
        if acs3::is_signed(name) && !is_declared(name) {
            return Err(incomplete(&format!("{name} is not among SignedHeaders")));
        }
    }
    for name in declared.split(';') {
        required(received, name)?;
    }
    headers_named(received, is_declared)
}

/// The headers that `wanted` picks, sorted; several of one name become one value.
fn headers_named(
    received: &Received,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(&str, Cow<'_, str>)>, Refusal> {
    let mut picked = Vec::with_capacity(12);
    for name in received
        .headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| wanted(name))
    {
        let mut values = Vec::with_capacity(1);
        for value in received.headers.get_all(name) {
            values.push(
                value
                    .to_str()
                    .map_err(|_| incomplete(&format!("{name} is not text")))?
                    .trim(),
            );
        }
        values.sort_unstable();
        picked.push((
            name,
            if let [value] = values[..] {
                Cow::Borrowed(value)
            } else {
                Cow::Owned(values.join(","))
            },
        ));
    }
    picked.sort_unstable();
    Ok(picked)
}

fn borrowed_headers<'a>(headers: &'a [(&'a str, Cow<'a, str>)]) -> Vec<(&'a str, &'a str)> {
    headers
        .iter()
        .map(|(name, value)| (*name, value.as_ref()))
        .collect()
}

fn borrowed(query: &[(String, String)]) -> Vec<(&str, &str)> {
    query
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

/// The other way in which the vendor's SDKs sign a parameter without a value: `k` where we write
/// `k=`.
fn without_bare_equals(to_sign: &str) -> String {
    let text = to_sign.replace("=&", "&");
    text.strip_suffix('=').map_or(text.clone(), str::to_owned)
}

fn required<'a>(received: &'a Received, name: &str) -> Result<&'a str, Refusal> {
    received
        .header(name)
        .ok_or_else(|| incomplete(&format!("{name} is missing")))
}

pub(crate) fn parse_utc(text: &str) -> Result<Timestamp, Refusal> {
    let strict = text.len() == 20 && text.ends_with('Z');
    text.parse().ok().filter(|_| strict).ok_or_else(bad_date)
}

fn parse_rfc1123(text: &str) -> Result<Timestamp, Refusal> {
    let civil = jiff::civil::DateTime::strptime("%a, %d %b %Y %H:%M:%S GMT", text)
        .map_err(|_| bad_date())?;
    jiff::tz::Offset::UTC
        .to_timestamp(civil)
        .map_err(|_| bad_date())
}

fn bad_date() -> Refusal {
    bad_request(
        "InvalidTimeStamp.Format",
        "Specified time stamp or date value is not well formatted.",
    )
}

pub(crate) fn clock_skew() -> Refusal {
    bad_request(
        "InvalidTimeStamp.Expired",
        "Specified time stamp or date value is expired.",
    )
}

pub(crate) fn nonce_used() -> Refusal {
    bad_request(
        "SignatureNonceUsed",
        "Specified signature nonce was used already.",
    )
}

pub(crate) fn token_expired() -> Refusal {
    bad_request(
        "InvalidSecurityToken.Expired",
        "Specified SecurityToken is expired.",
    )
}

pub(crate) fn unknown_key() -> Refusal {
    Refusal::gateway(
        StatusCode::NOT_FOUND,
        "InvalidAccessKeyId.NotFound",
        "Specified access key is not found.",
    )
}

pub(crate) fn mismatch(hint: &str) -> Refusal {
    bad_request(
        "SignatureDoesNotMatch",
        format!("Specified signature is not matched with our calculation. {hint}"),
    )
}

pub(crate) fn incomplete(why: &str) -> Refusal {
    bad_request(
        "IncompleteSignature",
        format!("The request signature does not conform to Aliyun standards. {why}."),
    )
}

fn bad_request(code: &str, message: impl Into<String>) -> Refusal {
    Refusal::gateway(StatusCode::BAD_REQUEST, code, message)
}
