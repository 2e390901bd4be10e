//! The support of Kubernetes versions: `DescribeKubernetesVersionMetadata`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::Region;
use ack_client::{ApiError, KubernetesVersion, Operation, VersionFilter, list_kubernetes_versions};
use jiff::Timestamp;
use serde::Serialize;

use super::{Activity, FetchContext, Query, Scope, Subject, Watched, WatchedQuery, json};
use crate::cluster::ClusterInfo;

/// Limit of the versions that one query asks for beside the list.
const MAX_UNLISTED: usize = 8;

/// Asks for the versions of a region and cluster type.
#[derive(Debug)]
pub struct Versions {
    interval: Duration,
}

/// A region and the type of its clusters. The same version may have other dates for another type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionAndType {
    region: Region,
    cluster_type: String,
}

impl Subject for RegionAndType {
    fn scope(&self) -> Scope<'_> {
        Scope::Region(&self.region)
    }
}

/// The support of the version that a cluster runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionSupport {
    /// The version of the cluster.
    pub version: String,
    /// The end of its support; None for a version that has none yet, or that the API does not know.
    #[serde(serialize_with = "json::time")]
    pub end_of_support: Option<Timestamp>,
    /// Minor versions between it and the newest that can be created.
    pub versions_behind: Option<u32>,
}

impl Versions {
    /// Versions, asked for at `interval`.
    pub fn new(interval: Duration) -> Self {
        Self { interval }
    }
}

impl Query for Versions {
    type Subject = RegionAndType;
    type Answer = Vec<KubernetesVersion>;
    const OPERATIONS: &'static [Operation] = &[Operation::DescribeKubernetesVersionMetadata];

    async fn fetch(
        &self,
        subject: &RegionAndType,
        context: FetchContext<'_>,
        _: Option<&Self::Answer>,
    ) -> Result<Self::Answer, ApiError> {
        let list = async |filter| {
            list_kubernetes_versions(
                context.client,
                context.endpoint,
                &subject.region,
                &subject.cluster_type,
                filter,
                context.budget,
            )
            .await
        };
        let mut versions = list(VersionFilter::Supported).await?;
        let running: BTreeSet<&str> = context
            .clusters
            .iter()
            .map(|cluster| cluster.version.as_str())
            .filter(|version| minor(version).is_some())
            .collect();
        // A version that has left support is in no list, but it is known by its name.
        let unlisted = running
            .into_iter()
            .filter(|version| find(&versions, version).is_none())
            .take(MAX_UNLISTED)
            .collect::<Vec<_>>();
        for version in unlisted {
            versions.extend(list(VersionFilter::Version(version)).await?);
        }
        Ok(versions)
    }
}

impl WatchedQuery for Versions {
    const NAME: &'static str = "versions";

    fn subject(&self, cluster: &ClusterInfo) -> Option<RegionAndType> {
        let is_known = !cluster.cluster_type.is_empty() && !cluster.version.is_empty();
        let region = cluster.region.clone().filter(|_| is_known)?;
        Some(RegionAndType {
            region,
            cluster_type: cluster.cluster_type.clone(),
        })
    }

    fn interval(&self, _: Option<&Self::Answer>, _: Activity) -> Duration {
        self.interval
    }

    fn add(
        &self,
        versions: &Arc<Self::Answer>,
        cluster: &ClusterInfo,
        _: Timestamp,
        watched: &mut Watched,
    ) {
        watched.version_support = Some(VersionSupport {
            version: cluster.version.clone(),
            end_of_support: find(versions, &cluster.version)
                .and_then(|version| version.end_of_support),
            versions_behind: behind(versions, &cluster.version),
        });
    }
}

/// The entry of `version` or, since a patch version that is no longer on offer may be missing, the
/// newest one of the same minor version.
fn find<'a>(versions: &'a [KubernetesVersion], version: &str) -> Option<&'a KubernetesVersion> {
    let exact = versions.iter().find(|entry| entry.version == version);
    let minor_of_cluster = minor(version)?;
    let same_minor = versions
        .iter()
        .filter(|entry| minor(&entry.version) == Some(minor_of_cluster));
    exact.or_else(|| same_minor.max_by_key(|entry| entry.released))
}

fn behind(versions: &[KubernetesVersion], version: &str) -> Option<u32> {
    let (major, own) = minor(version)?;
    let newest = versions
        .iter()
        .filter(|entry| entry.is_creatable != Some(false))
        .filter_map(|entry| minor(&entry.version))
        .filter(|(other, _)| *other == major)
        .map(|(_, minor)| minor)
        .max()?;
    Some(newest.saturating_sub(own))
}

/// The major and the minor version of a version such as `1.33.1-aliyun.1`.
pub(super) fn minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(version: &str, end: i64, is_creatable: bool) -> KubernetesVersion {
        KubernetesVersion {
            version: version.to_owned(),
            released: Timestamp::from_second(end - 1000).ok(),
            end_of_support: Timestamp::from_second(end).ok(),
            is_creatable: Some(is_creatable),
        }
    }

    fn versions() -> Vec<KubernetesVersion> {
        vec![
            version("1.30.1-aliyun.1", 2_000, false),
            version("1.30.7-aliyun.1", 3_000, false),
            version("1.31.1-aliyun.1", 5_000, true),
            version("1.33.3-aliyun.1", 9_000, true),
            version("1.34.0-aliyun.1", 9_900, false),
        ]
    }

    fn end(version: &str) -> Option<i64> {
        let end = find(&versions(), version)?.end_of_support;
        end.map(Timestamp::as_second)
    }

    #[test]
    fn a_version_is_found_by_its_name_and_else_by_its_minor_version() {
        assert_eq!(end("1.30.1-aliyun.1"), Some(2_000));
        assert_eq!(end("1.30.5-aliyun.1"), Some(3_000), "the newest of 1.30");
        assert_eq!(end("1.29.1-aliyun.1"), None);
        assert_eq!(end(""), None);
    }

    #[test]
    fn minor_versions_are_counted_up_to_the_newest_that_can_be_created() {
        assert_eq!(behind(&versions(), "1.30.1-aliyun.1"), Some(3));
        assert_eq!(behind(&versions(), "v1.33.0"), Some(0));
        assert_eq!(behind(&versions(), "1.34.0-aliyun.1"), Some(0));
        assert_eq!(behind(&versions(), "unknown"), None);
        assert_eq!(behind(&[], "1.30.1"), None);
    }
}
