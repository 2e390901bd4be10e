//! Validated names, each of a type of its own so that they cannot be confused.

use std::fmt;
use std::sync::Arc;

use safe_input::text::is_misleading;

/// An invalid name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// A cluster ID outside `[A-Za-z0-9_-]{1,64}`.
    #[error("{0:?} is not a cluster ID: 1 to 64 of A-Z a-z 0-9 _ -")]
    ClusterId(String),
    /// A region outside `[a-z0-9-]{1,64}`.
    #[error("{0:?} is not a region: 1 to 64 of a-z 0-9 -, such as cn-hangzhou")]
    Region(String),
    /// An account name that is empty, over 64 characters, or has characters that cannot be seen.
    #[error("{0:?} is not an account name: 1 to 64 printable characters")]
    Account(String),
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $variant:ident, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Checks `text`.
            pub fn parse(text: &str) -> Result<Self, InvalidName> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidName::$variant(text.chars().take(80).collect()))
                }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

name!(
    /// The ID of an ACK cluster, such as `c106f377e16f34eb1808d6b9362c9abcd`.
    ClusterId,
    ClusterId,
    |text| (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
);

name!(
    /// A region ID, such as `cn-hangzhou`.
    Region,
    Region,
    |text| (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
);

name!(
    /// The name that the operator gives to an account.
    AccountName,
    Account,
    |text| (1..=64).contains(&text.chars().count()) && !text.chars().any(is_misleading)
);

impl ClusterId {
    /// Returns true for an ID in the form that Alibaba Cloud uses: c and 32 hexadecimal digits.
    pub fn is_usual(&self) -> bool {
        self.0.len() == 33
            && self
                .0
                .strip_prefix('c')
                .is_some_and(|rest| rest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
    }

    /// Returns true if `target`, an ID or a name, means the cluster with this ID and `name`. An
    /// empty target means no cluster, also none without a name.
    pub fn is_meant(&self, name: &str, target: &str) -> bool {
        !target.is_empty() && (self.as_str() == target || name == target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_meant_by_its_id_or_its_name_and_never_by_nothing() {
        let id = ClusterId::parse("c1").expect("an ID");
        assert!(id.is_meant("shop", "c1") && id.is_meant("shop", "shop"));
        assert!(!id.is_meant("shop", "c") && !id.is_meant("shop", "Shop"));
        assert!(!id.is_meant("shop", "") && !id.is_meant("", ""));
    }

    #[test]
    fn names_refuse_what_would_break_a_path_or_a_label() {
        assert!(ClusterId::parse("c106f377e16f34eb1808d6b9362c9abcd").is_ok());
        for bad in ["", "a/b", "../x", "a b", "é", &"x".repeat(65)] {
            assert!(ClusterId::parse(bad).is_err(), "{bad}");
        }
        assert!(Region::parse("cn-hangzhou").is_ok());
        assert!(Region::parse("CN-Hangzhou").is_err());
        assert!(Region::parse("evil.example/").is_err());
        assert!(AccountName::parse("支付 prod").is_ok());
        assert!(AccountName::parse("a\nb").is_err());
        assert!(AccountName::parse("prod\u{200b}").is_err());
        assert!(AccountName::parse("\u{202e}dorp").is_err());
        // "I want" in Persian has a ZWNJ.
        assert!(AccountName::parse("می\u{200c}خواهم").is_ok());
    }
}
