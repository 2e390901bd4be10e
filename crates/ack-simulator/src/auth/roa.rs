//! ROA HMAC-SHA1, the signature of older SDKs.

use ack_client::sign::roa;
use jiff::Timestamp;

use crate::auth::errors::{incomplete, malformed_date, mismatch};
use crate::auth::signed_headers::{borrow_headers, borrow_query, collect_headers};
use crate::auth::{Authenticator, Principal, SignatureClaim, required};
use crate::error_response::ErrorResponse;
use crate::request::ReceivedRequest;

/// Checks a call; `authorization` is the header without `acs `.
pub(super) fn authenticate(
    authenticator: &Authenticator<'_>,
    request: &ReceivedRequest,
    authorization: &str,
) -> Result<Principal, ErrorResponse> {
    let (access_key_id, signature) = authorization
        .split_once(':')
        .ok_or_else(|| incomplete("Authorization has no signature"))?;
    for (name, value) in [
        ("x-acs-signature-method", "HMAC-SHA1"),
        ("x-acs-signature-version", "1.0"),
    ] {
        if required(request, name)? != value {
            return Err(incomplete(&format!("{name} is not {value}")));
        }
    }
    required(request, "x-acs-version")?;
    let claim = SignatureClaim {
        access_key_id,
        signature,
        date: parse_rfc1123(required(request, "date")?)?,
        // Optional, because Alibaba Cloud's old core SDK sends none.
        nonce: request.header("x-acs-signature-nonce"),
    };
    let key = authenticator.check_claim(request, &claim)?;
    let headers = collect_headers(request, roa::is_signed)?;
    let to_sign = roa::string_to_sign(&roa::Input {
        method: request.method.as_str(),
        path: &request.path,
        query: &borrow_query(&request.query),
        headers: &borrow_headers(&headers),
    });
    if roa::signature(&key.secret, &to_sign) != signature
        && roa::signature(&key.secret, &without_bare_equals(&to_sign)) != signature
    {
        return Err(mismatch(&format!("server string to sign is:{to_sign}")));
    }
    authenticator.accept(request, &claim, &key)
}

/// The form in which some SDKs sign a parameter without a value: `k` in place of `k=`.
fn without_bare_equals(to_sign: &str) -> String {
    let text = to_sign.replace("=&", "&");
    text.strip_suffix('=').map_or(text.clone(), str::to_owned)
}

fn parse_rfc1123(text: &str) -> Result<Timestamp, ErrorResponse> {
    let civil = jiff::civil::DateTime::strptime("%a, %d %b %Y %H:%M:%S GMT", text)
        .map_err(|_| malformed_date())?;
    jiff::tz::Offset::UTC
        .to_timestamp(civil)
        .map_err(|_| malformed_date())
}
