//! Content negotiation by the quality values of headers (RFC 9110 §12). A malformed header is
//! ignored: its client still gets the page.

use http::header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, HeaderMap, HeaderName};

use crate::exposition::Format;

/// The encoding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// No encoding.
    Identity,
    /// gzip, the one encoding that Prometheus asks for.
    Gzip,
}

/// The format for a client with these headers: OpenMetrics if the client names it and prefers no
/// other format, else text. A client that accepts everything, or nothing on offer, gets text, which
/// every client can read.
pub fn format(headers: &HeaderMap) -> Format {
    let accepted = AcceptedElements::read(headers, &ACCEPT);
    let open_metrics = accepted.quality(open_metrics_match);
    if open_metrics > 0.0 && open_metrics >= accepted.quality(text_match) {
        Format::OpenMetrics
    } else {
        Format::Text
    }
}

/// The encoding for a client with these headers: gzip if the client accepts it and does not prefer
/// the plain body.
pub fn encoding(headers: &HeaderMap) -> Encoding {
    let accepted = AcceptedElements::read(headers, &ACCEPT_ENCODING);
    let gzip = accepted.quality(|element| match element.name.as_str() {
        "gzip" | "x-gzip" => Some(1),
        "*" => Some(0),
        _ => None,
    });
    // Every client accepts the plain body, but prefers it only if it names it.
    let identity = accepted.quality(|element| (element.name == "identity").then_some(1));
    if gzip > 0.0 && gzip >= identity {
        Encoding::Gzip
    } else {
        Encoding::Identity
    }
}

/// The language for a client with these headers: the one of `offered` that it prefers, without
/// regard to the region of the language. A client without a preference gets the first one.
pub fn language<'a, const N: usize>(headers: &HeaderMap, offered: [&'a str; N]) -> &'a str {
    let accepted = AcceptedElements::read(headers, &ACCEPT_LANGUAGE);
    let mut best = ("", 0.0);
    for language in offered {
        let quality = accepted.quality(|element| {
            let primary = element.name.split('-').next();
            (primary == Some(language)).then_some(0)
        });
        if best.0.is_empty() || quality > best.1 {
            best = (language, quality);
        }
    }
    best.0
}

/// Returns how closely `element` matches OpenMetrics 1.0.0, if at all. Wildcards do not match,
/// because old scrapers send them.
fn open_metrics_match(element: &Element) -> Option<u8> {
    if element.name != "application/openmetrics-text" {
        return None;
    }
    match element.parameter("version") {
        None => Some(2),
        Some("1.0.0") => Some(3),
        Some(_) => None,
    }
}

/// Returns how closely `element` matches text 0.0.4, if at all.
fn text_match(element: &Element) -> Option<u8> {
    match (element.name.as_str(), element.parameter("version")) {
        ("*/*", _) => Some(0),
        ("text/*", _) => Some(1),
        ("text/plain", None) => Some(2),
        ("text/plain", Some("0.0.4")) => Some(3),
        _ => None,
    }
}

/// The elements of a header that are well formed.
struct AcceptedElements(Vec<Element>);

/// One element, in lower case.
struct Element {
    name: String,
    parameters: Vec<(String, String)>,
    quality: f32,
}

impl AcceptedElements {
    fn read(headers: &HeaderMap, header: &HeaderName) -> Self {
        let values = headers
            .get_all(header)
            .into_iter()
            .filter_map(|value| value.to_str().ok());
        Self(
            values
                .flat_map(|text| split_unquoted(text, ','))
                .filter_map(Element::read)
                .collect(),
        )
    }

    /// The quality of the element that matches most closely by `closeness`, the highest one of
    /// several that match equally; 0 if none matches.
    fn quality(&self, closeness: impl Fn(&Element) -> Option<u8>) -> f32 {
        let matches = self
            .0
            .iter()
            .filter_map(|element| Some((closeness(element)?, element.quality)));
        let best = matches.max_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
        best.map_or(0.0, |(_, quality)| quality)
    }
}

impl Element {
    /// Reads one element. Returns `None` if its quality is not a number from 0 to 1.
    fn read(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let mut parts = split_unquoted(&text, ';');
        let name = parts.next().unwrap_or_default().to_owned();
        let mut element = Self {
            name,
            parameters: Vec::new(),
            quality: 1.0,
        };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            if name == "q" {
                element.quality = value
                    .parse()
                    .ok()
                    .filter(|quality| (0.0..=1.0).contains(quality))?;
            } else {
                element.parameters.push((name.to_owned(), value.to_owned()));
            }
        }
        Some(element)
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The parts between the `separator`s that stand outside quotes, trimmed.
fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |c| {
        let literal = std::mem::take(&mut escaped);
        match c {
            '"' if !literal => quoted = !quoted,
            '\\' if quoted && !literal => escaped = true,
            _ => {}
        }
        c == separator && !quoted
    })
    .map(str::trim)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const PROMETHEUS_2_42: &str = "application/openmetrics-text;version=1.0.0,\
        application/openmetrics-text;version=0.0.1;q=0.75,\
        text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    const PROMETHEUS_3_5: &str = "\
        application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
        application/openmetrics-text;version=0.0.1;q=0.4,\
        text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
        text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
    const PROMETHEUS_3_5_WITH_PROTOBUF: &str = "\
        application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
        encoding=delimited;q=0.6,\
        application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
        application/openmetrics-text;version=0.0.1;q=0.4,\
        text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
        text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
    const PROMETHEUS_TEXT_ONLY: &str = "text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    const FIREFOX: &str =
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

    fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
        values
            .iter()
            .map(|value| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn open_metrics_goes_to_whoever_asks_for_it_and_likes_nothing_better() {
        for accept in [
            PROMETHEUS_2_42,
            PROMETHEUS_3_5,
            PROMETHEUS_3_5_WITH_PROTOBUF,
            "application/openmetrics-text",
            "Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8",
            "application/openmetrics-text;q=0.001",
            "text/plain, application/openmetrics-text",
            "text/plain;foo=\"a,b;q=0\\\"\";q=0.2, application/openmetrics-text;q=0.3",
            "*/*;q=1, text/plain;q=0.4, application/openmetrics-text;q=0.4",
        ] {
            assert_eq!(
                format(&headers(&ACCEPT, &[accept])),
                Format::OpenMetrics,
                "{accept}"
            );
        }
        assert_eq!(
            format(&headers(
                &ACCEPT,
                &["text/plain;q=0.2", "application/openmetrics-text;q=0.3"]
            )),
            Format::OpenMetrics
        );
    }

    #[test]
    fn everybody_else_gets_text() {
        assert_eq!(format(&HeaderMap::new()), Format::Text);
        for accept in [
            PROMETHEUS_TEXT_ONLY,
            FIREFOX,
            "",
            "*/*",
            "application/*",
            "text/plain",
            "application/json",
            "text/plain, application/openmetrics-text;q=0.9",
            "*/*, application/openmetrics-text;q=0.9",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;version=1.0.0;q=0, application/openmetrics-text",
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text;version=2.0.0",
            "application/openmetrics-text;q=high",
            "application/openmetrics-text;q=NaN",
            "application/openmetrics-text;q=-1",
            "application/openmetrics-text;q=1e9",
            ",;,=;\"",
        ] {
            assert_eq!(
                format(&headers(&ACCEPT, &[accept])),
                Format::Text,
                "{accept}"
            );
        }
    }

    #[test]
    fn gzip_goes_to_whoever_accepts_it() {
        for accept in [
            "gzip",
            "GZip;q=0.5",
            "x-gzip",
            "gzip, deflate, br, zstd",
            "*",
            "deflate, *;q=0.1",
            "identity;q=0.5, gzip;q=0.5",
            "*;q=0, gzip",
        ] {
            assert_eq!(
                encoding(&headers(&ACCEPT_ENCODING, &[accept])),
                Encoding::Gzip,
                "{accept}"
            );
        }
        assert_eq!(
            encoding(&headers(&ACCEPT_ENCODING, &["br", "gzip"])),
            Encoding::Gzip
        );
    }

    #[test]
    fn the_language_is_the_one_that_is_liked_best() {
        for (accept, expected) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
            ("zh-Hant-TW", "zh"),
            ("ZH", "zh"),
            ("fr, zh;q=0.5, *;q=0.1", "zh"),
            ("en-US,en;q=0.9,zh-CN;q=0.8", "en"),
            ("zh;q=0.5, en;q=0.5", "en"),
            ("zh;q=0", "en"),
            ("zha, fr", "en"),
            ("*", "en"),
            (";;,", "en"),
        ] {
            let headers = headers(&ACCEPT_LANGUAGE, &[accept]);
            assert_eq!(language(&headers, ["en", "zh"]), expected, "{accept}");
        }
        assert_eq!(language(&HeaderMap::new(), ["en", "zh"]), "en");
    }

    #[test]
    fn everybody_else_gets_the_plain_body() {
        assert_eq!(encoding(&HeaderMap::new()), Encoding::Identity);
        for accept in [
            "",
            "identity",
            "gzip;q=0",
            "gzip;q=0.000, *",
            "*;q=0",
            "identity, gzip;q=0.9",
            "br",
            "gzip;q=x",
            "gzipped",
            ";;,",
        ] {
            assert_eq!(
                encoding(&headers(&ACCEPT_ENCODING, &[accept])),
                Encoding::Identity,
                "{accept}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_header_at_all_is_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let Ok(value) = HeaderValue::from_bytes(&bytes) else { return Ok(()) };
            let headers: HeaderMap = [(ACCEPT, value.clone()), (ACCEPT_ENCODING, value)].into_iter().collect();
            format(&headers);
            encoding(&headers);
        }
    }
}
