//! `ListClusterChecks`: `GET /clusters/{ClusterId}/checks`.

use jiff::Timestamp;

use super::check_items::CheckItems;
use super::{paging, word};
use crate::budget::Budget;
use crate::client::{Call, Client};
use crate::decode::{Field, Keyword, LenientObject as _, List, Report, lenient_object};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::names::ClusterId;
use crate::operation::Operation;
use crate::response::{KnownKeys, ResponseObject};
use crate::status::Status;

/// The longest ID of a check that is used, in bytes. Real ones have about 80.
const MAX_ID: usize = 256;

/// A check of a cluster, such as the one before an upgrade. Texts are cleaned and at most 256
/// characters long; a text that the API did not send is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterCheck {
    /// The ID, such as `1697100584236600453-ce0da5a1d627e4e9e9f96cae8ad07-clustercheck-lboto`.
    pub id: String,
    /// The type in lower case: `cluster_upgrade`, `master_upgrade`, `node_pool_upgrade`,
    /// `cluster_migrate`, or one that the reference does not list.
    pub kind: String,
    /// The status of the check as a task. A check that has succeeded may have found errors.
    pub status: Status,
    /// The time of creation.
    pub created: Option<Timestamp>,
    /// The time at which it ended.
    pub finished: Option<Timestamp>,
}

lenient_object! {
    pub(super) struct CheckList at "" {
        checks: List<CheckFields> = "checks",
    }
}

lenient_object! {
    /// The fields in lists and details. Lists leave out the last one.
    pub(super) struct CheckFields at "check." {
        check_id: String = "check_id",
        kind: Keyword = "type",
        status: Keyword = "status",
        message: String = "message", // counted only
        created_at: Timestamp = "created_at",
        finished_at: Timestamp = "finished_at",
        check_items: CheckItems = "check_items",
    }

    fn is_usable(&self) -> bool {
        self.check_id.value().is_some_and(|id| id.len() <= MAX_ID)
    }
}

impl ResponseObject for CheckList {
    fn is_recognized(&self, keys: KnownKeys) -> bool {
        paging::is_list(&self.checks, keys)
    }
}

/// Lists the checks of `cluster`, in the order of the API, which the reference does not give. The
/// reference has no pages. Dropping the future cancels the call.
pub async fn list_cluster_checks(
    client: &Client,
    endpoint: &Endpoint,
    cluster: &ClusterId,
    budget: &Budget,
) -> Result<Vec<ClusterCheck>, ApiError> {
    let path = format!("/clusters/{cluster}/checks");
    let call = Call::new(Operation::ListClusterChecks, endpoint, &path);
    let list: CheckList = client.call(&call, budget).await?;
    let mut report = client.unknown_values();
    let checks = list.checks.into_items();
    let mut read = Vec::with_capacity(checks.len());
    for check in checks {
        check.report_unexpected_fields(&mut report);
        read.push(check.into_check(&mut report));
    }
    Ok(read)
}

impl CheckFields {
    /// Converts the fields, of which the caller has reported the unexpected ones.
    pub(super) fn into_check(self, report: &mut Report<'_>) -> ClusterCheck {
        ClusterCheck {
            // Not cleaned: other operations name the check by it.
            id: self.check_id.into_value().unwrap_or_default(),
            kind: kind(self.kind),
            status: self.status.into_listed(
                "check.status",
                [Status::Unknown; 2],
                Status::from_word,
                report,
            ),
            created: self.created_at.into_value(),
            finished: self.finished_at.into_value(),
        }
    }
}

/// The types of checks.
const KINDS: [&str; 4] = [
    "cluster_upgrade",
    "master_upgrade",
    "node_pool_upgrade",
    "cluster_migrate",
];

/// The type of a check, in the spelling of [`KINDS`] if it is one of them.
fn kind(kind: Field<Keyword>) -> String {
    let kind = kind.into_lower_case();
    match KINDS.iter().find(|known| word::is_same(known, &kind)) {
        Some(known) => (*known).to_owned(),
        None => kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::operations::fake_api::{FakeApi, budget, cluster};

    async fn list(api: &FakeApi) -> Result<Vec<ClusterCheck>, ApiError> {
        list_cluster_checks(&api.client, &api.endpoint, &cluster(), &budget()).await
    }

    #[tokio::test]
    async fn a_check_is_read_with_its_times() {
        let api = FakeApi::with_body(
            r#"{"checks": [{"check_id": "1697-c1-clustercheck-lboto", "type": "NodePoolUpgrade",
                "status": "Succeeded", "message": "task succeed",
                "created_at": "2026-10-16T08:31:20.292030178Z", "finished_at": "2026-10-16T08:35:20.292030178Z"}]}"#,
        );
        let expected = ClusterCheck {
            id: "1697-c1-clustercheck-lboto".to_owned(),
            kind: "node_pool_upgrade".to_owned(),
            status: Status::Success,
            created: "2026-10-16T08:31:20.292030178Z".parse().ok(),
            finished: "2026-10-16T08:35:20.292030178Z".parse().ok(),
        };
        assert_eq!(list(&api).await, Ok(vec![expected]));
        assert_eq!(api.take_unknown_values(), []);
        assert_eq!(
            api.take_requests(),
            ["ListClusterChecks /clusters/c1/checks"]
        );
    }

    #[tokio::test]
    async fn types_and_statuses_are_read_in_any_spelling() {
        let api = FakeApi::with_body(
            r#"{"checks": [{"check_id": 1, "type": "clusterupgrade", "status": "FAILED"},
                {"check_id": "2", "type": "MASTER_UPGRADE", "status": "running"},
                {"check_id": "3", "type": "ClusterMigrate", "status": null},
                {"check_id": "4", "type": "ComponentUpgrade", "status": "Doubtful"}]}"#,
        );
        let checks = list(&api).await.expect("a list");
        let read: Vec<_> = checks
            .iter()
            .map(|check| (check.kind.as_str(), check.status))
            .collect();
        assert_eq!(
            read,
            [
                ("cluster_upgrade", Status::Fail),
                ("master_upgrade", Status::Running),
                ("cluster_migrate", Status::Unknown),
                ("componentupgrade", Status::Unknown),
            ]
        );
        assert_eq!(
            api.take_unknown_values(),
            [("check.status", "Doubtful".to_owned())]
        );
    }

    #[tokio::test]
    async fn an_odd_check_costs_itself_and_another_systems_response_is_an_error() {
        let id = "x".repeat(300);
        let api = FakeApi::with_body(format!(
            r#"{{"checks": [{{"type": "ClusterUpgrade"}}, null, "c", {{"check_id": "{id}"}},
                {{"check_id": "a", "created_at": "today", "message": {{"x": 1}}}}]}}"#
        ));
        let checks = list(&api).await.expect("a list");
        assert_eq!((checks.len(), checks[0].id.as_str()), (1, "a"));
        assert_eq!(
            api.take_unknown_values(),
            [
                ("checks", "an item without an ID".to_owned()),
                ("check.message", "an object".to_owned()),
                ("check.created_at", "today".to_owned()),
            ]
        );
        for body in ["{}", "[]", r#"{"checks": 1}"#, r#"{"message": "ok"}"#] {
            let error = list(&FakeApi::with_body(body)).await.expect_err(body);
            assert_eq!(error.kind, ErrorKind::Decode, "{body}");
        }
        assert_eq!(
            list(&FakeApi::with_body(r#"{"checks": null}"#)).await,
            Ok(vec![])
        );
    }
}
