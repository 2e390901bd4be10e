//! Lenient decoding: a field of another type than the reference gives costs that field alone.
//!
//! The API's reference and its responses do not always agree, and a later version may disagree
//! with both. Each value is therefore a [`Field`], which is absent, a value, or unexpected, and a
//! struct is declared with [`lenient_object!`].
//!
//! JSON and XML are decoded alike: an XML element is an object, its text stands under `$text`, its
//! attributes under `@name`, and the items of a list are elements of one name.
//!
//! Nothing is stored that no field asks for, not even while it is read: the server decides how
//! much it sends.

mod error_fields;
mod field;
mod list;
mod value;

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, SeqAccess};

pub(crate) use error_fields::ErrorFields;
pub(crate) use field::Field;
pub(crate) use list::List;
pub(crate) use value::Keyword;

/// The characters of an unexpected text that are kept; no more are ever shown.
const MAX_UNEXPECTED: usize = 300;

/// Receives the name and a description of each unexpected value.
pub(crate) type Report<'a> = dyn FnMut(&'static str, &str) + 'a;

/// The result of offering a key to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldRead {
    /// The key is not a field of the object. Its value has not been read.
    Unclaimed,
    /// The key is a field, and its value cannot be used.
    Unusable,
    /// The key is a field, and its value can be used or is empty.
    Usable,
}

/// A type that can be decoded from values of several types. Each function returns `None` for a
/// value that cannot be converted.
pub(crate) trait LenientValue: Sized {
    /// Converts a text that is not empty.
    fn from_text(text: &str) -> Option<Self>;

    /// Converts a number, given as it is written.
    fn from_number(number: &str) -> Option<Self> {
        Self::from_text(number)
    }

    /// Converts a boolean.
    fn from_bool(_: bool) -> Option<Self> {
        None
    }

    /// Reads an object whose first key is `key`.
    fn from_object<'de, A: MapAccess<'de>>(
        _key: &str,
        mut map: A,
    ) -> Result<Option<(Self, FieldRead)>, A::Error> {
        map.next_value::<IgnoredAny>()?;
        skip_object(map).map(|()| None)
    }

    /// Converts an object without keys.
    fn from_empty_object() -> Option<Self> {
        None
    }

    /// Reads a list.
    fn from_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    /// Adds a later value of the same key. By default the first value stays.
    fn add(&mut self, _later: Self) {}

    /// Describes a text that cannot be converted.
    fn describe_text(text: &str) -> Cow<'static, str> {
        text.chars().take(MAX_UNEXPECTED).collect::<String>().into()
    }

    /// Reports the unexpected values inside this one, which is called `name`.
    fn report_unexpected(&self, _name: &'static str, _report: &mut Report<'_>) {}

    /// Adds the names of the fields inside values of this type to `names`.
    fn add_inner_names(_names: &mut Vec<&'static str>) {}
}

/// An object with declared fields.
pub(crate) trait LenientObject: Default {
    /// Reads the value of `key` from `map` if `key` is one of the fields.
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
    ) -> Result<FieldRead, A::Error>;

    /// Reports each unexpected field by its name.
    fn report_unexpected_fields(&self, _report: &mut Report<'_>) {}

    /// Adds the names of the fields and of those inside them to `names`.
    fn add_field_names(_names: &mut Vec<&'static str>) {}

    /// Returns true if the object is worth keeping as an item of a list.
    fn is_usable(&self) -> bool {
        true
    }

    /// Converts a text that stands in place of the object.
    fn from_text(_: &str) -> Option<Self> {
        None
    }
}

/// Declares a struct of [`Field`]s and its decoding: `field: type = "key" | "other key"`. The text
/// after `at` is the place of the object in the response; place and key together name a field in
/// logs and metrics. A field that nobody reads is there for the count of unknown values alone, and
/// marked `// counted only`.
/// Methods of [`LenientObject`] may follow the struct.
macro_rules! lenient_object {
    (
        $(#[$doc:meta])*
        $visibility:vis struct $type:ident at $place:literal {
            $($field:ident: $value:ty = $key:literal $(| $alias:literal)*),+ $(,)?
        }
        $($more:tt)*
    ) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        $visibility struct $type {
            $($visibility $field: $crate::decode::Field<$value>),+
        }

        impl $crate::decode::LenientObject for $type {
            fn read<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                key: &str,
                map: &mut A,
            ) -> Result<$crate::decode::FieldRead, A::Error> {
                match key {
                    $($key $(| $alias)* => map.next_value_seed(&mut self.$field),)+
                    _ => Ok($crate::decode::FieldRead::Unclaimed),
                }
            }

            fn report_unexpected_fields(&self, report: &mut $crate::decode::Report<'_>) {
                $(self.$field.report_unexpected(concat!($place, $key), report);)+
            }

            fn add_field_names(names: &mut Vec<&'static str>) {
                $(
                    names.push(concat!($place, $key));
                    <$value as $crate::decode::LenientValue>::add_inner_names(names);
                )+
            }

            $($more)*
        }
    };
}
pub(crate) use lenient_object;

/// A key of an object, borrowed where the format allows it.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct ObjectKey<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Reads the remaining entries of an object and drops them.
fn skip_object<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests;
