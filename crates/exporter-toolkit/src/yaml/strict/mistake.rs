//! The error of a value, in words for people.

use std::fmt;

use serde::de::{Error, Expected, Unexpected};

use crate::yaml::complaint::{WHOLE_NUMBER, one_of};

/// Why a value could not be read. The message does not quote it: the path names the place, and the
/// value may be a secret.
#[derive(Debug)]
pub(super) enum Mistake {
    /// The value itself is wrong.
    Here(String),
    /// The mapping lacks a key that it must have.
    Missing(&'static str),
    /// A value inside was refused and noted; the rest may be read without it.
    Inside,
    /// There is no stand-in for what was refused inside.
    Unusable,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(message) => f.write_str(message),
            Self::Missing(key) => write!(f, "{key} is missing"),
            Self::Inside | Self::Unusable => f.write_str("a value inside was refused"),
        }
    }
}

impl std::error::Error for Mistake {}

impl Error for Mistake {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Here(message.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Here(must_be(&expected.to_string()))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Here(must_be(&expected.to_string()))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Here(format!("must be {}", one_of(expected)))
    }

    fn missing_field(key: &'static str) -> Self {
        Self::Missing(key)
    }
}

/// serde's name of a type, in the words of a person who writes YAML.
fn must_be(expected: &str) -> String {
    match expected {
        "u32" | "a nonzero u32" => WHOLE_NUMBER.to_owned(),
        "f64" => "must be a number above 0".to_owned(),
        "a string" => "must be text; put it in quotes".to_owned(),
        "a boolean" => "must be true or false".to_owned(),
        expected => format!("must be {expected}"),
    }
}
