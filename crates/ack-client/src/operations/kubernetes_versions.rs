//! `DescribeKubernetesVersionMetadata`: `GET /api/v1/metadata/versions`.

use jiff::Timestamp;
use serde::de::{SeqAccess, Visitor as _};

use super::paging;
use crate::budget::Budget;
use crate::client::{Call, Client};
use crate::decode::{FieldRead, LenientObject as _, List, Report, lenient_object};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::names::Region;
use crate::operation::Operation;
use crate::response::{KnownKeys, ResponseObject};

/// A Kubernetes version of one cluster type and profile. The same version may have other dates for
/// another type or profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesVersion {
    /// The version, such as `1.33.1-aliyun.1`, cleaned and at most 256 characters long.
    pub version: String,
    /// The time of its release.
    pub released: Option<Timestamp>,
    /// The end of its support. A new version may have none yet.
    pub end_of_support: Option<Timestamp>,
    /// True if clusters of this version can be created.
    pub is_creatable: Option<bool>,
}

/// The selection of versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionFilter<'a> {
    /// The versions that are still supported.
    Supported,
    /// This version, such as the one of a cluster, even if it is neither creatable nor supported.
    Version(&'a str),
}

lenient_object! {
    pub(super) struct VersionList at "" {
        versions: List<VersionFields> = "versions",
    }
}

lenient_object! {
    pub(super) struct VersionFields at "version." {
        version: String = "version",
        release_date: Timestamp = "release_date",
        expiration_date: Timestamp = "expiration_date",
        creatable: bool = "creatable",
    }

    fn is_usable(&self) -> bool {
        self.version.value().is_some()
    }
}

impl ResponseObject for VersionList {
    fn is_recognized(&self, keys: KnownKeys) -> bool {
        paging::is_list(&self.versions, keys)
    }

    // The reference and the SDKs have a list. A tool of Alibaba Cloud expects an object.
    fn read_list<'de, A: SeqAccess<'de>>(&mut self, versions: A) -> Result<FieldRead, A::Error> {
        (&mut self.versions).visit_seq(versions)
    }
}

/// Lists the Kubernetes versions in `region` that `filter` selects, for clusters of `cluster_type`
/// (such as `ManagedKubernetes`), in the order of the API. A patch version that is no longer on
/// offer may be missing although its minor version is supported. Dropping the future cancels the
/// call.
pub async fn list_kubernetes_versions(
    client: &Client,
    endpoint: &Endpoint,
    region: &Region,
    cluster_type: &str,
    filter: VersionFilter<'_>,
    budget: &Budget,
) -> Result<Vec<KubernetesVersion>, ApiError> {
    let selection = match filter {
        VersionFilter::Supported => ("Mode", "supported"),
        VersionFilter::Version(version) => ("KubernetesVersion", version),
    };
    let parameters = [
        ("Region", region.as_str()),
        ("ClusterType", cluster_type),
        selection,
    ];
    let call = Call {
        operation: Operation::DescribeKubernetesVersionMetadata,
        endpoint,
        path: "/api/v1/metadata/versions",
        query: &super::nonempty(parameters),
    };
    let list: VersionList = client.call(&call, budget).await?;
    let mut report = client.unknown_values();
    let versions = list.versions.into_items().into_iter();
    Ok(versions
        .map(|version| version.into_version(&mut report))
        .collect())
}

impl VersionFields {
    /// Converts the fields and reports the unexpected ones.
    fn into_version(self, report: &mut Report<'_>) -> KubernetesVersion {
        self.report_unexpected_fields(report);
        KubernetesVersion {
            version: self.version.into_text(),
            released: self.release_date.into_value(),
            end_of_support: self.expiration_date.into_value(),
            is_creatable: self.creatable.into_value(),
        }
    }
}

#[cfg(test)]
mod tests;
