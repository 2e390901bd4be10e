//! The signature among the parameters, HMAC-SHA1: the third scheme, with which the credential SDKs
//! sign `AssumeRole`.
//!
//! It is checked here only; the exporter signs STS calls under ACS3.

use ack_client::secret::Secret;
use ack_client::sign::encode::{canonical_query, percent_encode};
use ack_client::sign::roa;

use crate::auth::{Gate, Principal, incomplete, mismatch, parse_utc, principal, unknown_key};
use crate::error_response::Refusal;
use crate::identity::sts::Parameters;
use crate::request::Received;

/// Checks a call.
pub(crate) fn admit(
    gate: &Gate<'_>,
    received: &Received,
    parameters: &Parameters,
) -> Result<Principal, Refusal> {
    let signature = parameters
        .find("Signature")
        .ok_or_else(|| incomplete("Signature is missing"))?;
    for (name, value) in [
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
        ("Version", gate.version),
    ] {
        if parameters.require(name)? != value {
            return Err(incomplete(&format!("{name} is not {value}")));
        }
    }
    gate.check_date(parse_utc(parameters.require("Timestamp")?)?)?;
    let access_key_id = parameters.require("AccessKeyId")?;
    let known = gate.keys.find(access_key_id).ok_or_else(unknown_key)?;
    let to_sign = string_to_sign(received.method.as_str(), parameters);
    // The key of this scheme ends in an ampersand; the rest is that of ROA.
    if roa::signature(
        &Secret::new(format!("{}&", known.secret.expose())),
        &to_sign,
    ) != signature
    {
        return Err(mismatch(&format!("server string to sign is:{to_sign}")));
    }
    gate.check_token(&known, parameters.find("SecurityToken"))?;
    gate.check_nonce(access_key_id, parameters.require("SignatureNonce")?)?;
    Ok(principal(access_key_id, &known))
}

fn string_to_sign(method: &str, parameters: &Parameters) -> String {
    let signed: Vec<_> = parameters
        .pairs()
        .iter()
        .filter(|(key, _)| key != "Signature")
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    let mut out = format!("{method}&%2F&");
    percent_encode(&mut out, &canonical_query(&signed));
    out
}
