//! Times as people say them, with the exact one at hand.

use jiff::Timestamp;

use super::html::{Html, markup};

/// How many whole seconds `at` lies before `now`; 0 if the clocks disagree.
pub(super) fn seconds_since(at: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.as_second().saturating_sub(at.as_second())).unwrap_or(0)
}

/// A length of time in the one or two units that matter.
pub(super) fn length(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) if minutes % 60 == 0 => format!("{hours} h"),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        (1..10, _, _) if hours % 24 != 0 => format!("{days} d {} h", hours % 24),
        _ => format!("{days} d"),
    }
}

/// A point in time for people who compare it with a log.
pub(super) fn absolute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A point in time for programs, to the second.
pub(super) fn rfc3339(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// Writes how long ago `at` was; a pointer over it tells when exactly.
pub(super) fn write(html: &mut Html, at: Timestamp, now: Timestamp) {
    markup!(
        html,
        "<time datetime=\"{}\" title=\"{}\">{}</time>",
        rfc3339(at),
        absolute(at),
        length(seconds_since(at, now))
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_at_most_two_units() {
        let cases = [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3599, "59 min"),
            (3600, "1 h"),
            (3660, "1 h 1 min"),
            (86_400, "1 d"),
            (90_000, "1 d 1 h"),
            (864_000 + 3600, "10 d"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(length(seconds), expected);
        }
    }

    #[test]
    fn a_time_ahead_of_the_clock_is_now() {
        assert_eq!(seconds_since(Timestamp::MAX, Timestamp::MIN), 0);
        assert!(seconds_since(Timestamp::MIN, Timestamp::MAX) > 0);
        assert_eq!(absolute(Timestamp::UNIX_EPOCH), "1970-01-01 00:00:00 UTC");
        assert_eq!(rfc3339(Timestamp::UNIX_EPOCH), "1970-01-01T00:00:00Z");
    }
}
