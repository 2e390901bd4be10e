//! The web configuration file as it is written, key by key; what it means is decided in the parent.

use std::collections::BTreeMap;

use safe_input::secret::Secret;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::Value;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) tls_server_config: Option<Tls>,
    pub(super) http_server_config: Option<Http>,
    pub(super) basic_auth_users: Option<BTreeMap<String, Option<Secret>>>,
    pub(super) rate_limit: Option<RateLimit>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Tls {
    pub(super) cert: Option<String>,
    pub(super) key: Option<Secret>,
    pub(super) client_ca: Option<String>,
    pub(super) cert_file: Option<String>,
    pub(super) key_file: Option<String>,
    pub(super) client_ca_file: Option<String>,
    pub(super) client_auth_type: Option<String>,
    pub(super) client_allowed_sans: Option<Vec<Option<Text>>>,
    pub(super) min_version: Option<String>,
    pub(super) max_version: Option<String>,
    pub(super) cipher_suites: Option<Vec<Option<String>>>,
    #[serde(deserialize_with = "boolean")]
    pub(super) prefer_server_cipher_suites: Option<bool>,
    pub(super) curve_preferences: Option<Vec<Option<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Http {
    #[serde(deserialize_with = "boolean")]
    pub(super) http2: Option<bool>,
    pub(super) headers: Option<BTreeMap<String, Option<Text>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RateLimit {
    pub(super) interval: Option<Text>,
    #[serde(deserialize_with = "count")]
    pub(super) burst: Option<u32>,
}

/// A string that may be written without quotes though YAML takes it for something else, as in
/// `X-XSS-Protection: 0`.
#[derive(Debug, PartialEq)]
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            scalar @ (Value::Number(_) | Value::Bool(_)) => Ok(Self(scalar.to_string())),
            _ => Err(D::Error::custom("must be a string")),
        }
    }
}

/// The exporter-toolkit reads YAML 1.1, in which `off` is a boolean; this crate reads YAML 1.2, in
/// which it is a word.
fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::Bool(value) => Ok(Some(value)),
        Value::String(word) if ["y", "yes", "on"].contains(&word.to_lowercase().as_str()) => {
            Ok(Some(true))
        }
        Value::String(word) if ["n", "no", "off"].contains(&word.to_lowercase().as_str()) => {
            Ok(Some(false))
        }
        _ => Err(D::Error::custom("must be true or false")),
    }
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let complaint = || D::Error::custom("must be a whole number, 0 or more");
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        value => value
            .as_u64()
            .and_then(|number| number.try_into().ok())
            .map(Some)
            .ok_or_else(complaint),
    }
}
