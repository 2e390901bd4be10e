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
    use http::HeaderValue;
    use http::header::AUTHORIZATION;

    use super::*;
    use crate::secret::Secret;

    const TOKEN: &str = "hunter2-and-much-more";

    fn trace_of(request: &str, response: Result<&Response<Bytes>, &TransportError>) -> String {
        let credential = Credential {
            access_key_id: "id".to_owned(),
            access_key_secret: Secret::new("key-secret"),
            security_token: Some(Secret::new(TOKEN)),
            expires_at: None,
        };
        let trace = Trace::default();
        trace.record(request, response, Duration::from_millis(5), &credential);
        trace.to_string()
    }

    #[test]
    fn a_trace_has_both_heads_the_time_and_the_body_without_secrets() {
        let mut signature = HeaderValue::from_static("acs id:signature");
        signature.set_sensitive(true);
        let request = Request::get("https://cs.example/a?b=c")
            .header("accept", "application/json")
            .header(AUTHORIZATION, signature)
            .body(Bytes::new())
            .expect("a request");
        let response = Response::builder()
            .header("x-acs-request-id", TOKEN)
            .body(Bytes::from_static(b"{}"))
            .expect("a response");
        assert_eq!(
            trace_of(&head_text(&request), Ok(&response)),
            "GET /a?b=c HTTP/1.1\naccept: application/json\nauthorization: <secret>\n\n\
             --- after 5ms\nHTTP/1.1 200 OK\nx-acs-request-id: <secret>\n\n{}\n\n===\n\n"
        );
    }

    #[test]
    fn a_failure_takes_the_place_of_the_response() {
        let error = TransportError::Broken("the connection broke".to_owned());
        assert_eq!(
            trace_of("GET /\n", Err(&error)),
            "GET /\n\n--- after 5ms\nthe connection broke\n\n===\n\n"
        );
    }

    #[test]
    fn a_long_body_is_cut_and_the_rest_is_counted() {
        let trace = |length| trace_of("", Ok(&Response::new(Bytes::from("x".repeat(length)))));
        let whole = trace(MAX_BODY);
        assert!(whole.ends_with("x\n\n===\n\n"), "{}", &whole[MAX_BODY..]);
        let cut = trace(MAX_BODY + 5);
        let end = "x\n… 5 bytes more\n\n===\n\n";
        assert!(cut.ends_with(end), "{}", &cut[MAX_BODY..]);
        assert_eq!(cut.matches('x').count(), MAX_BODY);
    }

    #[test]
    fn a_secret_at_the_cut_is_redacted_as_a_whole() {
        let body = format!("{}{TOKEN}", "x".repeat(MAX_BODY - 10));
        let text = trace_of("GET /", Ok(&Response::new(Bytes::from(body))));
        assert!(!text.contains("hunter2"), "{}", &text[MAX_BODY - 20..]);
    }

    #[test]
    fn clones_share_the_record() {
        let trace = Trace::default();
        let clone = trace.clone();
        let credential = Credential {
            access_key_id: "id".to_owned(),
            access_key_secret: Secret::new("key-secret"),
            security_token: None,
            expires_at: None,
        };
        let response = Response::new(Bytes::new());
        clone.record("GET /1", Ok(&response), Duration::ZERO, &credential);
        clone.record("GET /2", Ok(&response), Duration::ZERO, &credential);
        let text = trace.to_string();
        assert!(text.find("GET /1") < text.find("GET /2"), "{text}");
    }
}
