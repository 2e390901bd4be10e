//! Responses of `ListOperationPlansForRegion`, usual and odd ones.

use super::*;
use crate::error::ErrorKind;
use crate::operations::fake_api::{FakeApi, budget, region};

async fn list(api: &FakeApi, state: Option<PlanState>) -> Result<Vec<OperationPlan>, ApiError> {
    list_operation_plans(&api.client, &api.endpoint, &region(), state, &budget()).await
}

async fn plans(body: &str) -> (Vec<OperationPlan>, Vec<(&'static str, String)>) {
    let api = FakeApi::with_body(body);
    let plans = list(&api, None).await.expect(body);
    (plans, api.take_unknown_values())
}

#[tokio::test]
async fn a_plan_is_read_with_its_window_and_its_reason() {
    let body = r#"{"plans": [{
        "plan_id": "P-1", "cluster_id": "c1", "created": "2026-11-20T10:00:00+08:00",
        "start_time": "2026-11-26T03:00:00.123456789+08:00", "end_time": "2026-11-26T07:00:00+08:00",
        "state": "Canceled", "state_reason": {"code": "CanceledByUser", "message": "canceled\nby user"},
        "target_id": "c1", "target_type": "cluster", "task_id": "", "type": "CLUSTER_UPGRADE_MASTER"
    }]}"#;
    let time = |text: &str| Some(text.parse().expect("a time"));
    let expected = OperationPlan {
        id: "P-1".to_owned(),
        cluster: ClusterId::parse("c1").expect("an ID"),
        kind: "cluster_upgrade_master".to_owned(),
        target_id: "c1".to_owned(),
        state: PlanState::Canceled,
        reason: "CanceledByUser: canceled by user".to_owned(),
        created: time("2026-11-20T02:00:00Z"),
        start: time("2026-11-25T19:00:00.123456789Z"),
        end: time("2026-11-25T23:00:00Z"),
        task_id: String::new(),
    };
    assert_eq!(plans(body).await, (vec![expected], vec![]));
}

#[tokio::test]
async fn a_query_names_a_state_that_the_api_knows() {
    let api = FakeApi::with_body(r#"{"plans": []}"#);
    let states = [
        None,
        Some(PlanState::ValidatingFailed),
        Some(PlanState::Scheduled),
        Some(PlanState::Unknown),
    ];
    for state in states {
        assert_eq!(list(&api, state).await, Ok(vec![]));
    }
    let path = "ListOperationPlansForRegion /regions/cn-hangzhou/operation/plans";
    assert_eq!(
        api.take_requests(),
        ["", "?state=ValidatingFailed", "?state=Scheduled", ""]
            .map(|query| format!("{path}{query}"))
    );
}

#[tokio::test]
async fn every_state_is_read_in_any_spelling_and_others_are_reported() {
    let body = |state: &str| {
        format!(r#"{{"plans": [{{"plan_id": "P-1", "cluster_id": "c1", "state": {state}}}]}}"#)
    };
    for state in PlanState::ALL.iter().filter_map(|state| state.query_word()) {
        for word in [
            state.to_owned(),
            state.to_uppercase(),
            format!(" {} ", state.to_lowercase()),
        ] {
            let (plans, unknown) = plans(&body(&format!("\"{word}\""))).await;
            assert_eq!(plans[0].state.query_word(), Some(state), "{word}");
            assert_eq!(unknown, [], "{word}");
        }
    }
    for (word, reported) in [
        ("\"Dreaming\"", vec![("plan.state", "Dreaming".to_owned())]),
        ("5", vec![("plan.state", "5".to_owned())]),
        ("null", vec![]),
        ("\"\"", vec![]),
    ] {
        let (plans, unknown) = plans(&body(word)).await;
        assert_eq!(plans[0].state, PlanState::Unknown, "{word}");
        assert_eq!(unknown, reported, "{word}");
    }
    let (plans, unknown) = plans(&body("\"validating_failed\"")).await;
    assert_eq!(plans[0].state.as_str(), "validating_failed");
    assert_eq!(unknown, []);
}

#[tokio::test]
async fn an_odd_field_costs_itself_and_an_odd_plan_itself() {
    let (plans, unknown) = plans(
        r#"{"next": {"deep": [1]}, "plans": [
            {"plan_id": 7, "cluster_id": "c1", "state": [], "state_reason": "why", "created": "soon", "target_id": {}, "type": null},
            {"plan_id": "P-2"}, null, 5, {"plan_id": "P-3", "cluster_id": "../c"},
            {"plan_id": "P-4", "cluster_id": "c4", "state_reason": {"code": "Late"}, "start_time": 1795420800000}
        ]}"#,
    )
    .await;
    let read: Vec<_> = plans
        .iter()
        .map(|plan| {
            (
                plan.id.as_str(),
                plan.cluster.as_str(),
                plan.reason.as_str(),
            )
        })
        .collect();
    assert_eq!(read, [("7", "c1", "why"), ("P-4", "c4", "Late")]);
    assert_eq!(plans[0].start, None);
    assert!(plans[1].start.is_some());
    assert_eq!(
        unknown,
        [
            ("plans", "an item without an ID".to_owned()),
            ("plan.state", "a list".to_owned()),
            ("plan.created", "soon".to_owned()),
            ("plan.cluster_id", "../c".to_owned()),
        ]
    );
}

#[tokio::test]
async fn a_region_without_plans_is_not_an_error_and_another_systems_response_is() {
    for body in [
        r#"{"plans": []}"#,
        r#"{"plans": null}"#,
        "<ListOperationPlansForRegionResponse/>",
    ] {
        assert_eq!(plans(body).await, (vec![], vec![]), "{body}");
    }
    for body in [
        "{}",
        r#"{"data": {"plans": []}}"#,
        r#"{"plans": "none"}"#,
        "[]",
    ] {
        let api = FakeApi::with_body(body);
        let error = list(&api, None).await.expect_err(body);
        assert_eq!(error.kind, ErrorKind::Decode, "{body}");
    }
}

#[tokio::test]
async fn a_missing_permission_names_its_action() {
    let api = FakeApi::new(|_| {
        (
            403,
            r#"{"code": "StatusForbidden", "message": "no"}"#.to_owned(),
        )
    });
    let error = list(&api, None).await.expect_err("forbidden");
    assert_eq!(error.kind, ErrorKind::Forbidden);
    assert!(
        error.message.ends_with("cs:ListOperationPlansForRegion"),
        "{error}"
    );
}
