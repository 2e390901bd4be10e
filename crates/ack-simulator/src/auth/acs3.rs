//! ACS3-HMAC-SHA256, the signature of the current SDKs.

use std::borrow::Cow;

use ack_client::sign::acs3;

use crate::auth::errors::{incomplete, mismatch};
use crate::auth::signed_headers::{borrow_headers, borrow_query, collect_headers};
use crate::auth::{Authenticator, Principal, SignatureClaim, parse_utc, required};
use crate::error_response::ErrorResponse;
use crate::request::ReceivedRequest;

/// Checks a call; `authorization` is the header without the name of the algorithm.
pub(super) fn authenticate(
    authenticator: &Authenticator<'_>,
    request: &ReceivedRequest,
    authorization: &str,
) -> Result<Principal, ErrorResponse> {
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
        required(request, name)?;
    }
    let claim = SignatureClaim {
        access_key_id: part("Credential")?,
        signature: part("Signature")?,
        date: parse_utc(required(request, "x-acs-date")?)?,
        nonce: request.header("x-acs-signature-nonce"),
    };
    let key = authenticator.check_claim(request, &claim)?;
    let headers = declared_headers(request, declared)?;
    let content_sha256 = acs3::content_sha256(&request.body);
    if request.header("x-acs-content-sha256") != Some(&content_sha256) {
        return Err(mismatch(&format!(
            "x-acs-content-sha256 of the body is:{content_sha256}"
        )));
    }
    let canonical = acs3::canonical_request(&acs3::Input {
        method: request.method.as_str(),
        path: &request.path,
        query: &borrow_query(&request.query),
        headers: &borrow_headers(&headers),
        content_sha256: &content_sha256,
    });
    let to_sign = acs3::string_to_sign(&canonical);
    if acs3::signature(&key.secret, &to_sign) != claim.signature {
        return Err(mismatch(&format!(
            "server string to sign is:{to_sign}, server canonical request is:{canonical}"
        )));
    }
    authenticator.accept(request, &claim, &key)
}

/// The headers in `SignedHeaders` with their values; an error if one that must be signed is
/// missing.
fn declared_headers<'a>(
    request: &'a ReceivedRequest,
    declared: &str,
) -> Result<Vec<(&'a str, Cow<'a, str>)>, ErrorResponse> {
    let is_declared = |name: &str| declared.split(';').any(|other| other == name);
    let names = request.headers.keys().map(http::HeaderName::as_str);
    for name in names.chain(["host"]) {
        if acs3::is_signed(name) && !is_declared(name) {
            return Err(incomplete(&format!("{name} is not among SignedHeaders")));
        }
    }
    for name in declared.split(';') {
        required(request, name)?;
    }
    collect_headers(request, is_declared)
}
