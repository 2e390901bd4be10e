//! Durations in the file.

use std::time::Duration;

use exporter_toolkit::yaml::duration::{complaint, parse};
use serde::{Deserialize, Deserializer};

/// A duration in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Friendly(Duration);

impl From<Friendly> for Duration {
    fn from(Friendly(duration): Friendly) -> Self {
        duration
    }
}

impl<'de> Deserialize<'de> for Friendly {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A bare `0` is what people write to switch something off.
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => {
                parse(&text).map(Self).map_err(serde::de::Error::custom)
            }
            serde_json::Value::Number(number) if number.as_u64() == Some(0) => {
                Ok(Self(Duration::ZERO))
            }
            other => Err(serde::de::Error::custom(complaint(other))),
        }
    }
}
