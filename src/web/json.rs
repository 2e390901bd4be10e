//! `/api/v1/clusters`: the last snapshot for programs.
//!
//! ```json
//! {
//!   "at": "2026-11-23T18:49:29Z",        when the snapshot was taken; null before the first scrape
//!   "age_seconds": 12.3,                 its age; null before the first scrape
//!   "complete": true,                    whether the query of every cluster had succeeded or failed
//!   "clusters": [{
//!     "id": "c106f377e16f34eb1808d6b9362c9abcd",
//!     "name": "shop", "account": "prod", "region": "cn-hangzhou",
//!     "labels": {"team": "payments"},    of the configuration
//!     "type": "ManagedKubernetes", "spec": "ack.pro.small",
//!     "version": "1.30.1-aliyun.1", "next_version": "1.31.1-aliyun.1",
//!     "state": "running",                the state of the account's cluster list, where it is read
//!     "up": true,                        whether the last query succeeded; null if there has been none
//!     "reason": null, "error": null,     why it failed: the value of cs_query_failure's label, and a sentence
//!     "source": "tasks",                 the operation that read the rest, as in cs_upgrade_info
//!     "status": "running",               as in cs_upgrade_status
//!     "step": "upgrading",               as in cs_upgrade_step
//!     "task_status": "running",          as in cs_upgrade_task_status
//!     "since": "2026-11-23T18:40:00Z",   when this exporter first saw the present status and step
//!     "error_message": null,             the API's message about the failure, cleaned and cut to 256 characters
//!     "precheck_report_id": null, "task_id": "T-1", "target_version": "1.31.1-aliyun.1",
//!     "started": "2026-11-23T18:30:00Z", "updated": "2026-11-23T18:48:00Z",   of the task, where the source has them
//!     "last_success": "2026-11-23T18:49:28Z",   the last successful query
//!     "age_seconds": 13.3,               its age
//!     "query_duration_seconds": 0.21,    the last query, retries included
//!     "plans": [{                        planned operations, as in cs_plan_info; null unless watched
//!       "id": "P-1", "type": "cluster_upgrade_master", "target": "", "state": "scheduled",
//!       "reason": "", "start": "2026-11-24T18:00:00Z", "end": "2026-11-24T22:00:00Z", "task_id": ""
//!     }],
//!     "version_support": {               of the version that the cluster runs; null unless watched
//!       "version": "1.30.1-aliyun.1", "end_of_support": "2027-01-31T00:00:00Z", "versions_behind": 3
//!     },
//!     "node_pools": [{                   as in the metrics cs_node_pool_*; null unless watched
//!       "id": "np0d5…", "name": "web", "type": "ess", "state": "updating",
//!       "nodes": {"total": 7, "healthy": 6, …},   by condition, as in cs_node_pool_nodes
//!       "kubelet_version": "1.30.1-aliyun.1", "runtime": "containerd", "runtime_version": "1.6.39",
//!       "image": "aliyun_3_x64_20G_alibase_20260831.vhd", "versions_behind": 1,
//!       "upgrade": {                     the newest; null until its task has been found
//!         "status": "running", "task_id": "T-2", "target_version": "1.31.1-aliyun.1",
//!         "error_message": null, "started": "2026-11-23T19:05:00Z", "updated": "2026-11-23T19:20:00Z"
//!       }
//!     }],
//!     "addons": [{                       installed add-ons, as in cs_addon_info; null unless watched
//!       "name": "coredns", "version": "v1.9.3.10", "state": "active", "available_version": "v1.11.3.2"
//!     }],
//!     "prechecks": [{                    the newest check of each type, as in cs_precheck_result; null unless watched
//!       "id": "1697-c106-clustercheck-lboto", "type": "cluster_upgrade", "result": "passed",
//!       "finished": "2026-11-23T18:31:00Z"
//!     }],
//!     "maintenance": {                   null unless watched
//!       "auto_upgrade": {"enabled": true, "channel": "stable"},   null if the API does not say so
//!       "window": {"next_start": "2026-11-25T18:00:00Z", "duration_seconds": 14400.0}   null if none is in use
//!     }
//!   }]
//! }
//! ```
//!
//! Every key is always present. Unknown values are null, and so is every part of the upgrade while
//! `up` is not true. Times are RFC 3339 in UTC.

use std::collections::BTreeMap;

use ack_client::ClusterState;
use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::text::clean_message;
use jiff::Timestamp;
use serde::Serialize;

use crate::queries::Watched;
use crate::snapshot::{ClusterReading, Outcome, Snapshot};

/// The whole response.
#[derive(Serialize)]
struct Document<'a> {
    at: Option<String>,
    age_seconds: Option<f64>,
    complete: bool,
    clusters: Vec<ClusterDocument<'a>>,
}

/// One cluster, as in the documentation of the module.
#[derive(Serialize)]
struct ClusterDocument<'a> {
    id: &'a ClusterId,
    name: Option<String>,
    account: &'a AccountName,
    region: Option<&'a Region>,
    labels: &'a BTreeMap<String, String>,
    r#type: Option<String>,
    spec: Option<String>,
    version: Option<String>,
    next_version: Option<String>,
    state: Option<&'a str>,
    up: Option<bool>,
    reason: Option<&'static str>,
    error: Option<String>,
    source: Option<&'static str>,
    status: Option<&'static str>,
    step: Option<&'static str>,
    task_status: Option<&'static str>,
    since: Option<String>,
    error_message: Option<String>,
    precheck_report_id: Option<String>,
    task_id: Option<String>,
    target_version: Option<String>,
    started: Option<String>,
    updated: Option<String>,
    last_success: Option<String>,
    age_seconds: Option<f64>,
    query_duration_seconds: Option<f64>,
    #[serde(flatten)]
    watched: &'a Watched,
}

/// Renders the body of `/api/v1/clusters`. Before the first scrape it has no clusters.
#[expect(
    clippy::missing_panics_doc,
    reason = "text and finite numbers always become JSON"
)]
pub fn clusters(snapshot: Option<&Snapshot>, now: Timestamp) -> String {
    let document = Document {
        at: snapshot.map(|snapshot| rfc3339(snapshot.at)),
        age_seconds: snapshot.map(|snapshot| age(snapshot.at, now)),
        complete: snapshot.is_some_and(|snapshot| snapshot.complete),
        clusters: snapshot.map_or_else(Vec::new, |snapshot| {
            snapshot
                .clusters
                .iter()
                .map(|reading| cluster(reading, now))
                .collect()
        }),
    };
    serde_json::to_string(&document).expect("strings, finite numbers and lists of them are JSON")
}

fn cluster(reading: &ClusterReading, now: Timestamp) -> ClusterDocument<'_> {
    let cluster = &reading.cluster;
    let (up, state, failure) = match &reading.outcome {
        Outcome::Up(state) => (Some(true), Some(state), None),
        Outcome::Down(failure) => (Some(false), None, Some(failure)),
        Outcome::NotAsked => (None, None, None),
    };
    ClusterDocument {
        id: &cluster.id,
        name: known(&cluster.name),
        account: &cluster.account,
        region: cluster.region.as_ref(),
        labels: &cluster.labels,
        r#type: known(&cluster.cluster_type),
        spec: known(&cluster.spec),
        version: known(&cluster.version),
        next_version: known(&cluster.next_version),
        state: cluster.state.map(ClusterState::as_str),
        up,
        reason: failure.map(|failure| failure.reason.as_str()),
        error: failure.and_then(|failure| known(&failure.message)),
        source: state.map(|state| state.source.as_str()),
        status: state.map(|state| state.status.as_str()),
        step: state.map(|state| state.step.as_str()),
        task_status: state.map(|state| state.task_status.as_str()),
        since: state.and(reading.since).map(rfc3339),
        error_message: state.and_then(|state| known(state.error_message.as_deref()?)),
        precheck_report_id: state.and_then(|state| known(&state.precheck_report_id)),
        task_id: state.and_then(|state| known(&state.task_id)),
        target_version: state.and_then(|state| known(&state.target_version)),
        started: state.and_then(|state| state.started).map(rfc3339),
        updated: state.and_then(|state| state.updated).map(rfc3339),
        last_success: reading.last_success.map(rfc3339),
        age_seconds: reading.last_success.map(|at| age(at, now)),
        query_duration_seconds: reading
            .duration
            .map(|duration| thousandths(duration.as_secs_f64())),
        watched: &reading.watched,
    }
}

/// Formats to whole seconds, which every tool that reads RFC 3339 takes; jq's `fromdate` refuses
/// fractions.
fn rfc3339(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// Seconds from `at` to `now`; 0 if the clocks disagree.
fn age(at: Timestamp, now: Timestamp) -> f64 {
    thousandths(now.duration_since(at).as_secs_f64().max(0.0))
}

fn thousandths(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

/// Returns the text as the metrics show it; None if it is empty.
fn known(text: &str) -> Option<String> {
    Some(clean_message(text)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ack_client::Reason;
    use ack_client::{Status, Step};
    use jiff::SignedDuration;
    use serde_json::{Value, json};

    use super::*;
    use crate::web::fixture::{self, NOW, cluster, down, snapshot, up};

    fn parsed(snapshot: &Snapshot) -> Value {
        serde_json::from_str(&clusters(Some(snapshot), NOW)).unwrap()
    }

    #[test]
    fn a_cluster_that_is_up_has_its_state() {
        let body = parsed(&snapshot(vec![cluster(
            "c1",
            up(Status::Running, Step::Upgrading),
        )]));
        let mut expected = json!({
            "at": "2026-11-23T18:49:17Z",
            "age_seconds": 12.0,
            "complete": true,
            "clusters": [{
                "id": "c1",
                "name": "shop-c1",
                "account": "prod",
                "region": "cn-hangzhou",
                "labels": {"team": "payments"},
                "type": "ManagedKubernetes",
                "spec": "ack.pro.small",
                "version": "1.30.1-aliyun.1",
                "next_version": "1.31.1-aliyun.1",
                "state": "running",
                "up": true,
                "reason": null,
                "error": null,
                "source": "tasks",
                "status": "running",
                "step": "upgrading",
                "task_status": "running",
                "since": "2026-11-23T18:39:29Z",
                "error_message": null,
                "precheck_report_id": "report-1",
                "task_id": "T-1",
                "target_version": "1.31.1-aliyun.1",
                "started": "2026-11-23T17:49:29Z",
                "updated": "2026-11-23T18:48:59Z",
                "last_success": "2026-11-23T18:49:26Z",
                "age_seconds": 3.0,
                "query_duration_seconds": 0.21,
                "plans": null,
                "version_support": null,
            }],
        });
        let Ok(Value::Object(watched)) = serde_json::to_value(Watched::default()) else {
            panic!("every query has a key");
        };
        let cluster = expected["clusters"][0].as_object_mut();
        cluster.unwrap().extend(watched);
        assert_eq!(body, expected);
    }

    #[test]
    fn a_cluster_that_is_down_has_a_reason_and_no_state() {
        let body = parsed(&snapshot(vec![cluster(
            "c1",
            down(Reason::Timeout, "no\nresponse"),
        )]));
        let cluster = &body["clusters"][0];
        assert_eq!(
            [&cluster["up"], &cluster["reason"], &cluster["error"]],
            [&json!(false), &json!("timeout"), &json!("no response")]
        );
        for key in [
            "source",
            "status",
            "step",
            "task_status",
            "since",
            "task_id",
            "started",
        ] {
            assert_eq!(cluster[key], Value::Null, "{key}");
        }
    }

    #[test]
    fn a_cluster_that_was_never_queried_has_every_key() {
        let mut asked = cluster("c1", up(Status::None, Step::NotStart));
        let mut never = fixture::altered(cluster("c2", Outcome::NotAsked), |info| {
            info.region = None;
            info.version = String::new();
            info.state = None;
        });
        never.last_success = None;
        never.duration = None;
        asked.duration = Some(Duration::from_nanos(1_234_567));
        let body = parsed(&snapshot(vec![asked, never]));
        let keys = |at: usize| {
            body["clusters"][at]
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(keys(0), keys(1));
        assert_eq!(body["clusters"][0]["query_duration_seconds"], json!(0.001));
        for key in [
            "up",
            "region",
            "version",
            "state",
            "last_success",
            "age_seconds",
            "query_duration_seconds",
        ] {
            assert_eq!(body["clusters"][1][key], Value::Null, "{key}");
        }
    }

    #[test]
    fn the_response_is_empty_before_the_first_scrape() {
        assert_eq!(
            clusters(None, NOW),
            r#"{"at":null,"age_seconds":null,"complete":false,"clusters":[]}"#
        );
    }

    #[test]
    fn an_age_is_never_negative() {
        let body: Value = serde_json::from_str(&clusters(
            Some(&snapshot(Vec::new())),
            NOW - SignedDuration::from_hours(1),
        ))
        .unwrap();
        assert_eq!(body["age_seconds"], json!(0.0));
    }
}
