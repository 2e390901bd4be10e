//! Where clusters are looked for, and which of those found are wanted.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use ack_client::names::Region;
use ack_client::{Endpoint, EndpointTemplate};
use regex_lite::Regex;

use super::{Path, Reader, raw};

/// How often lists are read, unless configured.
pub(super) const DEFAULT_INTERVAL: Duration = Duration::from_secs(300);

/// Where clusters are looked for.
#[derive(Debug, Clone)]
pub struct Discovery {
    /// The regions whose lists are read; at least one.
    pub regions: Vec<ListedRegion>,
    /// How often the lists are read; above zero.
    pub refresh_interval: Duration,
    /// Which clusters are wanted.
    pub wanted: Match,
}

/// A region whose list is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRegion {
    /// The region.
    pub region: Region,
    /// The server that has its list.
    pub endpoint: Endpoint,
}

/// Which of the clusters found are wanted: those for which everything that is given holds.
#[derive(Debug, Clone, Default)]
pub struct Match {
    /// The whole name, as in Prometheus' own matchers.
    pub name: Option<Regex>,
    /// Tags that must be there with these values.
    pub tags: BTreeMap<String, String>,
    /// Types of which it must be one, in any letter case; empty means any.
    pub cluster_types: Vec<String>,
}

impl Match {
    /// Whether a cluster of this name, tags and type is wanted.
    pub fn wants(&self, name: &str, tags: &[(String, String)], cluster_type: &str) -> bool {
        self.name
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(name))
            && self.tags.iter().all(|(key, value)| {
                tags.iter()
                    .any(|(other, theirs)| other == key && theirs == value)
            })
            && (self.cluster_types.is_empty()
                || self
                    .cluster_types
                    .iter()
                    .any(|wanted| wanted.eq_ignore_ascii_case(cluster_type)))
    }
}

/// The pattern that the operator wrote, without what makes it fit whole names only.
pub(super) fn whole_name(pattern: &str) -> &str {
    pattern
        .strip_prefix("^(?:")
        .and_then(|rest| rest.strip_suffix(")$"))
        .unwrap_or(pattern)
}

impl Reader<'_> {
    pub(super) fn discovery(
        &mut self,
        path: &Path,
        raw: raw::Discovery,
        endpoint: Option<&EndpointTemplate>,
    ) -> Option<Discovery> {
        let refresh_interval = raw
            .refresh_interval
            .map_or(DEFAULT_INTERVAL, Duration::from);
        if refresh_interval < Duration::from_secs(1) {
            self.problems
                .note(path.key("refresh_interval"), "must be at least 1s");
        }
        let wanted = self.wanted(&path.key("match"), raw.wanted.unwrap_or_default());
        let regions_path = path.key("regions");
        let raw_regions = raw.regions.unwrap_or_default();
        if raw_regions.is_empty() && !self.problems.has(&regions_path) {
            self.problems
                .note(regions_path.clone(), "there must be at least one region");
        }
        let mut seen = HashSet::new();
        let mut regions = Vec::new();
        for (path, text) in self.entries(&regions_path, raw_regions) {
            let Some(region) = self.problems.keep(&path, Region::parse(&text)) else {
                continue;
            };
            if !seen.insert(region.clone()) {
                self.problems.note(path, "this region is there twice");
                continue;
            }
            if let Some(endpoint) = endpoint {
                self.doubt_region(&path, &region, endpoint);
            }
            if let Some(endpoint) = endpoint
                .and_then(|template| self.problems.keep(&path, template.resolve(Some(&region))))
            {
                regions.push(ListedRegion { region, endpoint });
            }
        }
        Some(Discovery {
            regions,
            refresh_interval,
            wanted: wanted?,
        })
    }

    fn wanted(&mut self, path: &Path, raw: raw::Match) -> Option<Match> {
        let name = raw.name.map(|pattern| {
            let whole = Regex::new(&format!("^(?:{pattern})$"))
                .map_err(|error| format!("is not a regular expression: {error}"));
            self.problems.keep(&path.key("name"), whole)
        });
        let name = match name {
            Some(name) => Some(name?),
            None => None,
        };
        Some(Match {
            name,
            tags: raw.tags.unwrap_or_default(),
            cluster_types: raw.cluster_type.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_given_must_hold() {
        let wanted = Match {
            name: Some(Regex::new("^(?:prod-.*|edge)$").expect("a pattern")),
            tags: BTreeMap::from([("env".to_owned(), "prod".to_owned())]),
            cluster_types: vec!["ManagedKubernetes".to_owned()],
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
