//! The types of single values: text, keywords, numbers, times and objects.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use serde::de::{IgnoredAny, MapAccess};

use super::{FieldRead, LenientObject, LenientValue, ObjectKey, Report};

/// A text that is one of a few known words. A number is not a keyword.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Keyword(pub(crate) String);

impl LenientValue for String {
    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn from_bool(value: bool) -> Option<Self> {
        Some(value.to_string())
    }
}

impl LenientValue for Keyword {
    fn from_text(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }

    fn from_number(_: &str) -> Option<Self> {
        None
    }
}

impl LenientValue for u64 {
    fn from_text(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }
}

/// A boolean, or 1 for true and 0 for false.
impl LenientValue for bool {
    fn from_text(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }
}

/// RFC 3339, or a number of seconds or milliseconds since the epoch.
impl LenientValue for Timestamp {
    fn from_text(text: &str) -> Option<Self> {
        // As seconds this is the year 5138, as milliseconds 1973.
        const FIRST_MILLISECONDS: f64 = 1e11;
        let text = text.trim();
        let since_epoch = || {
            let number: f64 = text.parse().ok()?;
            let seconds = if number < FIRST_MILLISECONDS {
                number
            } else {
                number / 1000.0
            };
            Self::from_duration(SignedDuration::try_from_secs_f64(seconds).ok()?).ok()
        };
        text.parse().ok().or_else(since_epoch)
    }
}

impl<T: LenientObject> LenientValue for T {
    fn from_text(text: &str) -> Option<Self> {
        LenientObject::from_text(text)
    }

    fn from_number(_: &str) -> Option<Self> {
        None
    }

    fn from_object<'de, A: MapAccess<'de>>(
        key: &str,
        mut map: A,
    ) -> Result<Option<(Self, FieldRead)>, A::Error> {
        let mut object = Self::default();
        let mut read = read_or_skip(&mut object, key, &mut map)?;
        while let Some(ObjectKey(key)) = map.next_key()? {
            if read_or_skip(&mut object, &key, &mut map)? == FieldRead::Usable {
                read = FieldRead::Usable;
            }
        }
        Ok(Some((object, read)))
    }

    fn from_empty_object() -> Option<Self> {
        Some(Self::default())
    }

    fn describe_text(_: &str) -> Cow<'static, str> {
        // The text may be a whole object inside a string, with secrets in it.
        "a text".into()
    }

    fn report_unexpected(&self, _: &'static str, report: &mut Report<'_>) {
        self.report_unexpected_fields(report);
    }

    fn add_inner_names(names: &mut Vec<&'static str>) {
        T::add_field_names(names);
    }
}

/// Reads the value of `key` into `object`, or drops it if `object` has no such field.
fn read_or_skip<'de, T: LenientObject, A: MapAccess<'de>>(
    object: &mut T,
    key: &str,
    map: &mut A,
) -> Result<FieldRead, A::Error> {
    let read = object.read(key, map)?;
    if read == FieldRead::Unclaimed {
        map.next_value::<IgnoredAny>()?;
    }
    Ok(read)
}
