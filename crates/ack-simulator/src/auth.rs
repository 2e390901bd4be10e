//! Checks of the signature of a call, from the request as it was received.

mod acs3;
pub(crate) mod errors;
pub(crate) mod keys;
pub(crate) mod nonces;
mod roa;
mod rpc;
mod signed_headers;

use jiff::{SignedDuration, Timestamp};

use self::errors::{
    bad_request, clock_skew, incomplete, malformed_date, nonce_used, token_expired, unknown_key,
};
use self::keys::{KeyStore, StoredKey};
use self::nonces::NonceCache;
use crate::error_response::ErrorResponse;
use crate::request::{Parameters, ReceivedRequest};

/// The identity that a call is signed by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) access_key_id: String,
    pub(crate) kind: PrincipalKind,
}

/// The kind of identity that a key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PrincipalKind {
    RamUser,
    AssumedRole,
}

/// Everything that a call is checked against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Authenticator<'a> {
    pub(crate) keys: &'a KeyStore,
    pub(crate) nonces: &'a NonceCache,
    pub(crate) now: Timestamp,
    /// The largest accepted difference of a date, to either side.
    pub(crate) tolerance: SignedDuration,
    /// The version of the API that is called.
    pub(crate) version: &'a str,
}

/// The unverified statements of a signed request.
struct SignatureClaim<'a> {
    access_key_id: &'a str,
    signature: &'a str,
    date: Timestamp,
    nonce: Option<&'a str>,
}

impl Authenticator<'_> {
    /// Checks a call with an `Authorization` header: ACS3 or ROA.
    pub(crate) fn authenticate(
        &self,
        request: &ReceivedRequest,
    ) -> Result<Principal, ErrorResponse> {
        let authorization = request
            .header("authorization")
            .ok_or_else(|| incomplete("Authorization is missing"))?;
        if let Some(rest) = authorization.strip_prefix(ack_client::sign::acs3::ALGORITHM) {
            acs3::authenticate(self, request, rest.trim_start())
        } else if let Some(rest) = authorization.strip_prefix("acs ") {
            roa::authenticate(self, request, rest)
        } else {
            Err(incomplete("Authorization is of no known scheme"))
        }
    }

    /// Checks a call to STS: a signature in the parameters is accepted too.
    pub(crate) fn authenticate_sts(
        &self,
        request: &ReceivedRequest,
    ) -> Result<Principal, ErrorResponse> {
        if request.headers.contains_key("authorization") {
            self.authenticate(request)
        } else {
            rpc::authenticate(self, request, &Parameters::of(request))
        }
    }

    /// Checks version, date and key, before any signature is computed.
    fn check_claim(
        &self,
        request: &ReceivedRequest,
        claim: &SignatureClaim<'_>,
    ) -> Result<StoredKey, ErrorResponse> {
        if request.header("x-acs-version") != Some(self.version) {
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

    /// Checks token and nonce of a call whose signature has been verified.
    fn accept(
        &self,
        request: &ReceivedRequest,
        claim: &SignatureClaim<'_>,
        key: &StoredKey,
    ) -> Result<Principal, ErrorResponse> {
        // After the signature, so that a stranger can neither probe tokens nor use up nonces.
        self.check_token(key, request.header("x-acs-security-token"))?;
        if let Some(nonce) = claim.nonce {
            self.check_nonce(claim.access_key_id, nonce)?;
        }
        Ok(Principal::new(claim.access_key_id, key))
    }

    fn check_date(&self, date: Timestamp) -> Result<(), ErrorResponse> {
        if self.now.duration_since(date).abs() > self.tolerance {
            return Err(clock_skew());
        }
        Ok(())
    }

    fn check_nonce(&self, access_key_id: &str, nonce: &str) -> Result<(), ErrorResponse> {
        if self.nonces.claim(access_key_id, nonce) {
            Ok(())
        } else {
            Err(nonce_used())
        }
    }

    fn check_token(&self, key: &StoredKey, token: Option<&str>) -> Result<(), ErrorResponse> {
        match (&key.session, token) {
            (None, None) => Ok(()),
            (Some(_), None) => Err(bad_request(
                "MissingSecurityToken",
                "SecurityToken is mandatory for this action.",
            )),
            (Some(session), Some(token)) if session.token.expose() == token => {
                if session.expires_at > self.now {
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

impl Principal {
    fn new(access_key_id: &str, key: &StoredKey) -> Self {
        let kind = if key.session.is_some() {
            PrincipalKind::AssumedRole
        } else {
            PrincipalKind::RamUser
        };
        Self {
            access_key_id: access_key_id.to_owned(),
            kind,
        }
    }
}

/// Parses `2026-11-23T08:00:00Z`, and no other form.
fn parse_utc(text: &str) -> Result<Timestamp, ErrorResponse> {
    if text.len() != 20 || !text.ends_with('Z') {
        return Err(malformed_date());
    }
    text.parse().map_err(|_| malformed_date())
}

fn required<'a>(request: &'a ReceivedRequest, name: &str) -> Result<&'a str, ErrorResponse> {
    request
        .header(name)
        .ok_or_else(|| incomplete(&format!("{name} is missing")))
}
