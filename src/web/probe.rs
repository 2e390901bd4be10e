//! `/probe`: its parameters, and the exchange with the API as text.

use std::fmt::Write as _;
use std::time::Duration;

use ack_client::Trace;

use crate::snapshot::{ClusterReading, Outcome};

/// The parameters of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProbeQuery {
    /// A cluster's ID or name.
    pub(super) target: String,
    pub(super) detail: Detail,
}

/// The content of a probe's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    Metrics,
    /// The requests to the API and its responses.
    Exchange,
}

impl ProbeQuery {
    /// Reads `target=…[&debug=true]`; the error is for the client.
    pub(super) fn parse(query: Option<&str>) -> Result<Self, &'static str> {
        let mut target = None;
        let mut detail = Detail::Metrics;
        for pair in query
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
        {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decode(value).ok_or("the query is not UTF-8 in percent-encoding\n")?;
            match key {
                "target" if target.is_some() => return Err("there is more than one target\n"),
                "target" => target = Some(value),
                "debug" if value == "true" => detail = Detail::Exchange,
                "debug" if value == "false" => detail = Detail::Metrics,
                "debug" => return Err("debug is true or false\n"),
                // Prometheus' relabelling adds parameters of its own, such as `module`.
                _ => {}
            }
        }
        let target = target
            .filter(|target| !target.is_empty())
            .ok_or("the parameter target, a cluster's ID or name, is missing\n")?;
        Ok(Self { target, detail })
    }
}

/// Decodes strictly: `form_urlencoded` would keep a broken escape as it is, and replace what is not
/// UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? << 4 | digit()?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// The exchange of one probe, for people.
pub(super) fn exchange(reading: &ClusterReading, trace: &Trace, elapsed: Duration) -> String {
    let info = &reading.cluster;
    let mut text = format!("cluster {} of account {}\n", info.id, info.account);
    let outcome = match &reading.outcome {
        Outcome::Up(state) => format!(
            "up: status {}, step {}",
            state.status.as_str(),
            state.step.as_str()
        ),
        Outcome::Down(failure) => format!("down: {}: {}", failure.reason.as_str(), failure.message),
        Outcome::NotAsked => "not asked".to_owned(),
    };
    writeln!(text, "{outcome}, after {elapsed:?}\n\n{trace}").expect("a String takes every write");
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_query_names_one_target() {
        let parse = |query| ProbeQuery::parse(Some(query));
        assert_eq!(
            parse("target=c1"),
            Ok(ProbeQuery {
                target: "c1".to_owned(),
                detail: Detail::Metrics
            })
        );
        assert_eq!(
            parse("debug=true&target=shop%20%E5%95%86&module=x")
                .map(|query| (query.target, query.detail)),
            Ok(("shop 商".to_owned(), Detail::Exchange))
        );
        for bad in [
            "",
            "target=",
            "target=a&target=b",
            "target=%",
            "target=%zz",
            "target=%ff",
            "target=%+1",
            "target=%1",
            "target=a&debug=maybe",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(ProbeQuery::parse(None).is_err());
    }

    proptest! {
        #[test]
        fn no_query_string_panics(query in any::<String>()) {
            let _ = ProbeQuery::parse(Some(&query));
        }
    }
}
