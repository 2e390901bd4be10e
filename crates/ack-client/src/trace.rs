//! A record of requests and responses for people to read, without secrets.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use safe_input::text::escape_lines;

use crate::credentials::{Credential, redact};
use crate::secret::Secret;
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
        request: &RequestText,
        response: Result<&Response<Bytes>, &TransportError>,
        elapsed: Duration,
        credential: &Credential,
    ) {
        let signatures: Vec<_> = request.signature.iter().collect();
        let redact = |text: &str| {
            let text = credential.redact(text);
            redact(&signatures, &text).into_owned()
        };
        let mut text = format!("{}\n--- after {elapsed:?}\n", request.head);
        let written = match response {
            Ok(response) => write_response(&mut text, response, redact),
            Err(error) => writeln!(text, "{error}"),
        };
        written.expect("a String takes every write");
        text.push_str("\n===\n\n");
        // People read it in a terminal, which would obey the escape characters of a response.
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_str(&escape_lines(&redact(&text)));
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A request as it is sent.
pub(crate) struct RequestText {
    /// The head, without the signature and the token.
    head: String,
    /// The signature, which a response may repeat.
    signature: Option<Secret>,
}

impl RequestText {
    pub(crate) fn new(request: &Request<Bytes>) -> Self {
        let mut head = String::new();
        let target = request
            .uri()
            .path_and_query()
            .map_or("/", |target| target.as_str());
        writeln!(head, "{} {target} HTTP/1.1", request.method())
            .and_then(|()| write_headers(&mut head, request.headers()))
            .expect("a String takes every write");
        Self {
            head,
            signature: signature(request.headers()),
        }
    }
}

/// The signature in `Authorization`: `acs ID:SIGNATURE`, or `ACS3-… Credential=…,Signature=…`.
fn signature(headers: &HeaderMap) -> Option<Secret> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let parts = value.rsplit_once("Signature=");
    let (_, signature) = parts.or_else(|| value.rsplit_once(':'))?;
    Some(Secret::new(signature))
}

fn write_response(
    text: &mut String,
    response: &Response<Bytes>,
    redact: impl Fn(&str) -> String,
) -> fmt::Result {
    writeln!(text, "{:?} {}", response.version(), response.status())?;
    write_headers(text, response.headers())?;
    let body = String::from_utf8_lossy(response.body());
    // Redacted before it is cut, since a part of a secret is secret too.
    let body = redact(&body);
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

    use super::*;

    const TOKEN: &str = "hunter2-and-much-more";

    fn text(head: &str) -> RequestText {
        RequestText {
            head: head.to_owned(),
            signature: None,
        }
    }

    fn trace_of(
        request: &RequestText,
        response: Result<&Response<Bytes>, &TransportError>,
    ) -> String {
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
            trace_of(&RequestText::new(&request), Ok(&response)),
            "GET /a?b=c HTTP/1.1\naccept: application/json\nauthorization: <secret>\n\n\
             --- after 5ms\nHTTP/1.1 200 OK\nx-acs-request-id: <secret>\n\n{}\n\n===\n\n"
        );
    }

    #[test]
    fn a_failure_takes_the_place_of_the_response() {
        let error = TransportError::Broken("the connection broke".to_owned());
        assert_eq!(
            trace_of(&text("GET /\n"), Err(&error)),
            "GET /\n\n--- after 5ms\nthe connection broke\n\n===\n\n"
        );
    }

    #[test]
    fn a_long_body_is_cut_and_the_rest_is_counted() {
        let trace = |length| {
            trace_of(
                &text(""),
                Ok(&Response::new(Bytes::from("x".repeat(length)))),
            )
        };
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
        let trace = trace_of(&text("GET /"), Ok(&Response::new(Bytes::from(body))));
        assert!(!trace.contains("hunter2"), "{}", &trace[MAX_BODY - 20..]);
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
        clone.record(&text("GET /1"), Ok(&response), Duration::ZERO, &credential);
        clone.record(&text("GET /2"), Ok(&response), Duration::ZERO, &credential);
        let text = trace.to_string();
        assert!(text.find("GET /1") < text.find("GET /2"), "{text}");
    }

    #[test]
    fn a_signature_that_the_response_repeats_is_redacted() {
        for authorization in [
            "acs LTAI5t:6yzkJm9/GpTQVNCd+5vVS2ChiSk=",
            "ACS3-HMAC-SHA256 Credential=LTAI5t,SignedHeaders=host,Signature=06563a9e1b43f5df",
        ] {
            let request = Request::get("https://cs.example/")
                .header(AUTHORIZATION, authorization)
                .body(Bytes::new())
                .expect("a request");
            let body = format!("your Authorization was {authorization}");
            let response = Response::new(Bytes::from(body));
            let request = RequestText {
                head: String::new(),
                ..RequestText::new(&request)
            };
            let trace = trace_of(&request, Ok(&response));
            assert!(trace.contains("LTAI5t"), "{trace}");
            assert!(
                !trace.contains("6yzkJm9") && !trace.contains("06563a9e"),
                "{trace}"
            );
        }
    }

    #[test]
    fn control_characters_of_a_response_are_shown_and_not_sent() {
        let body = Bytes::from("升\u{1b}[2J\r\n\u{9b}\t\u{7f}\u{202e}\u{200b}.");
        let trace = trace_of(&text(""), Ok(&Response::new(body)));
        assert!(
            trace.contains("升\\u{1b}[2J\\r\n\\u{9b}\t\\u{7f}\\u{202e}\\u{200b}."),
            "{trace}"
        );
    }
}
