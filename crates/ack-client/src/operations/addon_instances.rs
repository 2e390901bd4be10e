//! `ListClusterAddonInstances`: `GET /clusters/{ClusterId}/addon_instances`.

use super::{paging, word};
use crate::budget::Budget;
use crate::client::{Call, Client};
use crate::decode::{Keyword, LenientObject as _, List, Report, lenient_object};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::names::ClusterId;
use crate::operation::Operation;
use crate::response::{KnownKeys, ResponseObject};
use crate::state_set::state_set;

/// An add-on that is installed in a cluster. Texts are cleaned and at most 256 characters long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddonInstance {
    /// The name, such as `coredns`.
    pub name: String,
    /// The version; empty if the API did not send one.
    pub version: String,
    /// The state.
    pub state: AddonState,
}

state_set! {
    /// The state of an installed add-on.
    AddonState {
        /// The add-on is in use.
        Active = "active",
        /// The add-on is being installed.
        Installing = "installing",
        /// The settings of the add-on are being changed.
        Updating = "updating",
        /// The add-on is being upgraded.
        Upgrading = "upgrading",
        /// The add-on is being removed.
        Deleting = "deleting",
        /// The last change has failed.
        Failed = "failed",
        /// A value that the API's reference does not list, or a missing one.
        Unknown = "unknown",
    }
}

lenient_object! {
    pub(super) struct AddonInstanceList at "" {
        addons: List<AddonInstanceFields> = "addons",
    }
}

lenient_object! {
    pub(super) struct AddonInstanceFields at "addon." {
        name: String = "name",
        version: String = "version",
        state: Keyword = "state",
    }

    fn is_usable(&self) -> bool {
        self.name.value().is_some()
    }
}

impl ResponseObject for AddonInstanceList {
    fn is_recognized(&self, keys: KnownKeys) -> bool {
        paging::is_list(&self.addons, keys)
    }
}

/// Lists the add-ons that are installed in `cluster`. The API has no pages. Dropping the future
/// cancels the call.
pub async fn list_addon_instances(
    client: &Client,
    endpoint: &Endpoint,
    cluster: &ClusterId,
    budget: &Budget,
) -> Result<Vec<AddonInstance>, ApiError> {
    let path = format!("/clusters/{cluster}/addon_instances");
    let call = Call::new(Operation::ListClusterAddonInstances, endpoint, &path);
    let list: AddonInstanceList = client.call(&call, budget).await?;
    let mut report = client.unknown_values();
    let addons = list.addons.into_items().into_iter();
    Ok(addons
        .map(|addon| addon.into_instance(&mut report))
        .collect())
}

impl AddonInstanceFields {
    /// Converts the fields and reports the unexpected ones.
    fn into_instance(self, report: &mut Report<'_>) -> AddonInstance {
        self.report_unexpected_fields(report);
        AddonInstance {
            name: self.name.into_text(),
            version: self.version.into_text(),
            state: self.state.into_listed(
                "addon.state",
                [AddonState::Unknown; 2],
                word::find,
                report,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::operations::fake_api::{FakeApi, budget, cluster};

    async fn list(api: &FakeApi) -> Result<Vec<AddonInstance>, ApiError> {
        list_addon_instances(&api.client, &api.endpoint, &cluster(), &budget()).await
    }

    #[tokio::test]
    async fn every_state_is_read_in_any_letter_case() {
        for state in AddonState::ALL {
            for word in [state.as_str().to_owned(), state.as_str().to_uppercase()] {
                let api = FakeApi::with_body(format!(
                    r#"{{"addons": [{{"name": "coredns", "version": "v1.9.3.10", "state": "{word}", "config": "{{}}"}}]}}"#
                ));
                let expected = AddonInstance {
                    name: "coredns".to_owned(),
                    version: "v1.9.3.10".to_owned(),
                    state: *state,
                };
                assert_eq!(list(&api).await, Ok(vec![expected]), "{word}");
                assert_eq!(api.take_unknown_values(), [], "{word}");
                assert_eq!(
                    api.take_requests(),
                    ["ListClusterAddonInstances /clusters/c1/addon_instances"]
                );
            }
        }
    }

    #[tokio::test]
    async fn an_odd_field_costs_itself_and_an_odd_addon_itself() {
        let api = FakeApi::with_body(
            r#"{"addons": [{"name": "a", "version": 2, "state": "napping"}, {"version": "1"},
                null, [], {"name": "b", "version": {"x": 1}, "state": null}]}"#,
        );
        let addon = |name: &str, version: &str| AddonInstance {
            name: name.to_owned(),
            version: version.to_owned(),
            state: AddonState::Unknown,
        };
        assert_eq!(list(&api).await, Ok(vec![addon("a", "2"), addon("b", "")]));
        assert_eq!(
            api.take_unknown_values(),
            [
                ("addons", "an item without an ID".to_owned()),
                ("addon.state", "napping".to_owned()),
                ("addon.version", "an object".to_owned()),
            ]
        );
    }

    #[tokio::test]
    async fn another_systems_response_is_an_error() {
        for body in ["{}", "[]", r#"{"addons": {}}"#, r#"{"addons": 1}"#] {
            let error = list(&FakeApi::with_body(body)).await.expect_err(body);
            assert_eq!(error.kind, ErrorKind::Decode, "{body}");
        }
        assert_eq!(
            list(&FakeApi::with_body(r#"{"addons": null}"#)).await,
            Ok(vec![])
        );
    }
}
