//! Counts and times as people read them.

use std::fmt;

use jiff::Timestamp;

/// Formats a count with a comma before every three digits.
pub(super) fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The time since an event. Displays as the one or two units that matter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Age {
    pub(super) at: Timestamp,
    pub(super) now: Timestamp,
}

impl Age {
    /// The whole seconds that have passed; 0 if the clocks disagree.
    pub(super) fn seconds(&self) -> u64 {
        let seconds = self.now.as_second().saturating_sub(self.at.as_second());
        u64::try_from(seconds).unwrap_or(0)
    }

    /// The event's time for people who compare it with a log.
    pub(super) fn absolute(&self) -> String {
        self.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
    }

    /// The event's time for programs, to the second.
    pub(super) fn rfc3339(&self) -> String {
        format!("{:.0}", self.at)
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds();
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
        match (days, hours, minutes) {
            (0, 0, 0) => write!(f, "{seconds} s"),
            (0, 0, _) => write!(f, "{minutes} min"),
            (0, _, _) if minutes % 60 == 0 => write!(f, "{hours} h"),
            (0, _, _) => write!(f, "{hours} h {} min", minutes % 60),
            (1..10, _, _) if hours % 24 != 0 => write!(f, "{days} d {} h", hours % 24),
            _ => write!(f, "{days} d"),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn thousands_are_apart() {
        let texts = [0, 999, 1000, 12_345, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn an_age_has_at_most_two_units() {
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
        let at = Timestamp::UNIX_EPOCH;
        for (seconds, expected) in cases {
            let now = at + SignedDuration::from_secs(seconds);
            assert_eq!(Age { at, now }.to_string(), expected);
        }
    }

    #[test]
    fn a_time_ahead_of_the_clock_is_now() {
        let (min, max) = (Timestamp::MIN, Timestamp::MAX);
        assert_eq!(Age { at: max, now: min }.seconds(), 0);
        assert!(Age { at: min, now: max }.seconds() > 0);
        let epoch = Age {
            at: Timestamp::UNIX_EPOCH,
            now: max,
        };
        assert_eq!(epoch.absolute(), "1970-01-01 00:00:00 UTC");
        assert_eq!(epoch.rfc3339(), "1970-01-01T00:00:00Z");
    }
}
