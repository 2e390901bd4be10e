//! Error messages as label values.

use std::borrow::Cow;

use ack_client::text::clean_message;

/// The units of a duration such as `12m30s`, with `ms` before `m`.
const SHORT_UNITS: [&str; 7] = ["ms", "ns", "us", "µs", "s", "m", "h"];
/// The units that stand behind a number as a word of their own.
const UNITS: [&str; 22] = [
    "seconds",
    "second",
    "secs",
    "sec",
    "minutes",
    "minute",
    "mins",
    "min",
    "hours",
    "hour",
    "days",
    "day",
    "milliseconds",
    "ms",
    "s",
    "m",
    "h",
    "d",
    "秒",
    "分钟",
    "小时",
    "次",
];
/// The words after which a number counts.
const COUNTERS: [&str; 6] = ["attempt", "attempts", "retry", "retries", "retried", "try"];
/// The characters of a message that are read. A label has a quarter of them, and numbers get
/// shorter.
const READ: usize = 1024;
/// The words before which a number counts.
const COUNTED: [&str; 5] = ["times", "attempts", "attempt", "retries", "tries"];

/// Returns `message` as a label may have it: cleaned, with `N` for each duration, percentage,
/// fraction and number of attempts.
///
/// A message that counts would otherwise begin a new series at every scrape. Other numbers are
/// kept: they name nodes, addresses and versions.
pub(super) fn label(message: &str) -> String {
    let end = message.char_indices().nth(READ);
    clean_message(&folded(end.map_or(message, |(end, _)| &message[..end])))
}

fn folded(message: &str) -> Cow<'_, str> {
    if !message.bytes().any(|byte| byte.is_ascii_digit()) {
        return Cow::Borrowed(message);
    }
    let mut text = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        text.push_str(&rest[..start]);
        rest = &rest[start..];
        let length = measure(&text, rest);
        if length > 0 {
            text.push('N');
            rest = &rest[length..];
        } else {
            let end = name_length(rest);
            text.push_str(&rest[..end]);
            rest = &rest[end..];
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The length of the measure that `rest` begins with; 0 if its number is none.
fn measure(before: &str, rest: &str) -> usize {
    if before.ends_with(is_name_part) {
        return 0;
    }
    let duration = duration_length(rest);
    let number = number_length(rest);
    if duration > 0 {
        duration
    } else if counts(before, &rest[number..]) {
        number
    } else {
        fraction_length(rest)
    }
}

/// True if a number between `before` and `after` measures or counts something.
fn counts(before: &str, after: &str) -> bool {
    let has_unit = is_followed_by(after, &UNITS) || is_followed_by(after, &COUNTED);
    after.starts_with('%') || has_unit || (is_counted(before) && !goes_on(after))
}

/// A duration such as `12m30.5s`.
fn duration_length(text: &str) -> usize {
    let mut length = 0;
    loop {
        let rest = &text[length..];
        let number = number_length(rest);
        let unit = SHORT_UNITS
            .iter()
            .find(|unit| number > 0 && rest[number..].starts_with(**unit));
        match unit {
            Some(unit) => length += number + unit.len(),
            None if goes_on(rest) => return 0,
            None => return length,
        }
    }
}

/// A fraction such as `3/10`.
fn fraction_length(text: &str) -> usize {
    let number = number_length(text);
    let Some(denominator) = text[number..].strip_prefix('/') else {
        return 0;
    };
    let length = number_length(denominator);
    let is_path = denominator[length..].starts_with(|c| is_name_part(c) || c == '/');
    if length == 0 || is_path {
        0
    } else {
        number + 1 + length
    }
}

/// A number with or without decimals.
fn number_length(text: &str) -> usize {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    match text[whole..].strip_prefix('.') {
        Some(rest) if whole > 0 && digits(rest) > 0 => whole + 1 + digits(rest),
        _ => whole,
    }
}

/// Anything else that begins with a digit, such as an address.
fn name_length(text: &str) -> usize {
    text.find(|c| !is_name_part(c)).unwrap_or(text.len())
}

fn is_name_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':')
}

/// True if the word before `text` goes on in it, rather than ends with a full stop or colon.
fn goes_on(text: &str) -> bool {
    let rest = text.trim_start_matches(['.', '-', ':']);
    let at_most_one_mark = text.len() - rest.len() <= 1;
    at_most_one_mark && rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

fn is_followed_by(after: &str, words: &[&str]) -> bool {
    let after = after.strip_prefix([' ', '-']).unwrap_or(after);
    words.iter().any(|word| {
        let rest = after.strip_prefix(word);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
    })
}

fn is_counted(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '#', '=', ':']);
    let start = before.rfind(|c: char| !c.is_alphanumeric() && c != '_');
    let word = start.map_or(before, |start| {
        before[start..].trim_start_matches(|c: char| !c.is_alphanumeric())
    });
    COUNTERS
        .iter()
        .any(|counter| word.eq_ignore_ascii_case(counter))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_and_counters_are_folded() {
        for (message, expected) in [
            ("timed out after 600 seconds", "timed out after N seconds"),
            ("waited 12m30.5s for the node", "waited N for the node"),
            ("retry 3: elapsed=45s", "retry N: elapsed=N"),
            (
                "attempt #17 failed (3/10 nodes, 30%)",
                "attempt #N failed (N nodes, N%)",
            ),
            (
                "gave up after 5 times, in 45s.",
                "gave up after N times, in N.",
            ),
            ("升级超时600秒，第 3 次重试", "升级超时N秒，第 N 次重试"),
            ("a 10-minute time-out", "a N-minute time-out"),
        ] {
            assert_eq!(label(message), expected);
        }
    }

    #[test]
    fn names_addresses_and_versions_are_kept() {
        for message in [
            "node cn-hangzhou.10.0.3.17 is NotReady",
            "2 nodes are NotReady",
            "upgrade to 1.31.1-aliyun.1 failed",
            "connect 10.0.3.17:6443: refused",
            "etcd entry 17 is corrupt, see registry 4",
            "第2个节点未就绪",
            "pod payments/gateway-5d4f8b7c9-x2x8p cannot be evicted",
            "request 3D2F9B1E-77A0-5C1B-9A2F-0B9D2C4E8A11",
            "disk /dev/vda1/2 at 2026-11-29T08:12:32Z, http status 503",
        ] {
            assert_eq!(label(message), message);
        }
    }

    proptest! {
        #[test]
        fn a_folded_message_is_folded_no_further(message in "([a-z.:/ -]|[0-9]|秒|s|attempt |%){0,40}") {
            let once = label(&message);
            prop_assert_eq!(label(&once), once);
        }

        #[test]
        fn a_message_that_counts_is_one_label(count in 0_u32.., other in 0_u32..) {
            let text = |count| label(&format!("attempt {count}: drain timed out after {count} s"));
            prop_assert_eq!(text(count), text(other));
        }
    }
}
