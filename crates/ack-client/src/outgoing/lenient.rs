//! Replies whose fields may be of another type than the reference says: each costs itself at most,
//! and nothing that is not wanted is kept, not even while it is read. A server decides how much
//! there is.
//!
//! JSON and XML are read alike: an element of XML is an object, its text stands under `$text`, its
//! attributes under `@name`, and the items of a list are elements of the same name.

use std::borrow::Cow;
use std::mem;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// How many items of a list are kept: more than a reply has room for, unless they are next to
/// nothing.
const MAX_ITEMS: usize = 10_000;

/// How much of an odd text is kept, in characters: more than is shown of it.
const MAX_ODD: usize = 300;

/// A field of a reply.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// It is not there, null, or empty.
    #[default]
    Absent,
    /// Its value.
    Known(T),
    /// It has a value of another type; in a few words.
    Odd(Cow<'static, str>),
}

/// How much use a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It belongs to something else. Its value has not been read.
    Foreign,
    /// It cannot be used.
    None,
    /// It can be used, or says that there is nothing.
    Some,
}

/// A type that can be read from values of several types. None is a value of which nothing can be
/// made.
pub trait Lenient: Sized {
    /// Reads a text that is not empty.
    fn from_text(text: &str) -> Option<Self>;

    /// Reads a number, as it is written.
    fn from_number(number: &str) -> Option<Self> {
        Self::from_text(number)
    }

    /// Reads a boolean.
    fn from_bool(_: bool) -> Option<Self> {
        None
    }

    /// Reads an object whose first key is `key`, and says how much use it is.
    fn from_object<'de, A: MapAccess<'de>>(
        _key: &str,
        mut map: A,
    ) -> Result<Option<(Self, Use)>, A::Error> {
        map.next_value::<IgnoredAny>()?;
        skip_object(map).map(|()| None)
    }

    /// Reads an object without fields.
    fn from_empty_object() -> Option<Self> {
        None
    }

    /// Reads a list.
    fn from_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    /// Adds another value of the same field. Unless it is a list, the first one stands.
    fn add(&mut self, _later: Self) {}

    /// What to say of a text that nothing can be made of.
    fn odd_text(text: &str) -> Cow<'static, str> {
        text.chars().take(MAX_ODD).collect::<String>().into()
    }

    /// Tells `tell` of what is odd inside; `name` is the name of the value itself.
    fn tell_odd(&self, _name: &'static str, _tell: &mut dyn FnMut(&'static str, &str)) {}
}

/// An object with the fields of a type.
pub trait Object: Default {
    /// Reads the value of `key` out of `map`, if it is one of the fields.
    fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<Use, A::Error>;

    /// Tells `tell` of each odd field by its name.
    fn tell_odd_fields(&self, _tell: &mut dyn FnMut(&'static str, &str)) {}

    /// Whether it is of any use as an item of a list.
    fn is_useful(&self) -> bool {
        true
    }

    /// Reads a text that stands where the object should.
    fn from_text(_: &str) -> Option<Self> {
        None
    }
}

/// Declares a struct whose fields are [`Field`]s, and how it is read: `field: type = "key" | "other
/// key"`. `at` is where the object stands in a reply; with the key after it, it names a field to
/// people.
macro_rules! object {
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
            $($field: $crate::outgoing::Field<$value>),+
        }

        impl $type {
            /// The names of the fields.
            #[allow(dead_code, reason = "nobody counts the odd fields of an error")]
            $visibility const FIELDS: &'static [&'static str] = &[$(concat!($place, $key)),+];
        }

        impl $crate::outgoing::Object for $type {
            fn read<'de, A: serde::de::MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<$crate::outgoing::Use, A::Error> {
                match key {
                    $($key $(| $alias)* => map.next_value_seed(&mut self.$field),)+
                    _ => Ok($crate::outgoing::Use::Foreign),
                }
            }

            fn tell_odd_fields(&self, tell: &mut dyn FnMut(&'static str, &str)) {
                $(self.$field.tell_odd(concat!($place, $key), tell);)+
            }

            $($more)*
        }
    };
}
pub(crate) use object;

/// A key of an object.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Key<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// A text that is one of a few words. A number is none.
#[derive(Debug, PartialEq, Eq)]
pub struct Word(pub String);

/// The items of a list that are of use.
#[derive(Debug)]
pub struct List<T> {
    /// Those that are.
    pub items: Vec<T>,
    /// How many there are, useful or not.
    pub length: usize,
    /// The first of those that are not.
    odd: Option<Cow<'static, str>>,
}

// === impl Field ===

impl<T> Field<T> {
    /// The value, if there is one that can be used.
    pub fn known(self) -> Option<T> {
        if let Self::Known(value) = self {
            Some(value)
        } else {
            None
        }
    }

    /// The value, if there is one that can be used.
    pub fn as_known(&self) -> Option<&T> {
        if let Self::Known(value) = self {
            Some(value)
        } else {
            None
        }
    }
}

impl<T: Lenient> Field<T> {
    /// Tells `tell` whether the field, which is called `name`, is odd or has something odd in it.
    pub fn tell_odd(&self, name: &'static str, tell: &mut dyn FnMut(&'static str, &str)) {
        match self {
            Self::Absent => {}
            Self::Known(value) => value.tell_odd(name, tell),
            Self::Odd(value) => tell(name, value),
        }
    }

    /// Takes a value, which is `odd` if there is none.
    fn take(&mut self, value: Option<T>, odd: impl FnOnce() -> Cow<'static, str>) -> Use {
        match (value, &mut *self) {
            (Some(later), Self::Known(earlier)) => earlier.add(later),
            (Some(value), field) => *field = Self::Known(value),
            (None, field) => {
                if matches!(field, Self::Absent) {
                    *field = Self::Odd(odd());
                }
                return Use::None;
            }
        }
        Use::Some
    }
}

impl<'de, T: Lenient> DeserializeSeed<'de> for &mut Field<T> {
    type Value = Use;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Use, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Lenient> Visitor<'de> for &mut Field<T> {
    type Value = Use;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Use, E> {
        if text.trim().is_empty() {
            return Ok(Use::Some);
        }
        Ok(self.take(T::from_text(text), || T::odd_text(text)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Use, A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                "$text" => {
                    let mut text = Field::<String>::Absent;
                    map.next_value_seed(&mut text)?;
                    skip_object(map)?;
                    return self.visit_str(text.as_known().map_or("", String::as_str));
                }
                attribute if attribute.starts_with('@') => _ = map.next_value::<IgnoredAny>()?,
                key => {
                    let Some((value, used)) = T::from_object(key, map)? else {
                        return Ok(self.take(None, || "an object".into()));
                    };
                    self.take(Some(value), Cow::default);
                    return Ok(used);
                }
            }
        }
        Ok(T::from_empty_object().map_or(Use::None, |value| self.take(Some(value), Cow::default)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Use, A::Error> {
        let value = T::from_list(list)?;
        Ok(self.take(value, || "a list".into()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Use, E> {
        Ok(self.take(T::from_bool(value), || value.to_string().into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Use, E> {
        let number = number.to_string();
        Ok(self.take(T::from_number(&number), || number.clone().into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Use, E> {
        let number = number.to_string();
        Ok(self.take(T::from_number(&number), || number.clone().into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Use, E> {
        let number = number.to_string();
        Ok(self.take(T::from_number(&number), || number.clone().into()))
    }

    fn visit_unit<E>(self) -> Result<Use, E> {
        Ok(Use::Some)
    }
}

/// Reads a field of `object`, for nothing if it is none of its own.
fn read_field<'de, T: Object, A: MapAccess<'de>>(
    object: &mut T,
    key: &str,
    map: &mut A,
) -> Result<Use, A::Error> {
    let used = object.read(key, map)?;
    if used == Use::Foreign {
        map.next_value::<IgnoredAny>()?;
    }
    Ok(used)
}

/// Reads the rest of an object, for nothing.
fn skip_object<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

// === impl Lenient ===

impl Lenient for String {
    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn from_bool(value: bool) -> Option<Self> {
        Some(value.to_string())
    }
}

impl Lenient for Word {
    fn from_text(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }

    fn from_number(_: &str) -> Option<Self> {
        None
    }
}

impl Lenient for u64 {
    fn from_text(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }
}

/// A time as RFC 3339 has it, or since the epoch, in seconds or milliseconds.
impl Lenient for Timestamp {
    fn from_text(text: &str) -> Option<Self> {
        // In seconds, the year 5138; in milliseconds, 1973.
        const MILLISECONDS: f64 = 1e11;
        let text = text.trim();
        let since_epoch = || {
            let number: f64 = text.parse().ok()?;
            let seconds = if number < MILLISECONDS {
                number
            } else {
                number / 1000.0
            };
            Self::from_duration(SignedDuration::try_from_secs_f64(seconds).ok()?).ok()
        };
        text.parse().ok().or_else(since_epoch)
    }
}

impl<T: Object> Lenient for T {
    fn from_text(text: &str) -> Option<Self> {
        Object::from_text(text)
    }

    fn from_number(_: &str) -> Option<Self> {
        None
    }

    fn from_object<'de, A: MapAccess<'de>>(
        key: &str,
        mut map: A,
    ) -> Result<Option<(Self, Use)>, A::Error> {
        let mut object = Self::default();
        let mut used = read_field(&mut object, key, &mut map)?;
        while let Some(Key(key)) = map.next_key()? {
            if read_field(&mut object, &key, &mut map)? == Use::Some {
                used = Use::Some;
            }
        }
        Ok(Some((object, used)))
    }

    fn from_empty_object() -> Option<Self> {
        Some(Self::default())
    }

    /// The text may be a whole object inside a string, of which nobody knows what is in it.
    fn odd_text(_: &str) -> Cow<'static, str> {
        "a text".into()
    }

    fn tell_odd(&self, _: &'static str, tell: &mut dyn FnMut(&'static str, &str)) {
        self.tell_odd_fields(tell);
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            length: 0,
            odd: None,
        }
    }
}

impl<T: Object> List<T> {
    fn push(&mut self, item: Field<T>) {
        self.length += 1;
        let odd = match item {
            Field::Known(_) if self.items.len() == MAX_ITEMS => "too many items".into(),
            Field::Known(item) if item.is_useful() => return self.items.push(item),
            Field::Known(_) => "an item without an ID".into(),
            Field::Absent => "an item that is empty".into(),
            Field::Odd(odd) => odd,
        };
        self.odd.get_or_insert(odd);
    }
}

impl<T: Object> Lenient for List<T> {
    fn from_text(_: &str) -> Option<Self> {
        None
    }

    /// An element of XML.
    fn from_object<'de, A: MapAccess<'de>>(
        key: &str,
        map: A,
    ) -> Result<Option<(Self, Use)>, A::Error> {
        let mut list = Self::default();
        list.push(T::from_object(key, map)?.map_or(Field::Absent, |(item, _)| Field::Known(item)));
        Ok(Some((list, Use::Some)))
    }

    fn from_list<'de, A: SeqAccess<'de>>(mut items: A) -> Result<Option<Self>, A::Error> {
        let mut list = Self::default();
        let mut item = Field::Absent;
        while items.next_element_seed(&mut item)?.is_some() {
            list.push(mem::take(&mut item));
        }
        Ok(Some(list))
    }

    fn add(&mut self, later: Self) {
        self.items.extend(later.items);
        self.length += later.length;
        self.odd = self.odd.take().or(later.odd);
    }

    /// Of the items that are of use, whoever uses them tells.
    fn tell_odd(&self, name: &'static str, tell: &mut dyn FnMut(&'static str, &str)) {
        if let Some(odd) = &self.odd {
            tell(name, odd);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    object! {
        struct Thing at "thing." {
            name: String = "name" | "Name",
            count: u64 = "count",
            time: Timestamp = "time",
            word: Word = "word",
            parts: List<Part> = "parts",
        }
    }

    object! {
        struct Part at "part." {
            id: String = "id",
        }

        fn is_useful(&self) -> bool {
            self.id.as_known().is_some()
        }

        fn from_text(text: &str) -> Option<Self> {
            Some(Self { id: Field::Known(text.to_owned()) })
        }
    }

    fn read(json: &str) -> Thing {
        let mut thing = Field::<Thing>::Absent;
        (&mut thing)
            .deserialize(&mut serde_json::Deserializer::from_str(json))
            .expect(json);
        thing.known().expect(json)
    }

    fn odd(thing: &Thing) -> Vec<(&'static str, String)> {
        let mut odd = Vec::new();
        thing.tell_odd_fields(&mut |name, value| odd.push((name, value.to_owned())));
        odd
    }

    #[test]
    fn numbers_are_read_as_text_and_text_as_numbers() {
        for json in [
            r#"{"name":5,"count":"7"}"#,
            r#"{"Name":"5","count":7.0}"#,
            r#"{"name":null,"name":"5","count":" 7 ","count":8}"#,
        ] {
            let thing = read(json);
            assert_eq!(
                (
                    thing.name.as_known().map(String::as_str),
                    thing.count.as_known(),
                    odd(&thing)
                ),
                (Some("5"), Some(&7), vec![]),
                "{json}"
            );
        }
        assert_eq!(
            read(r#"{"name":true}"#).name,
            Field::Known("true".to_owned())
        );
        for (json, expected) in [
            ("-1", "-1"),
            ("1e30", "1000000000000000000000000000000"),
            ("\"many\"", "many"),
            ("true", "true"),
            ("[7]", "a list"),
        ] {
            let thing = read(&format!(r#"{{"count":{json}}}"#));
            assert_eq!(
                odd(&thing),
                [("thing.count", expected.to_owned())],
                "{json}"
            );
        }
        assert_eq!(
            odd(&read(r#"{"word":5}"#)),
            [("thing.word", "5".to_owned())]
        );
    }

    #[test]
    fn a_time_is_read_however_it_is_written() {
        let expected = "2026-11-23T08:00:00Z".parse().ok();
        for json in [
            "\"2026-11-23T16:00:00+08:00\"",
            "\"2026-11-23T16:00:00.000+08:00\"",
            "1795420800",
            "1795420800000",
            "\"1795420800\"",
            "1795420800000.0",
            "1.7954208e9",
        ] {
            assert_eq!(
                read(&format!(r#"{{"time":{json}}}"#)).time.known(),
                expected,
                "{json}"
            );
        }
        for json in [
            "\"2026-11-23 16:00:00\"",
            "\"NaN\"",
            "1e300",
            "\"soon\"",
            "{\"a\":1}",
        ] {
            assert_eq!(
                odd(&read(&format!(r#"{{"time":{json}}}"#))).len(),
                1,
                "{json}"
            );
        }
    }

    #[test]
    fn an_item_that_is_of_no_use_costs_itself() {
        let thing =
            read(r#"{"parts":[{"id":"a"},null,{"id":[1]},{"x":{"y":[]}},7,"b",{"id":"c"}]}"#);
        assert_eq!(
            odd(&thing),
            [("thing.parts", "an item that is empty".to_owned())]
        );
        let parts = thing.parts.known().expect("a list");
        let ids: Vec<_> = parts
            .items
            .into_iter()
            .filter_map(|part| part.id.known())
            .collect();
        assert_eq!((ids.join(" ").as_str(), parts.length), ("a b c", 7));
    }

    #[test]
    fn a_list_without_end_costs_little() {
        let items = |count: usize| vec![r#""a""#; count].join(",");
        let thing = read(&format!(r#"{{"parts":[{}]}}"#, items(MAX_ITEMS + 5)));
        assert_eq!(odd(&thing), [("thing.parts", "too many items".to_owned())]);
        assert_eq!(
            thing
                .parts
                .known()
                .map(|parts| (parts.items.len(), parts.length)),
            Some((MAX_ITEMS, MAX_ITEMS + 5))
        );
    }

    #[test]
    fn xml_is_read_as_json_is() {
        let xml = "<r><name a=\"b\">x &amp; y</name><count>7</count><parts><id>a</id></parts><parts><id>b</id></parts><time/></r>";
        let mut thing = Field::<Thing>::Absent;
        (&mut thing)
            .deserialize(&mut quick_xml::de::Deserializer::from_str(xml))
            .expect("XML");
        let thing = thing.known().expect("an object");
        assert_eq!(
            (
                thing.name.as_known().map(String::as_str),
                thing.count.as_known(),
                odd(&thing)
            ),
            (Some("x & y"), Some(&7), vec![])
        );
        assert_eq!(thing.parts.known().map(|parts| parts.length), Some(2));
    }
}
