//! Settings in responses of `DescribeClusterDetail`.

use std::time::Duration;

use super::*;
use crate::error::ErrorKind;
use crate::operations::fake_api::{FakeApi, budget, cluster};

async fn describe(api: &FakeApi) -> Result<Option<ClusterSettings>, ApiError> {
    describe_cluster_settings(&api.client, &api.endpoint, &cluster(), &budget()).await
}

async fn settings(fields: &str) -> (ClusterSettings, Vec<(&'static str, String)>) {
    let api = FakeApi::with_body(format!(r#"{{"cluster_id": "c1", {fields}}}"#));
    let settings = describe(&api).await.expect(fields).expect(fields);
    (settings, api.take_unknown_values())
}

#[tokio::test]
async fn channel_and_window_are_read() {
    let (settings, unknown) = settings(
        r#""profile": "Default", "name": "shop", "meta_data": "{}", "tags": [],
        "operation_policy": {"cluster_auto_upgrade": {"enabled": true, "channel": "Stable"}},
        "maintenance_window": {"enable": true, "maintenance_time": "03:00:00Z", "duration": "3h",
            "weekly_period": "Thursday"}"#,
    )
    .await;
    assert_eq!(
        settings.auto_upgrade,
        Some(AutoUpgrade {
            enabled: true,
            channel: Some(UpgradeChannel::Stable)
        })
    );
    let window = settings.window.expect("a window");
    assert!(window.enabled && window.start.is_some() && window.recurrence.is_some());
    assert_eq!(window.duration, Some(Duration::from_secs(3 * 3600)));
    assert_eq!(unknown, []);
}

#[tokio::test]
async fn a_channel_is_read_in_any_letter_case_and_without_one_there_is_none() {
    let policy = async |fields: &str| {
        let policy = format!(r#""operation_policy": {{"cluster_auto_upgrade": {fields}}}"#);
        let (settings, unknown) = settings(&policy).await;
        (settings.auto_upgrade, unknown)
    };
    let upgrade = |enabled, channel| Some(AutoUpgrade { enabled, channel });
    for (fields, expected) in [
        (
            r#"{"enabled": "TRUE", "channel": "RAPID"}"#,
            upgrade(true, Some(UpgradeChannel::Rapid)),
        ),
        (
            r#"{"enabled": 1, "channel": " patch "}"#,
            upgrade(true, Some(UpgradeChannel::Patch)),
        ),
        (r#"{"enabled": false, "channel": ""}"#, upgrade(false, None)),
        (r#"{"enabled": false}"#, upgrade(false, None)),
        (r#"{"channel": "patch"}"#, None),
        ("{}", None),
        ("null", None),
    ] {
        assert_eq!(policy(fields).await, (expected, vec![]), "{fields}");
    }
    let place = "cluster.operation_policy.cluster_auto_upgrade";
    for (fields, expected, name, value) in [
        (
            r#"{"enabled": true, "channel": "lts"}"#,
            upgrade(true, Some(UpgradeChannel::Unknown)),
            ".channel",
            "lts",
        ),
        (r#"{"enabled": "maybe"}"#, None, ".enabled", "maybe"),
        ("[]", None, "", "a list"),
    ] {
        let (upgrade, unknown) = policy(fields).await;
        let [(reported, reported_value)] = &unknown[..] else {
            panic!("{unknown:?}");
        };
        assert_eq!(upgrade, expected, "{fields}");
        assert_eq!(
            (*reported, reported_value.as_str()),
            (&*format!("{place}{name}"), value)
        );
    }
}

#[tokio::test]
async fn settings_that_the_api_does_not_send_are_missing() {
    for fields in [
        r#""profile": null, "operation_policy": null, "maintenance_window": null"#,
        r#""name": "shop""#,
    ] {
        let expected = ClusterSettings {
            auto_upgrade: None,
            window: None,
        };
        assert_eq!(settings(fields).await, (expected, vec![]), "{fields}");
    }
}

#[tokio::test]
async fn another_cluster_is_none_and_another_systems_response_an_error() {
    assert_eq!(
        describe(&FakeApi::with_body(r#"{"cluster_id": "c2"}"#)).await,
        Ok(None)
    );
    for body in ["{}", "[]", r#"{"maintenance_window": {}}"#] {
        let error = describe(&FakeApi::with_body(body)).await.expect_err(body);
        assert_eq!(error.kind, ErrorKind::Decode, "{body}");
    }
}
