//! A record of requests and responses for people to read, without secrets.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};

use crate::credentials::Credential;
use crate::transport::TransportError;

/// The part of a body that is recorded, in bytes.
const MAX_BODY: usize = 16 << 10;

/// The requests and responses of one query, in order. Display prints them all. Clones share the
/// record.
#[derive(Debug, Clone, Default)]
pub struct Trace(Arc<Mutex<String>>);

impl Trace {
    pub(crate) fn record(
        &self,
        request: &str,
        response: Result<&Response<Bytes>, &TransportError>,
        elapsed: Duration,
        credential: &Credential,
    ) {
        let mut text = format!("{request}\n--- after {elapsed:?}\n");
        let written = match response {
            Ok(response) => write_response(&mut text, response, credential),
            Err(error) => writeln!(text, "{error}"),
        };
        written.expect("a String takes every write");
        text.push_str("\n===\n\n");
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_str(&credential.redact(&text));
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The head of a request as it is sent, without the signature and the token.
pub(crate) fn head_text(request: &Request<Bytes>) -> String {
    let mut text = String::new();
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str());
    writeln!(text, "{} {target} HTTP/1.1", request.method())
        .and_then(|()| write_headers(&mut text, request.headers()))
        .expect("a String takes every write");
    text
}

fn write_response(
    text: &mut String,
    response: &Response<Bytes>,
    credential: &Credential,
) -> fmt::Result {
    writeln!(text, "{:?} {}", response.version(), response.status())?;
    write_headers(text, response.headers())?;
    let body = String::from_utf8_lossy(response.body());
    // Redacted before it is cut, since a part of a secret is secret too.
    let body = credential.redact(&body);
    let shown = &body.as_bytes()[..body.len().min(MAX_BODY)];
    writeln!(text, "\n{}", String::from_utf8_lossy(shown))?;
    if shown.len() < body.len() {
        writeln!(text, "… {} bytes more", body.len() - shown.len())?;
    }
    Ok(())
}

fn write_headers(text: &mut String, headers: &HeaderMap) -> fmt::Result {
    for (name, value) in headers {
        if value.is_sensitive() {
            writeln!(text, "{name}: <secret>")?;
        } else {
            writeln!(
                text,
                "{name}: {}",
                String::from_utf8_lossy(value.as_bytes())
            )?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_token_that_the_cut_would_part_is_hidden_first() {
        let token = "hunter2-and-much-more";
        let credential = Credential {
            access_key_id: "id".to_owned(),
            access_key_secret: Secret::new("key-secret"),
            security_token: Some(Secret::new(token)),
            expires_at: None,
        };
        let trace = Trace::default();
        let body = format!("{}{token}", "x".repeat(MAX_BODY - 10));
        trace.record(
            "GET /",
            Ok(&Response::new(Bytes::from(body))),
            Duration::ZERO,
            &credential,
        );
        assert!(
            !trace.to_string().contains("hunter2"),
            "{}",
            &trace.to_string()[MAX_BODY - 20..]
        );
    }
}
