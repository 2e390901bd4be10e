//! Counts, times and texts as people read them.

use std::fmt;

use ack_client::text::clean;
use jiff::Timestamp;

use super::messages::Messages;

/// Limit of a message, in characters. What is cut off is counted.
const MAX_MESSAGE: usize = 4000;

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

/// Returns a message of the API as one line. Very long ones are cut, and say so.
pub(super) fn message(text: &str, t: &Messages) -> String {
    let message = clean(text, usize::MAX);
    let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE) else {
        return message;
    };
    let (shown, rest) = message.split_at(end);
    let more = grouped(rest.chars().count());
    format!("{shown}… (+{more} {})", t.more_characters)
}

/// The time of an event, and of the reader. Displays the time between them as the one or two units
/// that matter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Age {
    pub(super) at: Timestamp,
    pub(super) now: Timestamp,
    pub(super) t: &'static Messages,
}

impl Age {
    /// The whole seconds that have passed; 0 for a time to come.
    pub(super) fn seconds(&self) -> u64 {
        let seconds = self.now.as_second().saturating_sub(self.at.as_second());
        u64::try_from(seconds).unwrap_or(0)
    }

    /// The event's time for people who compare it with a log.
    pub(super) fn absolute(&self) -> String {
        self.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
    }

    /// The distance with its direction, such as "5 min ago" or "in 2 d".
    pub(super) fn relative(&self) -> String {
        let t = self.t;
        if self.at > self.now {
            format!("{}{self}{}", t.in_before, t.in_after)
        } else {
            format!("{self}{}", t.ago)
        }
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = self.t;
        let seconds = self.now.as_second().abs_diff(self.at.as_second());
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
        match (days, hours, minutes) {
            (0, 0, 0) => write!(f, "{seconds} {}", t.unit_second),
            (0, 0, _) => write!(f, "{minutes} {}", t.unit_minute),
            (0, _, _) if minutes % 60 == 0 => write!(f, "{hours} {}", t.unit_hour),
            (0, _, _) => {
                let minutes = minutes % 60;
                write!(f, "{hours} {} {minutes} {}", t.unit_hour, t.unit_minute)
            }
            (1..10, _, _) if hours % 24 != 0 => {
                let hours = hours % 24;
                write!(f, "{days} {} {hours} {}", t.unit_day, t.unit_hour)
            }
            _ => write!(f, "{days} {}", t.unit_day),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::super::messages::Language;
    use super::*;

    fn age(at: Timestamp, now: Timestamp, language: Language) -> Age {
        let t = language.messages();
        Age { at, now, t }
    }

    #[test]
    fn thousands_are_apart() {
        let texts = [0, 999, 1000, 12_345, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn a_message_that_is_cut_says_how_much_is_missing() {
        let t = Language::English.messages();
        assert_eq!(message(" a\nb ", t), "a b");
        let whole = "升".repeat(MAX_MESSAGE);
        assert_eq!(message(&whole, t), whole);
        let cut = message(&"升".repeat(MAX_MESSAGE + 1234), t);
        assert!(cut.ends_with("升… (+1,234 more characters)"));
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
            assert_eq!(age(at, now, Language::English).to_string(), expected);
        }
    }

    #[test]
    fn a_time_is_in_the_past_or_to_come() {
        let (early, late) = (Timestamp::UNIX_EPOCH, Timestamp::constant(7200, 0));
        let relative = |at, now, language| age(at, now, language).relative();
        assert_eq!(relative(early, late, Language::English), "2 h ago");
        assert_eq!(relative(late, early, Language::English), "in 2 h");
        assert_eq!(relative(early, late, Language::Chinese), "2 小时前");
        assert_eq!(relative(late, early, Language::Chinese), "2 小时后");
    }

    #[test]
    fn any_two_times_have_an_age() {
        let (min, max) = (Timestamp::MIN, Timestamp::MAX);
        assert_eq!(age(max, min, Language::English).seconds(), 0);
        assert!(age(min, max, Language::English).seconds() > 0);
        let epoch = age(Timestamp::UNIX_EPOCH, max, Language::English);
        assert_eq!(epoch.absolute(), "1970-01-01 00:00:00 UTC");
    }
}
