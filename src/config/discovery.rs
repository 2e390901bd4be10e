//! Where clusters are discovered, and which of them are selected.

use std::collections::BTreeMap;
use std::time::Duration;

use ack_client::Endpoint;
use ack_client::names::Region;
use regex_lite::Regex;
use serde::{Deserialize, Serialize};

use super::duration::Friendly;
#[cfg(test)]
use super::schema;

/// Where clusters are discovered.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(transform = schema::discovery))]
#[serde(default, deny_unknown_fields)]
pub struct Discovery {
    /// The regions whose cluster lists are read; at least one.
    #[cfg_attr(test, schemars(with = "Vec<String>", inner(regex(pattern = schema::REGION))))]
    #[cfg_attr(test, schemars(length(min = 1), extend("uniqueItems" = true)))]
    pub regions: Vec<Region>,
    /// The interval at which the lists are read; at least 1s.
    #[serde(with = "Friendly")]
    #[cfg_attr(test, schemars(transform = schema::above_zero))]
    pub refresh_interval: Duration,
    /// The selection among the discovered clusters: those for which all of this holds.
    #[serde(rename = "match")]
    pub wanted: Match,
}

impl Default for Discovery {
    fn default() -> Self {
        Self {
            regions: Vec::new(),
            refresh_interval: Duration::from_secs(300),
            wanted: Match::default(),
        }
    }
}

/// A region whose list is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRegion {
    /// The region.
    pub region: Region,
    /// The server that has its list.
    pub endpoint: Endpoint,
}

/// A selection of clusters: those for which everything that is given holds.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    /// A regular expression for the whole name, as in Prometheus' own matchers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub name: Option<NamePattern>,
    /// Tags that the cluster must have, with these values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Types of which it must be one, such as `ManagedKubernetes`, in any letter case; without
    /// them, any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cluster_type: Vec<String>,
}

impl Match {
    /// Returns whether the selection includes a cluster of this name, tags and type.
    pub fn wants(&self, name: &str, tags: &[(String, String)], cluster_type: &str) -> bool {
        let has_tag = |key: &String, value: &String| {
            tags.iter()
                .any(|(other, theirs)| other == key && theirs == value)
        };
        let is_of_type = self.cluster_type.is_empty()
            || self
                .cluster_type
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case(cluster_type));
        self.name
            .as_ref()
            .is_none_or(|pattern| pattern.whole.is_match(name))
            && self.tags.iter().all(|(key, value)| has_tag(key, value))
            && is_of_type
    }
}

/// A regular expression that matches whole names.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct NamePattern {
    written: String,
    whole: Regex,
}

impl TryFrom<String> for NamePattern {
    type Error = String;

    fn try_from(written: String) -> Result<Self, Self::Error> {
        let whole = Regex::new(&format!("^(?:{written})$"))
            .map_err(|error| format!("is not a regular expression: {error}"))?;
        Ok(Self { written, whole })
    }
}

impl From<NamePattern> for String {
    fn from(pattern: NamePattern) -> Self {
        pattern.written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_given_must_hold() {
        let wanted = Match {
            name: Some("prod-.*|edge".to_owned().try_into().expect("a pattern")),
            tags: BTreeMap::from([("env".to_owned(), "prod".to_owned())]),
            cluster_type: vec!["ManagedKubernetes".to_owned()],
        };
        let tags = [
            ("team".to_owned(), "x".to_owned()),
            ("env".to_owned(), "prod".to_owned()),
        ];
        assert!(wanted.wants("prod-shop", &tags, "managedkubernetes"));
        assert!(
            !wanted.wants("my-prod-shop", &tags, "ManagedKubernetes"),
            "the whole name counts"
        );
        assert!(!wanted.wants("edge", &tags[..1], "ManagedKubernetes"));
        assert!(!wanted.wants("edge", &tags, "Kubernetes"));
        assert!(Match::default().wants("", &[], ""));
    }
}
