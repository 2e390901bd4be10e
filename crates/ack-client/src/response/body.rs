//! The body of a response: its format, and the objects in it.

use quick_xml::events::Event;
use serde::de::DeserializeOwned;

use super::json::from_json;
use super::object::{DecodedObject, XmlObject};
use super::{KnownKeys, ResponseObject};
use crate::decode::ErrorFields;
use crate::operation::Operation;
use crate::text::clean_message;

/// A body by its first characters. The API's content types are not reliable.
#[derive(Debug)]
pub(super) enum Body<'a> {
    Json(&'a str),
    Xml { root: String, text: &'a str },
    Html,
    Empty,
    Other,
}

impl<'a> Body<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let text = text.trim_start_matches('\u{feff}').trim_ascii();
        match text.as_bytes().first() {
            None => Self::Empty,
            Some(b'{' | b'[') => Self::Json(text),
            Some(b'<') => Self::of_markup(text),
            Some(_) => Self::Other,
        }
    }

    fn of_markup(text: &'a str) -> Self {
        let is_doctype = text
            .get(..9)
            .is_some_and(|start| start.eq_ignore_ascii_case("<!doctype"));
        if is_doctype {
            return Self::Html;
        }
        let root = root_element(text).unwrap_or_default();
        let is_html = ["html", "head", "body"]
            .iter()
            .any(|name| root.eq_ignore_ascii_case(name));
        if is_html {
            Self::Html
        } else {
            Self::Xml { root, text }
        }
    }

    /// The name of the format, for messages about an object.
    pub(super) fn format(&self) -> &'static str {
        match self {
            Self::Xml { .. } => "XML",
            _ => "JSON",
        }
    }

    /// Decodes the response to `operation`, and error fields beside it. The error gives the place
    /// of a mistake and never the text there, which may be a secret.
    pub(super) fn object<T: ResponseObject>(
        &self,
        operation: Operation,
    ) -> Result<DecodedObject<T>, String> {
        match self {
            Self::Json(text) => from_json(text),
            Self::Xml { root, text }
                if root.strip_suffix("Response") == Some(operation.as_str()) =>
            {
                let XmlObject(decoded): XmlObject<T> = from_xml(text)?;
                Ok(DecodedObject {
                    known_keys: KnownKeys::SomeUsable,
                    ..decoded
                })
            }
            Self::Xml { root, .. } if root.is_empty() => Err("broken XML".to_owned()),
            Self::Xml { root, .. } => Err(format!(
                "XML that is not an answer of {}; its root: {}",
                operation.as_str(),
                clean_message(root)
            )),
            Self::Html => Err("an HTML page".to_owned()),
            Self::Empty => Err("an empty body".to_owned()),
            Self::Other => Err("neither JSON nor XML".to_owned()),
        }
    }

    /// The fields of an error, if the body is one of the service (`code`) or the gateway (`Code`).
    pub(super) fn error_fields(&self) -> Option<ErrorFields> {
        let fields: ErrorFields = match self {
            Self::Json(text) => from_json(text).ok()?,
            Self::Xml { root, text } if root == "Error" || root.ends_with("Response") => {
                from_xml(text).ok()?
            }
            _ => return None,
        };
        fields.error_code().is_some().then_some(fields)
    }
}

/// The name of the outermost element, without its namespace.
fn root_element(xml: &str) -> Option<String> {
    let mut reader = quick_xml::Reader::from_str(xml);
    loop {
        match reader.read_event().ok()? {
            Event::Start(element) | Event::Empty(element) => {
                return Some(element.local_name().as_ref().to_owned());
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn from_xml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    quick_xml::de::from_str(text).map_err(|_| "broken XML".to_owned())
}
