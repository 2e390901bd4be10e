//! `ListAddons`: `GET /addons`.

use super::paging;
use crate::budget::Budget;
use crate::client::{Call, Client};
use crate::decode::{LenientObject as _, List, Report, lenient_object};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::names::Region;
use crate::operation::Operation;
use crate::response::{KnownKeys, ResponseObject};

/// A kind of cluster. All clusters of one kind have the same add-ons on offer. The texts are as
/// lists of clusters give them; an empty one is left out of the query.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddonCombination {
    /// The region.
    pub region: Region,
    /// `cluster_type`, such as `ManagedKubernetes`.
    pub cluster_type: String,
    /// `profile`, such as `Default`.
    pub profile: String,
    /// `cluster_spec`, such as `ack.pro.small`.
    pub spec: String,
    /// The Kubernetes version of the cluster, such as `1.33.1-aliyun.1`.
    pub version: String,
}

/// An add-on that can be installed. Texts are cleaned and at most 256 characters long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddonOffer {
    /// The name, such as `coredns`.
    pub name: String,
    /// The newest version on offer. An installed add-on of another version may be newer, and may
    /// have to be upgraded by way of other versions.
    pub version: String,
}

lenient_object! {
    pub(super) struct AddonList at "" {
        addons: List<AddonFields> = "addons",
    }
}

lenient_object! {
    pub(super) struct AddonFields at "addon." {
        name: String = "name",
        version: String = "version",
    }

    fn is_usable(&self) -> bool {
        self.name.value().is_some() && self.version.value().is_some()
    }
}

impl ResponseObject for AddonList {
    fn is_recognized(&self, keys: KnownKeys) -> bool {
        paging::is_list(&self.addons, keys)
    }
}

/// Lists the add-ons on offer for the clusters of `combination`. The API has no pages. The schemas
/// of their settings are skipped while the response is read. Dropping the future cancels the call.
pub async fn list_addons(
    client: &Client,
    endpoint: &Endpoint,
    combination: &AddonCombination,
    budget: &Budget,
) -> Result<Vec<AddonOffer>, ApiError> {
    let parameters = [
        ("region_id", combination.region.as_str()),
        ("cluster_type", &combination.cluster_type),
        ("profile", &combination.profile),
        ("cluster_spec", &combination.spec),
        ("cluster_version", &combination.version),
    ];
    let call = Call {
        operation: Operation::ListAddons,
        endpoint,
        path: "/addons",
        query: &super::nonempty(parameters),
    };
    let list: AddonList = client.call(&call, budget).await?;
    let mut report = client.unknown_values();
    let addons = list.addons.into_items().into_iter();
    Ok(addons.map(|addon| addon.into_offer(&mut report)).collect())
}

impl AddonFields {
    /// Converts the fields and reports the unexpected ones.
    fn into_offer(self, report: &mut Report<'_>) -> AddonOffer {
        self.report_unexpected_fields(report);
        AddonOffer {
            name: self.name.into_text(),
            version: self.version.into_text(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::operations::fake_api::{FakeApi, budget, kilobytes, region};

    async fn list(api: &FakeApi, profile: &str) -> Result<Vec<AddonOffer>, ApiError> {
        let combination = AddonCombination {
            region: region(),
            cluster_type: "ManagedKubernetes".to_owned(),
            profile: profile.to_owned(),
            spec: "ack.pro.small".to_owned(),
            version: "1.33.1-aliyun.1".to_owned(),
        };
        list_addons(&api.client, &api.endpoint, &combination, &budget()).await
    }

    fn offer(name: &str, version: &str) -> AddonOffer {
        AddonOffer {
            name: name.to_owned(),
            version: version.to_owned(),
        }
    }

    #[tokio::test]
    async fn a_query_names_the_whole_combination() {
        let api = FakeApi::with_body(
            r#"{"addons": [{"name": "coredns", "version": "v1.11", "category": "network",
                "managed": false, "architecture": ["amd64"], "supported_actions": null}]}"#,
        );
        for profile in ["Default", ""] {
            assert_eq!(
                list(&api, profile).await,
                Ok(vec![offer("coredns", "v1.11")])
            );
        }
        let common = "cluster_spec=ack.pro.small&cluster_type=ManagedKubernetes&cluster_version=1.33.1-aliyun.1";
        assert_eq!(
            api.take_requests(),
            ["&profile=Default", ""].map(|profile| format!(
                "ListAddons /addons?{common}{profile}&region_id=cn-hangzhou"
            ))
        );
        assert_eq!(api.take_unknown_values(), []);
    }

    #[tokio::test]
    async fn schemas_of_four_mebibytes_neither_fail_nor_are_kept() {
        let schema = kilobytes(64);
        let addon = |number: usize| {
            format!(r#"{{"config_schema": "{schema}", "name": "a{number}", "version": "1"}}"#)
        };
        let addons: Vec<_> = (0..64).map(addon).collect();
        let body = format!(r#"{{"addons": [{}]}}"#, addons.join(","));
        assert!(body.len() > 4 << 20);
        let addons = list(&FakeApi::with_body(body), "Default")
            .await
            .expect("a list");
        assert_eq!((addons.len(), &addons[63]), (64, &offer("a63", "1")));
        assert!(format!("{addons:?}").len() < 64 << 10);
    }

    #[tokio::test]
    async fn an_odd_addon_costs_itself_and_another_systems_response_is_an_error() {
        let api = FakeApi::with_body(
            r#"{"addons": [{"name": "a"}, {"version": "1"}, "b", null, {"name": "c", "version": 3}]}"#,
        );
        assert_eq!(list(&api, "Edge").await, Ok(vec![offer("c", "3")]));
        assert_eq!(
            api.take_unknown_values(),
            [("addons", "an item without an ID".to_owned())]
        );
        for body in ["{}", "[]", r#"{"addons": "all"}"#] {
            let error = list(&FakeApi::with_body(body), "Edge")
                .await
                .expect_err(body);
            assert_eq!(error.kind, ErrorKind::Decode, "{body}");
        }
    }
}
