//! Responses of `DescribeKubernetesVersionMetadata`, usual and odd ones.

use super::*;
use crate::error::ErrorKind;
use crate::operations::fake_api::{FakeApi, budget, kilobytes, region};

async fn list(
    api: &FakeApi,
    filter: VersionFilter<'_>,
) -> Result<Vec<KubernetesVersion>, ApiError> {
    list_kubernetes_versions(
        &api.client,
        &api.endpoint,
        &region(),
        "ManagedKubernetes",
        filter,
        &budget(),
    )
    .await
}

async fn versions(body: &str) -> (Vec<KubernetesVersion>, Vec<(&'static str, String)>) {
    let api = FakeApi::with_body(body);
    let versions = list(&api, VersionFilter::Supported).await.expect("a list");
    (versions, api.take_unknown_values())
}

const VERSION: &str = r#"{
    "version": "1.33.1-aliyun.1", "creatable": true, "multi_az": "enabled",
    "release_date": "2026-01-15T16:00:00Z", "expiration_date": "2027-07-15T16:00:00Z",
    "runtimes": [{"name": "containerd", "version": "1.6.20"}], "images": [{"image_id": "a"}],
    "capabilities": {"deep": {}}, "meta_data": {}, "upgradable_versions": null
}"#;

#[tokio::test]
async fn a_bare_list_and_an_object_with_versions_are_read_alike() {
    let expected = KubernetesVersion {
        version: "1.33.1-aliyun.1".to_owned(),
        released: "2026-01-15T16:00:00Z".parse().ok(),
        end_of_support: "2027-07-15T16:00:00Z".parse().ok(),
        is_creatable: Some(true),
    };
    for body in [
        format!("[{VERSION}]"),
        format!("\u{feff}\n [{VERSION}] "),
        format!(r#"{{"versions": [{VERSION}]}}"#),
    ] {
        let versions = versions(&body).await;
        assert_eq!(versions, (vec![expected.clone()], vec![]), "{body}");
    }
    for body in ["[]", r#"{"versions": []}"#, r#"{"versions": null}"#] {
        assert_eq!(versions(body).await, (vec![], vec![]), "{body}");
    }
}

#[tokio::test]
async fn a_query_names_region_type_and_one_version_or_a_mode() {
    let api = FakeApi::with_body("[]");
    for filter in [
        VersionFilter::Supported,
        VersionFilter::Version("1.26.3-aliyun.1"),
    ] {
        assert_eq!(list(&api, filter).await, Ok(vec![]));
    }
    let path = "DescribeKubernetesVersionMetadata /api/v1/metadata/versions";
    assert_eq!(
        api.take_requests(),
        [
            "ClusterType=ManagedKubernetes&Mode=supported&Region=cn-hangzhou",
            "ClusterType=ManagedKubernetes&KubernetesVersion=1.26.3-aliyun.1&Region=cn-hangzhou",
        ]
        .map(|query| format!("{path}?{query}"))
    );
}

#[tokio::test]
async fn an_odd_field_costs_itself_and_an_odd_version_itself() {
    let (versions, unknown) = versions(
        r#"[
            {"version": 1.32, "creatable": "True", "expiration_date": "", "release_date": 1768492800},
            "1.31", {"creatable": true}, null, [[]],
            {"version": "1.30.1", "creatable": "perhaps", "expiration_date": "next year", "release_date": null},
            {"version": "1.29.1", "creatable": 0}
        ]"#,
    )
    .await;
    let read: Vec<_> = versions
        .iter()
        .map(|version| {
            let dates = (version.released.is_some(), version.end_of_support.is_some());
            (version.version.as_str(), version.is_creatable, dates)
        })
        .collect();
    assert_eq!(
        read,
        [
            ("1.32", Some(true), (true, false)),
            ("1.30.1", None, (false, false)),
            ("1.29.1", Some(false), (false, false)),
        ]
    );
    assert_eq!(
        unknown,
        [
            ("versions", "a text".to_owned()),
            ("version.expiration_date", "next year".to_owned()),
            ("version.creatable", "perhaps".to_owned()),
        ]
    );
}

#[tokio::test]
async fn images_of_four_mebibytes_are_skipped() {
    let image = format!(r#"{{"image_id": "{}"}}"#, kilobytes(64));
    let images = vec![image; 64].join(",");
    let body = format!(r#"[{{"images": [{images}], "version": "1.33.1-aliyun.1"}}]"#);
    assert!(body.len() > 4 << 20);
    let (versions, unknown) = versions(&body).await;
    assert_eq!(versions[0].version, "1.33.1-aliyun.1");
    assert_eq!((versions.len(), unknown), (1, vec![]));
}

#[tokio::test]
async fn another_systems_response_is_an_error() {
    for (body, kind) in [
        ("{}", ErrorKind::Decode),
        (r#"{"data": []}"#, ErrorKind::Decode),
        (r#"{"versions": 5}"#, ErrorKind::Decode),
        ("[emerg] out of memory", ErrorKind::Decode),
        (r#"{"code": 404, "versions": []}"#, ErrorKind::Foreign),
    ] {
        let api = FakeApi::with_body(body);
        let error = list(&api, VersionFilter::Supported).await;
        assert_eq!(error.expect_err(body).kind, kind, "{body}");
    }
}
