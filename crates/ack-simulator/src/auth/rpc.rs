//! A signature among the parameters, HMAC-SHA1: the credential SDKs sign `AssumeRole` like this.
//!
//! `ack-client` signs STS calls under ACS3, so this scheme is for other clients.

use ack_client::secret::Secret;
use ack_client::sign::encode::{canonical_query, percent_encode};
use ack_client::sign::roa;

use crate::auth::errors::{incomplete, mismatch, unknown_key};
use crate::auth::{Authenticator, Principal, parse_utc};
use crate::error_response::ErrorResponse;
use crate::request::{Parameters, ReceivedRequest};

/// Checks a call.
pub(super) fn authenticate(
    authenticator: &Authenticator<'_>,
    request: &ReceivedRequest,
    parameters: &Parameters,
) -> Result<Principal, ErrorResponse> {
    let signature = parameters
        .find("Signature")
        .ok_or_else(|| incomplete("Signature is missing"))?;
    for (name, value) in [
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
        ("Version", authenticator.version),
    ] {
        if parameters.require(name)? != value {
            return Err(incomplete(&format!("{name} is not {value}")));
        }
    }
    authenticator.check_date(parse_utc(parameters.require("Timestamp")?)?)?;
    let access_key_id = parameters.require("AccessKeyId")?;
    let key = authenticator
        .keys
        .find(access_key_id)
        .ok_or_else(unknown_key)?;
    let to_sign = string_to_sign(request.method.as_str(), parameters);
    // The key of this scheme ends in an ampersand; the rest is as in ROA.
    let secret = Secret::new(format!("{}&", key.secret.expose()));
    if roa::signature(&secret, &to_sign) != signature {
        return Err(mismatch(&format!("server string to sign is:{to_sign}")));
    }
    authenticator.check_token(&key, parameters.find("SecurityToken"))?;
    authenticator.check_nonce(access_key_id, parameters.require("SignatureNonce")?)?;
    Ok(Principal::new(access_key_id, &key))
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
