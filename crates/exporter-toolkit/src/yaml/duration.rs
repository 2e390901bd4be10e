//! Durations as people write them: `10s`, `500ms`, `1h30m`, `1d`.

use std::fmt::Display;
use std::time::Duration;

use jiff::{Span, SpanRelativeTo};

/// Reads a friendly duration; days and weeks are of 24 hours and 7 days, and nothing is negative.
pub fn parse(text: &str) -> Result<Duration, String> {
    let complaint = || complaint(format_args!("{text:?}"));
    let span: Span = text.trim().parse().map_err(|_| complaint())?;
    let signed = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| complaint())?;
    Duration::try_from(signed).map_err(|_| format!("{text:?} is negative"))
}

/// Writes a duration so that [`parse`] reads it back.
pub fn format(duration: Duration) -> String {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    match (seconds, nanos) {
        (0, 0) => "0s".to_owned(),
        (_, 0) => [(3600, "h"), (60, "m"), (1, "s")]
            .iter()
            .find(|(unit, _)| seconds.is_multiple_of(*unit))
            .map_or_else(String::new, |(unit, name)| {
                format!("{}{name}", seconds / unit)
            }),
        _ if nanos.is_multiple_of(1_000_000) => format!("{}ms", duration.as_millis()),
        _ => format!("{}ns", duration.as_nanos()),
    }
}

/// The complaint about a value that is no duration.
pub fn complaint(shown: impl Display) -> String {
    format!("{shown} is not a duration such as 500ms, 10s, 5m or 1h30m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, millis) in [
            ("0s", 0),
            ("500ms", 500),
            ("10s", 10_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("1d", 86_400_000),
            ("1.5s", 1500),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for bad in ["", "10", "-5s", "soon", "1y"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_are_written_as_they_are_read() {
        for text in ["0s", "500ms", "10s", "5m", "2h", "90s", "1500ms", "1ns"] {
            let duration = parse(text).expect(text);
            assert_eq!(parse(&format(duration)), Ok(duration), "{text}");
        }
        assert_eq!(format(Duration::from_secs(300)), "5m");
    }
}
