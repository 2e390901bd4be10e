//! Responses of `GetClusterCheck` and the verdicts that follow from them.

use super::*;
use crate::error::ErrorKind;
use crate::operations::fake_api::{FakeApi, budget, cluster, kilobytes};

async fn check(api: &FakeApi) -> Result<CheckResult, ApiError> {
    get_cluster_check(
        &api.client,
        &api.endpoint,
        &cluster(),
        "1697-c1/lboto",
        &budget(),
    )
    .await
}

/// The verdict on a check in `status` with `items`, and the unlisted level that was reported.
async fn verdict(status: &str, items: &str) -> (&'static str, Option<String>) {
    let body =
        format!(r#"{{"check_id": "1697-c1-lboto", "status": "{status}", "check_items": {items}}}"#);
    let api = FakeApi::with_body(body);
    let verdict = check(&api).await.expect(items).verdict;
    let unknown = api.take_unknown_values();
    assert!(unknown.len() <= 1, "{unknown:?}");
    let reported = unknown.into_iter().next();
    let level = reported.map(|(name, level)| {
        assert_eq!(name, "check.check_items.Level");
        level
    });
    (verdict.as_str(), level)
}

#[tokio::test]
async fn the_worst_level_of_all_groups_is_the_verdict() {
    for (items, expected) in [
        (
            r#"{"ClusterResource": [{"Group": "ClusterResource", "Level": "normal", "normal": {"Message": "ok", "Targets": ["a"]}}]}"#,
            "passed",
        ),
        (
            r#"{"A": [{"Level": "Normal"}, {"level": " NORMAL "}], "B": [], "C": null}"#,
            "passed",
        ),
        (
            r#"{"A": [{"Level": "normal"}], "B": [{"Level": "Warning"}, {"Level": "normal"}]}"#,
            "warning",
        ),
        (
            r#"{"A": [{"Level": "error"}], "B": [{"Level": "warning"}]}"#,
            "failed",
        ),
        (
            r#"{"A": [{"Level": {"normal": {"Message": "ok"}}}]}"#,
            "passed",
        ),
        (
            r#"{"A": [{"Level": {"normal": [], "error": {"Message": "no room", "Targets": []}}}]}"#,
            "failed",
        ),
        ("{}", "unknown"),
        ("null", "unknown"),
        (r#"{"A": []}"#, "unknown"),
    ] {
        assert_eq!(
            verdict("Succeeded", items).await,
            (expected, None),
            "{items}"
        );
    }
}

#[tokio::test]
async fn an_unlisted_level_is_unknown_unless_another_is_an_error() {
    for (items, expected, level) in [
        (
            r#"{"A": [{"Level": "normal"}, {"Level": "Fatal"}]}"#,
            "unknown",
            "Fatal",
        ),
        (
            r#"{"A": [{"Level": "advice"}, {"Level": "warning"}]}"#,
            "unknown",
            "advice",
        ),
        (
            r#"{"A": [{"Level": "advice"}], "B": [{"Level": "error"}]}"#,
            "failed",
            "advice",
        ),
        (
            r#"{"A": [{"Level": "normal"}, {"Group": "A"}]}"#,
            "unknown",
            "an item without a level",
        ),
        (
            r#"{"A": [{"Level": "normal"}, null]}"#,
            "unknown",
            "an item that is not an object",
        ),
        (r#"{"A": [{"Level": ["normal"]}]}"#, "unknown", "a list"),
        (r#"{"A": [{"Level": 0}]}"#, "unknown", "0"),
        (r#"{"A": "fine"}"#, "unknown", "a group that is not a list"),
    ] {
        assert_eq!(
            verdict("Succeeded", items).await,
            (expected, Some(level.to_owned())),
            "{items}"
        );
    }
}

#[tokio::test]
async fn a_check_that_has_not_succeeded_as_a_task_passes_nothing() {
    for status in ["Running", "Failed", "", "Canceled"] {
        let normal = verdict(status, r#"{"A": [{"Level": "normal"}]}"#).await;
        assert_eq!(normal, ("unknown", None), "{status}");
        let error = verdict(status, r#"{"A": [{"Level": "error"}]}"#).await;
        assert_eq!(error, ("failed", None), "{status}");
    }
}

#[tokio::test]
async fn the_check_is_named_by_the_id_that_was_asked_for() {
    let api = FakeApi::with_body(
        r#"{"check_id": null, "type": "ClusterUpgrade", "status": "Succeeded", "message": "task succeed",
            "created_at": "2026-10-16T08:31:20.292030178Z", "finished_at": null, "check_items": {}}"#,
    );
    let result = check(&api).await.expect("a check");
    assert_eq!(result.check.id, "1697-c1/lboto");
    assert_eq!(result.check.kind, "cluster_upgrade");
    assert_eq!(result.check.status, Status::Success);
    assert!(result.check.created.is_some() && result.check.finished.is_none());
    assert_eq!(
        api.take_requests(),
        ["GetClusterCheck /clusters/c1/checks/1697-c1%2Flboto"]
    );
}

#[tokio::test]
async fn targets_of_four_mebibytes_neither_fail_nor_are_kept() {
    let targets = kilobytes(64);
    let item = format!(r#"{{"Targets": ["{targets}"], "Level": "warning"}}"#);
    let items = vec![item; 64].join(",");
    let (verdict, level) = verdict("Succeeded", &format!(r#"{{"A": [{items}]}}"#)).await;
    assert_eq!((verdict, level), ("warning", None));
}

#[tokio::test]
async fn another_systems_response_is_an_error() {
    for body in ["{}", "[]", r#"{"status": "Succeeded", "message": "ok"}"#] {
        let error = check(&FakeApi::with_body(body)).await.expect_err(body);
        assert_eq!(error.kind, ErrorKind::Decode, "{body}");
    }
}
