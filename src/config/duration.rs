//! Durations in the file.

use std::time::Duration;

use exporter_toolkit::yaml::duration::{complaint, format, parse};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A duration as people write it, such as `1h30m`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Friendly(Duration);

impl Friendly {
    /// Reads a field of type [`Duration`].
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        <Self as Deserialize>::deserialize(deserializer).map(|Self(duration)| duration)
    }

    /// Shows a field of type [`Duration`].
    pub(super) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format(*duration))
    }
}

impl<'de> Deserialize<'de> for Friendly {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => parse(&text).map(Self).map_err(D::Error::custom),
            // A bare `0` is what people write to switch something off.
            serde_json::Value::Number(number) if number.as_u64() == Some(0) => {
                Ok(Self(Duration::ZERO))
            }
            other => Err(D::Error::custom(complaint(other))),
        }
    }
}

/// The length of the session of a role.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "Friendly")]
pub(super) struct SessionDuration(pub(super) Duration);

impl TryFrom<Friendly> for SessionDuration {
    type Error = &'static str;

    fn try_from(Friendly(duration): Friendly) -> Result<Self, Self::Error> {
        // The limits of STS; a role's own maximum may be lower.
        if (Duration::from_secs(900)..=Duration::from_secs(43_200)).contains(&duration) {
            Ok(Self(duration))
        } else {
            Err("must be between 15m and 12h")
        }
    }
}

impl Serialize for SessionDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Friendly::serialize(&self.0, serializer)
    }
}
