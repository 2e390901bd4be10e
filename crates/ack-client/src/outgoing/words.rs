//! What a server says in an error, as far as it can be read.

use serde::de::{Deserialize, DeserializeSeed as _, Deserializer, MapAccess};

use super::lenient::{Field, Lenient, Object, Use, Word, object};

/// The words of an error, whichever way its fields are spelt. A field of another shape is as good
/// as absent and costs the others nothing; of several spellings the first that has some text will
/// do.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// `code`, `Code`.
    pub code: Option<String>,
    /// The same as a number, which is no code of Alibaba Cloud's.
    pub number: Option<String>,
    /// `message`, `Message`.
    pub message: Option<String>,
    /// `requestId`, `RequestId`, `request_id`.
    pub request_id: Option<String>,
    /// `AuthAction` of `accessDeniedDetail`: what RAM would have to allow.
    pub action: Option<String>,
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut words = Field::<Self>::Absent;
        words.deserialize(deserializer)?;
        Ok(words.known().unwrap_or_default())
    }
}

impl Object for Words {
    fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<Use, A::Error> {
        match key.to_ascii_lowercase().replace('_', "").as_str() {
            "code" => match value(map)? {
                Some(Code::Text(code)) => _ = self.code.get_or_insert(code),
                Some(Code::Number(code)) => _ = self.number.get_or_insert(code),
                None => {}
            },
            "message" => self.message = self.message.take().or(text(map)?),
            "requestid" => self.request_id = self.request_id.take().or(text(map)?),
            "authaction" => self.action = self.action.take().or(text(map)?),
            "accessdenieddetail" => {
                let detail: Option<AccessDenied> = value(map)?;
                self.action = self.action.take().or(detail
                    .and_then(|detail| detail.action.known())
                    .map(|Word(text)| text));
            }
            _ => return Ok(Use::Foreign),
        }
        Ok(Use::Some)
    }
}

object! {
    struct AccessDenied at "accessDeniedDetail." {
        action: Word = "AuthAction" | "authAction",
    }
}

enum Code {
    Text(String),
    Number(String),
}

impl Lenient for Code {
    fn from_text(text: &str) -> Option<Self> {
        Some(Self::Text(text.to_owned()))
    }

    fn from_number(number: &str) -> Option<Self> {
        Some(Self::Number(number.to_owned()))
    }
}

fn value<'de, T: Lenient, A: MapAccess<'de>>(map: &mut A) -> Result<Option<T>, A::Error> {
    let mut field = Field::Absent;
    map.next_value_seed(&mut field)?;
    Ok(field.known())
}

fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<String>, A::Error> {
    Ok(value(map)?.map(|Word(text)| text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_read_and_every_other_shape_passed_over() {
        let words = |json: &str| serde_json::from_str::<Words>(json).expect("JSON");
        let some = |text: &str| Some(text.to_owned());
        let expected = Words {
            code: some("C"),
            number: None,
            message: some("m"),
            request_id: some("R"),
            action: some("cs:Get"),
        };
        for json in [
            r#"{"code":"C","message":"m","requestId":"R","accessDeniedDetail":{"AuthAction":"cs:Get"}}"#,
            r#"{"Code":"C","Message":"m","RequestId":"R","AccessDeniedDetail":{"x":[1],"AuthAction":"cs:Get"}}"#,
            r#"{"code":{},"Code":"C","message":{},"Message":"m","message":"n","requestid":[{}],"request_id":"R","accessDeniedDetail":"x","AccessDeniedDetail":{"AuthAction":"cs:Get"}}"#,
            r#"{"code":"","code":"C","message":"m","Message":null,"RequestId":"R","x":[[[]]],"y":{"code":"D"},"accessDeniedDetail":{"AuthAction":"cs:Get"},"z":1.5}"#,
        ] {
            assert_eq!(words(json), expected, "{json}");
        }
        for json in [
            "[1, [2], {}]",
            "null",
            "true",
            "-1",
            "1",
            "0.5",
            "\"code\"",
            "{}",
        ] {
            assert_eq!(words(json), Words::default(), "{json}");
        }
        assert_eq!(
            words(r#"{"code":5,"Code":"C"}"#),
            Words {
                code: some("C"),
                number: some("5"),
                ..Words::default()
            }
        );
        let xml = "<Error><RequestId>R</RequestId><HostId/><Code>C</Code><Message>m</Message><AccessDeniedDetail><AuthAction>cs:Get</AuthAction></AccessDeniedDetail></Error>";
        assert_eq!(
            quick_xml::de::from_str::<Words>(xml).expect("XML"),
            expected
        );
    }
}
