//! The response headers that the web configuration file may set.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Headers put on every response, refusals included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseHeaders(HeaderMap);

impl ResponseHeaders {
    /// Adds one header as the file has it; an empty value leaves the header out.
    pub(crate) fn add(&mut self, name: &str, value: &str) -> Result<(), String> {
        let Some((_, header, allowed)) = ALLOWED.iter().find(|(known, ..)| *known == name) else {
            return Err(format!(
                "cannot be set here; {} can",
                ALLOWED.each_ref().map(|(known, ..)| *known).join(", ")
            ));
        };
        if !allowed.is_empty() && !allowed.contains(&value) {
            return Err(format!("must be {}", allowed.join(" or ")));
        }
        if !value.is_empty() {
            let value = HeaderValue::from_str(value)
                .map_err(|_| "must be one line of visible characters".to_owned())?;
            self.0.insert(header, value);
        }
        Ok(())
    }

    /// Puts the headers on a response, in place of those of the same name.
    pub fn apply(&self, response: &mut HeaderMap) {
        for (name, value) in &self.0 {
            response.insert(name, value.clone());
        }
    }
}

/// The name as the file must spell it, and the only values it may have, if there are such. From
/// `extraHTTPHeaders` in exporter-toolkit's `web/handler.go`.
static ALLOWED: [(&str, HeaderName, &[&str]); 5] = [
    (
        "Content-Security-Policy",
        header::CONTENT_SECURITY_POLICY,
        &[],
    ),
    (
        "Strict-Transport-Security",
        header::STRICT_TRANSPORT_SECURITY,
        &[],
    ),
    (
        "X-Content-Type-Options",
        header::X_CONTENT_TYPE_OPTIONS,
        &["nosniff"],
    ),
    (
        "X-Frame-Options",
        header::X_FRAME_OPTIONS,
        &["deny", "sameorigin"],
    ),
    ("X-XSS-Protection", header::X_XSS_PROTECTION, &[]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_headers_replace_those_of_the_response() {
        let mut headers = ResponseHeaders::default();
        headers.add("X-Frame-Options", "deny").expect("allowed");
        headers.add("X-XSS-Protection", "").expect("allowed");
        let mut response = HeaderMap::new();
        response.insert(
            header::X_FRAME_OPTIONS,
            HeaderValue::from_static("sameorigin"),
        );
        headers.apply(&mut response);
        assert_eq!(
            response
                .get_all(header::X_FRAME_OPTIONS)
                .iter()
                .collect::<Vec<_>>(),
            ["deny"]
        );
        assert!(
            !response.contains_key(header::X_XSS_PROTECTION),
            "an empty value sets nothing"
        );
    }

    #[test]
    fn only_the_five_headers_can_be_set_and_only_to_what_they_may_be() {
        let mut headers = ResponseHeaders::default();
        for (name, value) in [
            ("Server", "x"),
            ("x-frame-options", "deny"),
            ("X-Frame-Options", "DENY"),
            ("X-Frame-Options", ""),
            ("X-Content-Type-Options", "sniff"),
            ("Content-Security-Policy", "a\r\nSet-Cookie: b"),
        ] {
            assert!(headers.add(name, value).is_err(), "{name}: {value}");
        }
        assert_eq!(headers, ResponseHeaders::default());
    }
}
