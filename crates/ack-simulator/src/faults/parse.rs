//! Rules as text: `throttled=429/2s@GetUpgradeStatus:2%*10, slow=1s:5%`.

use std::time::Duration;

use ack_client::names::{ClusterId, Region};
use jiff::SignedDuration;

use crate::action::Action;
use crate::faults::{ErrorBody, Fault, RepeatIn, Rule};
use crate::response::Framing;

/// Error of [`parse_rules`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule:?}: {problem}")]
pub struct InvalidRule {
    rule: String,
    problem: String,
}

/// Every fault at low probability; together they hit about one call in eight.
const UNRULY: &str = "\
    throttled=429/500ms:2%, throttled=503:0.5%, throttled=400:0.5%, server-error=500:1%, \
    server-error=502/html:0.5%, server-error=503/nothing:0.3%, slow=1500ms:3%, hang:0.2%, \
    reset:0.5%, truncated:0.5%, huge:0.1%, huge=chunked:0.1%, drip=20ms:0.2%, malformed:0.3%, \
    garbage:0.1%, html:0.2%, deep:0.1%, wrong-types:0.3%, redirect:0.1%, xml:0.5%, xml-error:0.3%, \
    empty:0.2%, proxy=407:0.2%, nonce-used:0.5%, expired-token:0.1%, clock-skew:0.1%, \
    forbidden:0.1%, unknown-values:0.3%";

/// Parses rules that are separated by commas. The word `unruly` stands for every fault at low
/// probability.
///
/// A rule is `FAULT[=DETAIL][@WHERE…][:PERCENT%][*TIMES]`, where `WHERE` is an action, `cluster=ID`
/// or `region=ID`. Faults: `throttled[=STATUS[/WAIT]]`, `server-error[=STATUS[/nothing|/html]]`,
/// `slow=TIME`, `hang`, `reset`, `truncated`, `huge[=chunked]`, `drip=TIME`, `malformed`, `html`,
/// `deep`, `wrong-types`, `redirect[=URL]`, `xml`, `xml-error`, `empty`, `proxy[=STATUS]`,
/// `expired-token`, `nonce-used`, `clock-skew`, `forbidden`, `unknown-values`, `garbage`,
/// `repeat[=error]`.
pub fn parse_rules(text: &str) -> Result<Vec<Rule>, InvalidRule> {
    let mut rules = Vec::new();
    for word in text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
    {
        if word == "unruly" {
            rules.extend(parse_rules(UNRULY)?);
        } else {
            rules.push(parse_rule(word).map_err(|problem| InvalidRule {
                rule: word.to_owned(),
                problem,
            })?);
        }
    }
    Ok(rules)
}

fn parse_rule(text: &str) -> Result<Rule, String> {
    let (text, times) = match text.rsplit_once('*') {
        Some((rest, times)) => (
            rest,
            Some(
                times
                    .parse()
                    .map_err(|_| format!("{times:?} is not a number of times"))?,
            ),
        ),
        None => (text, None),
    };
    let (text, probability) = match text
        .strip_suffix('%')
        .and_then(|text| text.rsplit_once(':'))
    {
        Some((rest, percent)) => (rest, parse_percent(percent)?),
        None => (text, 1.0),
    };
    let mut places = text.split('@');
    let fault = parse_fault(places.next().unwrap_or_default())?;
    let rule = places.try_fold(Rule::new(fault), parse_place)?;
    Ok(Rule {
        probability,
        times,
        ..rule
    })
}

fn parse_percent(text: &str) -> Result<f64, String> {
    let percent = text
        .parse()
        .ok()
        .filter(|percent| (0.0..=100.0).contains(percent));
    percent
        .map(|percent| percent / 100.0)
        .ok_or_else(|| format!("{text:?} is not between 0 and 100"))
}

fn parse_place(rule: Rule, place: &str) -> Result<Rule, String> {
    match place.split_once('=') {
        Some(("cluster", id)) => ClusterId::parse(id)
            .map(|id| rule.cluster(id))
            .map_err(|error| error.to_string()),
        Some(("region", id)) => Region::parse(id)
            .map(|id| rule.region(id))
            .map_err(|error| error.to_string()),
        Some((other, _)) => Err(format!("{other:?} is neither cluster nor region")),
        None => Action::parse(place)
            .map(|action| rule.on(action))
            .ok_or_else(|| format!("{place:?} is no action")),
    }
}

fn parse_fault(text: &str) -> Result<Fault, String> {
    let (name, detail) = text
        .split_once('=')
        .map_or((text, None), |(name, detail)| (name, Some(detail)));
    let fault = match (name, detail) {
        ("throttled", detail) => parse_throttled(detail.unwrap_or("429"))?,
        ("server-error", detail) => parse_server_error(detail.unwrap_or("500"))?,
        ("slow", Some(time)) => Fault::Slow(parse_time(time)?),
        ("drip", Some(time)) => Fault::Drip(parse_time(time)?),
        ("slow" | "drip", None) => return Err(format!("{name} needs a time: {name}=2s")),
        ("huge", Some("chunked")) => Fault::Huge(Framing::Chunked),
        ("redirect", location) => {
            Fault::Redirect(location.unwrap_or("http://elsewhere.invalid/").to_owned())
        }
        ("proxy", status) => Fault::ProxyPage(parse_status(status.unwrap_or("502"))?),
        ("repeat", Some("error")) => Fault::Repeat(RepeatIn::Error),
        (_, Some(detail)) => return Err(format!("{name} takes no {detail:?}")),
        (_, None) => parse_plain(name)?,
    };
    Ok(fault)
}

fn parse_plain(name: &str) -> Result<Fault, String> {
    Ok(match name {
        "hang" => Fault::Hang,
        "reset" => Fault::Reset,
        "truncated" => Fault::Truncated,
        "huge" => Fault::Huge(Framing::Length),
        "malformed" => Fault::Malformed,
        "garbage" => Fault::Garbage,
        "repeat" => Fault::Repeat(RepeatIn::Response),
        "html" => Fault::HtmlPage,
        "deep" => Fault::DeepNesting,
        "wrong-types" => Fault::WrongTypes,
        "xml" => Fault::XmlResponse,
        "xml-error" => Fault::XmlError,
        "empty" => Fault::EmptyBody,
        "expired-token" => Fault::ExpiredToken,
        "nonce-used" => Fault::NonceUsed,
        "clock-skew" => Fault::ClockSkew,
        "forbidden" => Fault::Forbidden,
        "unknown-values" => Fault::UnknownValues,
        other => return Err(format!("{other:?} is no fault")),
    })
}

fn parse_throttled(detail: &str) -> Result<Fault, String> {
    let (status, wait) = detail
        .split_once('/')
        .map_or((detail, None), |(status, wait)| (status, Some(wait)));
    Ok(Fault::Throttled {
        status: parse_status(status)?,
        retry_after: wait.map(parse_time).transpose()?,
    })
}

fn parse_server_error(detail: &str) -> Result<Fault, String> {
    let (status, body) = match detail.split_once('/') {
        None => (detail, ErrorBody::Json),
        Some((status, "nothing")) => (status, ErrorBody::Nothing),
        Some((status, "html")) => (status, ErrorBody::Html),
        Some((_, other)) => return Err(format!("{other:?} is neither nothing nor html")),
    };
    Ok(Fault::ServerError {
        status: parse_status(status)?,
        body,
    })
}

fn parse_status(text: &str) -> Result<u16, String> {
    text.parse()
        .ok()
        .filter(|status| (400..=599).contains(status))
        .ok_or_else(|| format!("{text:?} is no status of an error"))
}

fn parse_time(text: &str) -> Result<Duration, String> {
    let signed: Option<SignedDuration> = text.parse().ok();
    signed
        .and_then(|time| Duration::try_from(time).ok())
        .ok_or_else(|| format!("{text:?} is not a time such as 300ms or 2s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_one(text: &str) -> Rule {
        parse_rules(text).expect(text).remove(0)
    }

    #[test]
    fn a_rule_has_a_fault_places_a_percentage_and_a_number_of_times() {
        let throttled = Fault::Throttled {
            status: 429,
            retry_after: Some(Duration::from_secs(2)),
        };
        assert_eq!(
            parse_one("throttled=429/2s@GetUpgradeStatus@region=cn-hangzhou:2.5%*10"),
            Rule::new(throttled)
                .on(Action::GetUpgradeStatus)
                .region(Region::parse("cn-hangzhou").expect("a region"))
                .probability(0.025)
                .times(10)
        );
        let cluster = ClusterId::parse("c1").expect("an ID");
        assert_eq!(
            parse_one("hang@cluster=c1"),
            Rule::new(Fault::Hang).cluster(cluster)
        );
        let elsewhere = "http://127.0.0.1:9/".to_owned();
        assert_eq!(
            parse_one("redirect=http://127.0.0.1:9/:50%"),
            Rule::new(Fault::Redirect(elsewhere)).probability(0.5)
        );
        assert_eq!(
            parse_one("server-error=502/html").fault,
            Fault::ServerError {
                status: 502,
                body: ErrorBody::Html
            }
        );
        assert_eq!(
            parse_one("slow=300ms").fault,
            Fault::Slow(Duration::from_millis(300))
        );
    }

    #[test]
    fn unruly_is_every_fault_and_can_be_combined_with_rules() {
        let rules = parse_rules("unruly, reset*1").expect("rules");
        assert!(rules.len() > 25);
        let total: f64 = rules[..rules.len() - 1]
            .iter()
            .map(|rule| rule.probability)
            .sum();
        assert!((0.10..0.15).contains(&total), "{total}");
        assert_eq!(parse_rules(" , ").expect("nothing"), []);
    }

    #[test]
    fn an_error_names_the_rule_and_the_mistake() {
        for (text, expected) in [
            ("hung", r#""hung": "hung" is no fault"#),
            ("hang, slow", r#""slow": slow needs a time: slow=2s"#),
            (
                "slow=-2s",
                r#""slow=-2s": "-2s" is not a time such as 300ms or 2s"#,
            ),
            (
                "hang:101%",
                r#""hang:101%": "101" is not between 0 and 100"#,
            ),
            (
                "hang:NaN%",
                r#""hang:NaN%": "NaN" is not between 0 and 100"#,
            ),
            ("hang*x", r#""hang*x": "x" is not a number of times"#),
            ("hang@Nothing", r#""hang@Nothing": "Nothing" is no action"#),
            (
                "throttled=200",
                r#""throttled=200": "200" is no status of an error"#,
            ),
            ("hang=1", r#""hang=1": hang takes no "1""#),
        ] {
            assert_eq!(parse_rules(text).expect_err(text).to_string(), expected);
        }
    }
}
