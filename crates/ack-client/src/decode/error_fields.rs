//! The fields of an error response.

use serde::de::{Deserialize, DeserializeSeed as _, Deserializer, MapAccess};

use super::{Field, FieldRead, Keyword, LenientObject, LenientValue, lenient_object};

/// The fields of an error, in every spelling that Alibaba Cloud's services and gateways use. A
/// field of another type counts as absent. Of several spellings, the first with a text is taken.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorFields {
    /// `code`, `Code`.
    pub(crate) code: Option<String>,
    /// The code, if it is a number. The API's own codes are fields; a gateway's may be numbers.
    pub(crate) number: Option<String>,
    /// `message`, `Message`.
    pub(crate) message: Option<String>,
    /// `requestId`, `RequestId`, `request_id`.
    pub(crate) request_id: Option<String>,
    /// `AuthAction` of `accessDeniedDetail`: the action that RAM would have to allow.
    pub(crate) action: Option<String>,
}

impl ErrorFields {
    /// The code, unless it means success.
    pub(crate) fn error_code(&self) -> Option<&str> {
        let code = self.code.as_deref().or(self.number.as_deref())?.trim();
        let is_success = ["", "0", "200", "ok", "success"]
            .iter()
            .any(|success| code.eq_ignore_ascii_case(success));
        (!is_success).then_some(code)
    }
}

impl<'de> Deserialize<'de> for ErrorFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Field::<Self>::Absent;
        fields.deserialize(deserializer)?;
        Ok(fields.into_value().unwrap_or_default())
    }
}

impl LenientObject for ErrorFields {
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        map: &mut A,
    ) -> Result<FieldRead, A::Error> {
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
                    .and_then(|detail| detail.action.into_value())
                    .map(|Keyword(text)| text));
            }
            _ => return Ok(FieldRead::Unclaimed),
        }
        Ok(FieldRead::Usable)
    }
}

lenient_object! {
    struct AccessDenied at "accessDeniedDetail." {
        action: Keyword = "AuthAction" | "authAction",
    }
}

enum Code {
    Text(String),
    Number(String),
}

impl LenientValue for Code {
    fn from_text(text: &str) -> Option<Self> {
        Some(Self::Text(text.to_owned()))
    }

    fn from_number(number: &str) -> Option<Self> {
        Some(Self::Number(number.to_owned()))
    }
}

fn value<'de, T: LenientValue, A: MapAccess<'de>>(map: &mut A) -> Result<Option<T>, A::Error> {
    let mut field = Field::Absent;
    map.next_value_seed(&mut field)?;
    Ok(field.into_value())
}

fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<String>, A::Error> {
    Ok(value(map)?.map(|Keyword(text)| text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_read_and_every_other_shape_passed_over() {
        let fields = |json: &str| serde_json::from_str::<ErrorFields>(json).expect("JSON");
        let some = |text: &str| Some(text.to_owned());
        let expected = ErrorFields {
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
            assert_eq!(fields(json), expected, "{json}");
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
            assert_eq!(fields(json), ErrorFields::default(), "{json}");
        }
        assert_eq!(
            fields(r#"{"code":5,"Code":"C"}"#),
            ErrorFields {
                code: some("C"),
                number: some("5"),
                ..ErrorFields::default()
            }
        );
        let xml = "<Error><RequestId>R</RequestId><HostId/><Code>C</Code><Message>m</Message><AccessDeniedDetail><AuthAction>cs:Get</AuthAction></AccessDeniedDetail></Error>";
        assert_eq!(
            quick_xml::de::from_str::<ErrorFields>(xml).expect("XML"),
            expected
        );
    }
}
