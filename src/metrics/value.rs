//! The number at the end of a line.

use std::io::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use super::page::Format;

/// A value of a sample.
///
/// The numbers of a scrape are whole or have a fixed number of decimals, and are written without going through floating
/// point: a large page has tens of thousands of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// `digits` divided by ten to the power of `decimals`.
    Fixed {
        /// All digits.
        digits: i64,
        /// How many of them stand after the point; at most 18.
        decimals: u8,
    },
    /// Any number at all.
    Float(f64),
}

impl Value {
    /// What an info has.
    pub const ONE: Self = Self::truth(true);

    /// 1 if `truth` holds, else 0.
    pub const fn truth(truth: bool) -> Self {
        Self::Fixed { digits: truth as i64, decimals: 0 }
    }

    /// The number as `format` spells it.
    pub(super) fn text(self, format: Format) -> String {
        let mut text = Vec::new();
        self.write(format, &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Adds the number as `format` spells it.
    pub(super) fn write(self, format: Format, buffer: &mut Vec<u8>) {
        match self {
            Self::Fixed { digits, decimals } => write_fixed(digits, usize::from(decimals), format, buffer),
            Self::Float(number) => write_float(number, format, buffer),
        }
    }
}

/// A count of things.
impl From<usize> for Value {
    fn from(count: usize) -> Self {
        Self::Fixed { digits: i64::try_from(count).unwrap_or(i64::MAX), decimals: 0 }
    }
}

/// A count of things.
impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Fixed { digits: i64::try_from(count).unwrap_or(i64::MAX), decimals: 0 }
    }
}

/// A plain number.
impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

/// Seconds, down to the microsecond.
impl From<Duration> for Value {
    fn from(duration: Duration) -> Self {
        Self::Fixed { digits: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX), decimals: 6 }
    }
}

/// Unix time in seconds, down to the millisecond, as Prometheus itself keeps it.
impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Fixed { digits: time.as_millisecond(), decimals: 3 }
    }
}

fn write_fixed(digits: i64, decimals: usize, format: Format, buffer: &mut Vec<u8>) {
    // 19 digits of an i64, or 18 decimals and the zero before the point.
    let mut text = [b'0'; 20];
    let mut start = text.len();
    let mut rest = digits.unsigned_abs();
    while rest > 0 || text.len() - start <= decimals {
        start -= 1;
        text[start] = b'0' + u8::try_from(rest % 10).expect("one digit");
        rest /= 10;
    }
    let (whole, fraction) = text[start..].split_at(text.len() - start - decimals);
    let fraction = &fraction[..fraction.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1)];
    if digits < 0 {
        buffer.push(b'-');
    }
    buffer.extend_from_slice(whole);
    match (fraction, format) {
        ([], Format::Text) => {}
        ([], Format::OpenMetrics) => buffer.extend_from_slice(b".0"),
        (fraction, _) => {
            buffer.push(b'.');
            buffer.extend_from_slice(fraction);
        }
    }
}

fn write_float(number: f64, format: Format, buffer: &mut Vec<u8>) {
    let special = match number {
        number if number.is_nan() => Some("NaN"),
        f64::INFINITY => Some("+Inf"),
        f64::NEG_INFINITY => Some("-Inf"),
        _ => None,
    };
    if let Some(special) = special {
        buffer.extend_from_slice(special.as_bytes());
        return;
    }
    // `Debug` is the shortest form that reads back the same, with an exponent where the number is very large or small.
    write!(buffer, "{number:?}").expect("a vector takes any text");
    if format == Format::Text && buffer.ends_with(b".0") {
        buffer.truncate(buffer.len() - 2);
    }
}
