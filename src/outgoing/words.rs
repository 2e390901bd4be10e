//! What a server says in an error, as far as it can be read.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The words of an error in JSON, whichever way its fields are spelt. A field of another shape is as good as absent and costs
/// the others nothing; of several spellings the first that has some text will do. Nothing else is kept, not even while it is
/// read: a server decides how much there is.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// `code`, `Code`.
    pub code: Option<String>,
    /// `message`, `Message`.
    pub message: Option<String>,
    /// `requestId`, `RequestId`, `request_id`.
    pub request_id: Option<String>,
    /// `AuthAction` of `accessDeniedDetail`: what RAM would have to allow.
    pub action: Option<String>,
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Piece::deserialize(deserializer)? {
            Piece::Words(words) => Ok(words),
            Piece::Text(_) | Piece::Other => Ok(Self::default()),
        }
    }
}

/// A value of which only texts and error's words matter.
#[derive(Debug)]
pub enum Piece {
    /// A text.
    Text(String),
    /// An object.
    Words(Words),
    /// Anything else.
    Other,
}

impl<'de> Deserialize<'de> for Piece {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Look)
    }
}

struct Look;

impl<'de> Visitor<'de> for Look {
    type Value = Piece;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Piece, E> {
        Ok(Piece::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Piece, A::Error> {
        let mut words = Words::default();
        while let Some(key) = map.next_key::<String>()? {
            let place = match key.to_ascii_lowercase().replace('_', "").as_str() {
                "code" => &mut words.code,
                "message" => &mut words.message,
                "requestid" => &mut words.request_id,
                "authaction" => &mut words.action,
                "accessdenieddetail" => {
                    if let Piece::Words(detail) = map.next_value()? {
                        words.action = words.action.or(detail.action);
                    }
                    continue;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if let Piece::Text(text) = map.next_value()?
                && place.is_none()
                && !text.is_empty()
            {
                *place = Some(text);
            }
        }
        Ok(Piece::Words(words))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Piece, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Piece::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Piece, E> {
        Ok(Piece::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Piece, E> {
        Ok(Piece::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Piece, E> {
        Ok(Piece::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Piece, E> {
        Ok(Piece::Other)
    }

    fn visit_unit<E>(self) -> Result<Piece, E> {
        Ok(Piece::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_read_and_every_other_shape_passed_over() {
        let words = |json: &str| serde_json::from_str::<Words>(json).expect("JSON");
        let some = |text: &str| Some(text.to_owned());
        let expected = Words { code: some("C"), message: some("m"), request_id: some("R"), action: some("cs:Get") };
        for json in [
            r#"{"code":"C","message":"m","requestId":"R","accessDeniedDetail":{"AuthAction":"cs:Get"}}"#,
            r#"{"Code":"C","Message":"m","RequestId":"R","AccessDeniedDetail":{"x":[1],"AuthAction":"cs:Get"}}"#,
            r#"{"code":5,"Code":"C","message":{},"Message":"m","message":"n","requestid":[{}],"request_id":"R","accessDeniedDetail":"x","AccessDeniedDetail":{"AuthAction":"cs:Get"}}"#,
            r#"{"code":"","code":"C","message":"m","Message":null,"RequestId":"R","x":[[[]]],"y":{"code":"D"},"accessDeniedDetail":{"AuthAction":"cs:Get"},"z":1.5}"#,
        ] {
            assert_eq!(words(json), expected, "{json}");
        }
        for json in ["[1, [2], {}]", "null", "true", "-1", "1", "0.5", "\"code\"", "{}"] {
            assert_eq!(words(json), Words::default(), "{json}");
        }
    }
}
