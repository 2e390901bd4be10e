//! The number at the end of a sample.

use std::io::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use super::format::Format;

/// The value of a sample.
///
/// Most are whole or have a fixed number of decimals, and are written without floating-point
/// formatting: a large page has tens of thousands of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// `digits` divided by ten to the power of `decimals`.
    Fixed {
        /// The number without its point.
        digits: i64,
        /// The number of digits after the point; at most 18.
        decimals: u8,
    },
    /// Any number.
    Float(f64),
}

impl Value {
    /// The value of an info.
    pub const ONE: Self = Self::Fixed {
        digits: 1,
        decimals: 0,
    };

    /// Returns the number as `format` spells it.
    pub(super) fn text(self, format: Format) -> String {
        let mut text = Vec::new();
        self.write(format, &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Adds the number as `format` spells it.
    pub fn write(self, format: Format, buffer: &mut Vec<u8>) {
        match self {
            Self::Fixed { digits, decimals } => {
                write_fixed(digits, usize::from(decimals), format, buffer);
            }
            Self::Float(number) => write_float(number, format, buffer),
        }
    }
}

/// 1 for true, 0 for false.
impl From<bool> for Value {
    fn from(condition: bool) -> Self {
        Self::Fixed {
            digits: i64::from(condition),
            decimals: 0,
        }
    }
}

/// A count.
impl From<usize> for Value {
    fn from(count: usize) -> Self {
        Self::Fixed {
            digits: i64::try_from(count).unwrap_or(i64::MAX),
            decimals: 0,
        }
    }
}

/// A count.
impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Fixed {
            digits: i64::try_from(count).unwrap_or(i64::MAX),
            decimals: 0,
        }
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
        Self::Fixed {
            digits: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX),
            decimals: 6,
        }
    }
}

/// Unix time in seconds, down to the millisecond, as Prometheus itself keeps it.
impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Fixed {
            digits: time.as_millisecond(),
            decimals: 3,
        }
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
    let fraction = &fraction[..fraction
        .iter()
        .rposition(|&digit| digit != b'0')
        .map_or(0, |last| last + 1)];
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
    // `Debug` is the shortest form that reads back the same, with an exponent where the number is
    // very large or small.
    write!(buffer, "{number:?}").expect("a vector takes any text");
    if format == Format::Text && buffer.ends_with(b".0") {
        buffer.truncate(buffer.len() - 2);
    }
}

#[cfg(test)]
#[expect(
    clippy::float_cmp,
    reason = "the number that is read back is the same to the bit"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_spelled_as_each_format_demands() {
        let fixed = |digits, decimals| Value::Fixed { digits, decimals };
        let cases = [
            (Value::from(0_usize), "0", "0.0"),
            (
                Value::from(u64::MAX),
                "9223372036854775807",
                "9223372036854775807.0",
            ),
            (Value::from(true), "1", "1.0"),
            (fixed(1_700_000_000_000, 3), "1700000000", "1700000000.0"),
            (
                fixed(1_700_000_000_120, 3),
                "1700000000.12",
                "1700000000.12",
            ),
            (fixed(1, 6), "0.000001", "0.000001"),
            (fixed(-1_500, 3), "-1.5", "-1.5"),
            (
                fixed(i64::MIN, 18),
                "-9.223372036854775808",
                "-9.223372036854775808",
            ),
            (fixed(1, 18), "0.000000000000000001", "0.000000000000000001"),
            (
                Value::from(Duration::from_nanos(1_999_999)),
                "0.001999",
                "0.001999",
            ),
            (
                Value::from(Duration::MAX),
                "9223372036854.775807",
                "9223372036854.775807",
            ),
            (Value::from(1.0), "1", "1.0"),
            (Value::from(0.025), "0.025", "0.025"),
            (Value::from(1e300), "1e300", "1e300"),
            (Value::from(-0.0), "-0", "-0.0"),
            (Value::from(f64::NAN), "NaN", "NaN"),
            (Value::from(f64::INFINITY), "+Inf", "+Inf"),
            (Value::from(f64::NEG_INFINITY), "-Inf", "-Inf"),
        ];
        for (value, text, open_metrics) in cases {
            assert_eq!(value.text(Format::Text), text, "{value:?}");
            assert_eq!(value.text(Format::OpenMetrics), open_metrics, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn a_fixed_number_reads_back_as_what_it_was(digits in any::<i64>(), decimals in 0_u8..=18) {
            let exact: f64 = format!("{digits}e-{decimals}").parse().unwrap();
            for format in [Format::Text, Format::OpenMetrics] {
                prop_assert_eq!(Value::Fixed { digits, decimals }.text(format).parse::<f64>().unwrap(), exact);
            }
        }

        #[test]
        fn a_float_reads_back_as_what_it_was(number in any::<f64>()) {
            for format in [Format::Text, Format::OpenMetrics] {
                let read: f64 = Value::from(number).text(format).parse().unwrap();
                prop_assert!(read == number || read.is_nan() && number.is_nan());
            }
        }
    }
}
