//! The headers of a response that matter when a call fails.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// The time to wait before the next attempt, if the server gives one. `x-acs-retry-after` is in
/// milliseconds; `Retry-After` is in seconds, or a date by the server's clock.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    number(headers, "x-acs-retry-after")
        .map(Duration::from_millis)
        .or_else(|| number(headers, "retry-after").map(Duration::from_secs))
        .or_else(|| until_date(headers, now))
        .filter(|delay| !delay.is_zero())
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

fn until_date(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let server_time = date(headers, "date").unwrap_or(now);
    Duration::try_from(server_time.duration_until(date(headers, "retry-after")?)).ok()
}

/// A header with a date as in RFC 9110.
fn date(headers: &HeaderMap, name: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new()
        .parse_timestamp(headers.get(name)?.to_str().ok()?)
        .ok()
}

/// The difference between the clock here, which shows `now`, and the server's, in words.
pub(super) fn clock_skew(headers: &HeaderMap, now: Timestamp) -> Option<String> {
    let seconds = now.as_second() - date(headers, "date")?.as_second();
    Some(if seconds >= 0 {
        format!("{seconds} s ahead of the API's")
    } else {
        format!("{} s behind the API's", -seconds)
    })
}

/// The API's ID of the request.
pub(super) fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-acs-request-id")?.to_str().ok()
}
