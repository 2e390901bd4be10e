//! Numbers in the file.

use serde::{Deserialize, Serialize};

/// A finite number above zero.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline, extend("exclusiveMinimum" = 0)))]
#[serde(try_from = "f64")]
pub(super) struct Positive(f64);

impl Positive {
    /// The number itself.
    pub(super) fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Positive {
    type Error = &'static str;

    fn try_from(number: f64) -> Result<Self, Self::Error> {
        if number.is_finite() && number > 0.0 {
            Ok(Self(number))
        } else {
            Err("must be a number above 0")
        }
    }
}
