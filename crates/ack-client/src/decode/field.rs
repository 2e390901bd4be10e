//! One field of a response, and the visitor that fills it.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{FieldRead, Keyword, LenientValue, ObjectKey, Report, skip_object};
use crate::text::clean_message;

/// A field of a response.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Field<T> {
    /// The key is missing, or its value is null or empty.
    #[default]
    Absent,
    /// The value.
    Value(T),
    /// A value that cannot be converted, with a short description of it.
    Unexpected(Cow<'static, str>),
}

impl<T> Field<T> {
    /// The value, if there is one that can be used.
    pub(crate) fn into_value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Unexpected(_) => None,
        }
    }

    /// A reference to the value, if there is one that can be used.
    pub(crate) fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Unexpected(_) => None,
        }
    }
}

impl<T: LenientValue> Field<T> {
    /// Reports the field, which is called `name`, if it or a part of it is unexpected.
    pub(crate) fn report_unexpected(&self, name: &'static str, report: &mut Report<'_>) {
        match self {
            Self::Absent => {}
            Self::Value(value) => value.report_unexpected(name, report),
            Self::Unexpected(description) => report(name, description),
        }
    }

    /// Stores `value`, or the result of `describe` if there is none. A key may occur several times.
    fn set(&mut self, value: Option<T>, describe: impl FnOnce() -> Cow<'static, str>) -> FieldRead {
        match (value, &mut *self) {
            (Some(later), Self::Value(earlier)) => earlier.add(later),
            (Some(value), field) => *field = Self::Value(value),
            (None, field) => {
                if matches!(field, Self::Absent) {
                    *field = Self::Unexpected(describe());
                }
                return FieldRead::Unusable;
            }
        }
        FieldRead::Usable
    }

    fn set_number(&mut self, number: &str) -> FieldRead {
        self.set(T::from_number(number), || number.to_owned().into())
    }
}

impl<'de, T: LenientValue> DeserializeSeed<'de> for &mut Field<T> {
    type Value = FieldRead;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<FieldRead, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: LenientValue> Visitor<'de> for &mut Field<T> {
    type Value = FieldRead;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<FieldRead, E> {
        if text.trim().is_empty() {
            return Ok(FieldRead::Usable);
        }
        Ok(self.set(T::from_text(text), || T::describe_text(text)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FieldRead, A::Error> {
        while let Some(ObjectKey(key)) = map.next_key()? {
            match &*key {
                "$text" => {
                    let mut text = Field::<String>::Absent;
                    map.next_value_seed(&mut text)?;
                    skip_object(map)?;
                    return self.visit_str(text.value().map_or("", String::as_str));
                }
                attribute if attribute.starts_with('@') => _ = map.next_value::<IgnoredAny>()?,
                key => {
                    let Some((value, read)) = T::from_object(key, map)? else {
                        return Ok(self.set(None, || "an object".into()));
                    };
                    self.set(Some(value), Cow::default);
                    return Ok(read);
                }
            }
        }
        let Some(value) = T::from_empty_object() else {
            return Ok(FieldRead::Unusable);
        };
        Ok(self.set(Some(value), Cow::default))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<FieldRead, A::Error> {
        let value = T::from_list(list)?;
        Ok(self.set(value, || "a list".into()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<FieldRead, E> {
        Ok(self.set(T::from_bool(value), || value.to_string().into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<FieldRead, E> {
        Ok(self.set_number(&number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<FieldRead, E> {
        Ok(self.set_number(&number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<FieldRead, E> {
        Ok(self.set_number(&number.to_string()))
    }

    fn visit_unit<E>(self) -> Result<FieldRead, E> {
        Ok(FieldRead::Usable)
    }
}

impl Field<String> {
    /// The cleaned text, which is empty if there is none.
    pub(crate) fn into_text(self) -> String {
        clean_message(&self.into_value().unwrap_or_default())
    }

    /// The cleaned text, if it is not empty.
    pub(crate) fn into_nonempty_text(self) -> Option<String> {
        let text = self.into_text();
        (!text.is_empty()).then_some(text)
    }
}

impl Field<Keyword> {
    /// Converts the field, which is called `name`, by `convert`, which gets the keyword in lower
    /// case. The values of `[absent, unlisted]` stand for a field that is missing, and for a value
    /// that the reference does not list; such a value is reported.
    pub(crate) fn into_listed<T>(
        self,
        name: &'static str,
        [absent, unlisted]: [T; 2],
        convert: impl FnOnce(&str) -> Option<T>,
        report: &mut Report<'_>,
    ) -> T {
        match self {
            Self::Absent => absent,
            // Reported before, as a value of another type.
            Self::Unexpected(_) => unlisted,
            Self::Value(Keyword(word)) => {
                let word = word.trim();
                convert(&word.to_ascii_lowercase()).unwrap_or_else(|| {
                    report(name, word);
                    unlisted
                })
            }
        }
    }

    /// The cleaned keyword in lower case, which is empty if there is none.
    pub(crate) fn into_lower_case(self) -> String {
        match self.into_value() {
            Some(Keyword(word)) => clean_message(&word).to_ascii_lowercase(),
            None => String::new(),
        }
    }
}
