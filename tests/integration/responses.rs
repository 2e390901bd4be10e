//! Responses that differ from the reference, and responses of other systems.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ack_client::clock::Clock;
use ack_client::{ResponseFuture, Transport};
use ack_simulator::{Options, Simulator};
use ack_upgrade_exporter::shard::Shard;
use ack_upgrade_exporter::snapshot::{Outcome, Snapshot};
use ack_upgrade_exporter::upgrade::UpgradeState;
use bytes::Bytes;
use http::{Request, Response};
use tokio::time::{advance, sleep};

use crate::fleet::{Fleet, UNLIMITED, options, word};

/// A server whose responses a test sets, by the end of the path.
#[derive(Debug, Clone, Default)]
struct Server {
    responses: Arc<Mutex<HashMap<&'static str, Response<Bytes>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn respond_with(&self, path: &'static str, body: impl Into<Bytes>) {
        self.refuse(path, 200, body);
    }

    fn refuse(&self, path: &'static str, status: u16, body: impl Into<Bytes>) {
        let response = Response::builder()
            .status(status)
            .body(body.into())
            .expect("a response");
        self.responses
            .lock()
            .expect("nobody panics here")
            .insert(path, response);
    }
}

impl Server {
    /// The number of task requests since the last call of this function.
    fn tasks_asked(&self) -> usize {
        let asked = std::mem::take(&mut *self.asked.lock().expect("nobody panics here"));
        asked
            .iter()
            .filter(|path| path.starts_with("/tasks/"))
            .count()
    }
}

impl Transport for Server {
    fn send(&self, request: Request<Bytes>) -> ResponseFuture<'_> {
        self.asked
            .lock()
            .expect("nobody panics here")
            .push(request.uri().path().to_owned());
        let responses = self.responses.lock().expect("nobody panics here");
        let whole = request
            .uri()
            .path_and_query()
            .map_or("", |target| target.as_str());
        let find = |asked: &str| responses.iter().find(|(path, _)| asked.ends_with(**path));
        let found = find(whole).or_else(|| find(request.uri().path()));
        let (_, response) = found.unwrap_or_else(|| panic!("nobody expects {}", request.uri()));
        Box::pin(std::future::ready(Ok(response.clone())))
    }
}

const STATUS: &str = "/upgrade/status";
const TASKS: &str = "/tasks";
const TASK: &str = "/tasks/T-1";
const LIST: &str = "/cn-hangzhou/clusters";

/// One cluster, read from `source` over `server`.
fn fleet(server: &Server, source: &str) -> Fleet {
    let sim = Arc::new(Simulator::new(Options {
        calls_kept: 0,
        ..options(1)
    }));
    let clock = Clock::simulated(sim.world().now());
    Fleet::over(
        sim,
        Arc::new(server.clone()),
        clock,
        "http://simulator.example",
        &format!("source: {source}\n{UNLIMITED}"),
        "",
    )
}

/// All clusters of the list of one region, over `server`.
fn discovering(server: &Server) -> Fleet {
    let sim = Arc::new(Simulator::new(options(1)));
    let clock = Clock::simulated(sim.world().now());
    let text = "accounts:\n  - name: test\n    endpoint: http://simulator.example\n    \
                source: upgrade_status\n    credentials: {type: access_key, \
                access_key_id: id, access_key_secret: secret}\n    \
                discovery: {regions: [cn-hangzhou], refresh_interval: 1s}\n";
    Fleet::build(sim, Arc::new(server.clone()), clock, text, Shard::default())
}

/// A list of one upgrade task, `T-1`, with `fields` besides its ID.
fn list_of(fields: &str) -> String {
    format!(
        r#"{{"tasks": [{{"task_id": "T-1", "task_type": "cluster_upgrade", {fields}}}], "page_info": {{"total_count": 1}}}}"#
    )
}

/// The state of the only cluster.
fn state(snapshot: &Snapshot) -> &UpgradeState {
    match &snapshot.clusters[0].outcome {
        Outcome::Up(state) => state,
        other => panic!("{other:?}"),
    }
}

/// The message of the failure of the only cluster.
fn message(snapshot: &Snapshot) -> &str {
    match &snapshot.clusters[0].outcome {
        Outcome::Down(failure) => &failure.message,
        other => panic!("{other:?}"),
    }
}

/// The number of unexpected values of `field`.
fn odd(fleet: &Fleet, snapshot: &Arc<Snapshot>, field: &str) -> f64 {
    let page = fleet.page(snapshot);
    let is_field = |(name, value): &(String, String)| name == "field" && value == field;
    let mut samples = page
        .samples("cs_exporter_unknown_values_total")
        .filter(|sample| sample.labels.iter().any(is_field));
    samples
        .next()
        .unwrap_or_else(|| panic!("no counter of {field}"))
        .value
}

/// True if the list could be read.
fn is_list_read(fleet: &Fleet, snapshot: &Arc<Snapshot>) -> bool {
    fleet
        .page(snapshot)
        .samples("cs_exporter_discovery_success")
        .any(|sample| sample.value > 0.5)
}

/// Responses of gateways, firewalls and envelopes with status 200, and the expected reason.
const OF_OTHERS: [(&str, &str); 11] = [
    (r#"{"error":"denied"}"#, "decode"),
    (
        r#"{"message":"Request blocked","status_code":403}"#,
        "decode",
    ),
    (
        r#"{"code":200,"data":{"status":"fail","tasks":[],"state":"fail"}}"#,
        "decode",
    ),
    (r#"{"Data":{"status":"fail"},"Code":"200"}"#, "decode"),
    (r#"{"code":0,"data":{"status":"fail"}}"#, "decode"),
    (r#"{"Status":"fail"}"#, "decode"),
    (
        r#"{"success":false,"errorCode":"X","errorMessage":"no"}"#,
        "decode",
    ),
    (
        r#"{"timestamp":1700000000,"status":404,"error":"Not Found","path":"/","state":404}"#,
        "decode",
    ),
    (r#"{"code":403,"message":"denied"}"#, "other"),
    (r#"{"code":"503","message":"busy"}"#, "server"),
    (
        r#"{"code":"ErrorClusterNotFound","message":"no","status":404,"state":"x"}"#,
        "not_found",
    ),
];

#[tokio::test(start_paused = true)]
async fn json_of_another_system_never_clears_a_failed_upgrade() {
    for (body, reason) in OF_OTHERS {
        let server = Server::default();
        server.respond_with(
            STATUS,
            r#"{"status":"fail","upgrade_step":"upgrading","error_message":"etcd"}"#,
        );
        server.respond_with(TASKS, list_of(r#""state": "fail""#));
        server.respond_with(
            TASK,
            r#"{"task_id": "T-1", "state": "fail", "current_stage": "x"}"#,
        );
        for (source, path) in [
            ("upgrade_status", STATUS),
            ("tasks", TASKS),
            ("tasks", TASK),
        ] {
            let fleet = fleet(&server, source);
            // A finished task would not be read again.
            server.respond_with(
                TASK,
                r#"{"task_id": "T-1", "state": "paused", "current_stage": "x"}"#,
            );
            assert_ne!(
                word(&fleet.scrape_in_time().await.clusters[0]),
                reason,
                "{body}"
            );
            server.respond_with(path, body);
            let snapshot = fleet.scrape_in_time().await;
            assert_eq!(
                word(&snapshot.clusters[0]),
                reason,
                "{source}, {path}: {body}: {:?}",
                snapshot.clusters[0].outcome
            );
            server.respond_with(TASKS, list_of(r#""state": "fail""#));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_error_for_json_of_another_system_has_its_keys_and_not_its_values() {
    let server = Server::default();
    let fleet = fleet(&server, "upgrade_status");
    server.respond_with(
        STATUS,
        r#"{"code":200,"data":{"token":"hidden"},"requestId":"hidden"}"#,
    );
    let snapshot = fleet.scrape_in_time().await;
    assert_eq!(
        message(&snapshot),
        "GetUpgradeStatus: HTTP 200: JSON that is not an answer of GetUpgradeStatus; its keys: \
         code, data, requestId"
    );
    server.respond_with(STATUS, r#"{"code":403,"message":"denied by the gateway"}"#);
    let snapshot = fleet.scrape_in_time().await;
    assert!(
        message(&snapshot).ends_with("403: denied by the gateway"),
        "{}",
        message(&snapshot)
    );
}

#[tokio::test(start_paused = true)]
async fn an_empty_object_is_a_valid_upgrade_status_and_no_valid_list() {
    let server = Server::default();
    for body in [
        "{}",
        r#"{"status":null,"extra":1}"#,
        r#"{"status":"","upgrade_step":"not_start"}"#,
    ] {
        server.respond_with(STATUS, body);
        assert_eq!(
            word(
                &fleet(&server, "upgrade_status")
                    .scrape_in_time()
                    .await
                    .clusters[0]
            ),
            "none/not_start",
            "{body}"
        );
    }
    for body in [
        "{}",
        r#"{"requestId":"R"}"#,
        r#"{"tasks":null}"#,
        r#"{"tasks":"none"}"#,
        r#"{"page_info":{"total_count":3}}"#,
    ] {
        server.respond_with(TASKS, body);
        assert_eq!(
            word(&fleet(&server, "tasks").scrape_in_time().await.clusters[0]),
            "decode",
            "{body}"
        );
    }
    for body in [
        r#"{"tasks":[]}"#,
        r#"{"tasks":[],"requestId":"R"}"#,
        r#"{"tasks":null,"page_info":{"total_count":0}}"#,
        r#"{"page_info":{"page_number":1,"page_size":50,"total_count":"0"}}"#,
        r#"{"page_info":{}}"#,
    ] {
        server.respond_with(TASKS, body);
        assert_eq!(
            word(&fleet(&server, "tasks").scrape_in_time().await.clusters[0]),
            "none/not_start",
            "{body}"
        );
    }
    // A task in the list counts, whatever is missing from its details.
    server.respond_with(TASKS, list_of(r#""state": "fail""#));
    server.respond_with(TASK, "{}");
    assert_eq!(
        word(&fleet(&server, "tasks").scrape_in_time().await.clusters[0]),
        "fail/unknown"
    );
}

#[tokio::test(start_paused = true)]
async fn json_of_another_system_never_removes_discovered_clusters() {
    let (server, good) = (
        Server::default(),
        r#"{"clusters":[{"cluster_id":"c1"},{"cluster_id":"c2"}],"page_info":{"total_count":2}}"#,
    );
    server.respond_with(STATUS, "{}");
    let bodies = OF_OTHERS.map(|(body, _)| body);
    for body in bodies.into_iter().chain([
        "{}",
        r#"{"clusters":null}"#,
        r#"{"clusters":"none"}"#,
        r#"{"clusters":null,"page_info":{"total_count":2}}"#,
    ]) {
        server.respond_with(LIST, good);
        let fleet = discovering(&server);
        assert_eq!(fleet.scrape_in_time().await.clusters.len(), 2);
        server.respond_with(LIST, body);
        sleep(Duration::from_secs(60)).await;
        let snapshot = fleet.scrape_in_time().await;
        assert_eq!(snapshot.clusters.len(), 2, "{body}");
        assert!(!is_list_read(&fleet, &snapshot), "{body}");
        fleet.collector.stop().await;
    }
    // The same on a later page: half a list would look like deletions.
    let first = r#"{"clusters":[{"cluster_id":"c1"}],"page_info":{"total_count":2}}"#;
    for second in [
        r#"{"clusters":null,"page_info":{"total_count":2}}"#,
        r#"{"page_info":{"total_count":2}}"#,
    ] {
        server.respond_with(LIST, good);
        let fleet = discovering(&server);
        assert_eq!(fleet.scrape_in_time().await.clusters.len(), 2);
        server.respond_with(LIST, first);
        server.respond_with("/cn-hangzhou/clusters?page_number=2&page_size=50", second);
        sleep(Duration::from_secs(60)).await;
        let snapshot = fleet.scrape_in_time().await;
        assert_eq!(snapshot.clusters.len(), 2, "{second}");
        assert!(!is_list_read(&fleet, &snapshot), "{second}");
        fleet.collector.stop().await;
    }
    for body in [
        r#"{"clusters":[]}"#,
        r#"{"clusters":null,"page_info":{"total_count":0}}"#,
        r#"{"page_info":{"total_count":0}}"#,
    ] {
        server.respond_with(LIST, body);
        let fleet = discovering(&server);
        let snapshot = fleet.scrape_in_time().await;
        assert!(is_list_read(&fleet, &snapshot), "{body}");
        fleet.collector.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_unexpected_field_of_a_status_costs_only_that_field() {
    let server = Server::default();
    let rest = r#""status":"fail","upgrade_step":"upgrading""#;
    for (field, counted) in [
        (r#""error_message":5"#, None),
        (r#""error_message":{"a":1}"#, Some("error_message")),
        (r#""error_message":"\ud800 lone""#, None),
        (r#""precheck_report_id":12"#, None),
        (r#""upgrade_task":"""#, None),
        (r#""upgrade_task":[]"#, Some("upgrade_task")),
        (r#""upgrade_task":"running""#, Some("upgrade_task")),
        (
            r#""upgrade_task":{"status":{"x":1}}"#,
            Some("upgrade_task.status"),
        ),
        (r#""status":"fail","upgrade_step":"upgrading""#, None),
        (r#""status":null"#, None),
    ] {
        server.respond_with(STATUS, format!("{{{rest},{field}}}"));
        let fleet = fleet(&server, "upgrade_status");
        let snapshot = fleet.scrape_in_time().await;
        assert_eq!(word(&snapshot.clusters[0]), "fail/upgrading", "{field}");
        if let Some(counted) = counted {
            assert!(
                (odd(&fleet, &snapshot, counted) - 1.0).abs() < f64::EPSILON,
                "{field}"
            );
        }
    }
    for bytes in [&b"\xc9\xfd\xbc\xb6"[..], b"\xff", b"\xe5\x8d"] {
        let body = [
            format!(r#"{{{rest},"error_message":"#).as_bytes(),
            b"\"etcd ",
            bytes,
            b" down\"}",
        ]
        .concat();
        server.respond_with(STATUS, body);
        let snapshot = fleet(&server, "upgrade_status").scrape_in_time().await;
        let message = state(&snapshot).error_message.clone().unwrap_or_default();
        assert!(
            message.starts_with("etcd \u{fffd}") && message.ends_with(" down"),
            "{message}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_of_another_type_is_unknown_and_never_none() {
    let server = Server::default();
    server.respond_with(STATUS, r#"{"status":7,"upgrade_step":"upgrading"}"#);
    let fleet = fleet(&server, "upgrade_status");
    let snapshot = fleet.scrape_in_time().await;
    assert_eq!(word(&snapshot.clusters[0]), "unknown/upgrading");
    assert!((odd(&fleet, &snapshot, "status") - 1.0).abs() < f64::EPSILON);
}

#[tokio::test(start_paused = true)]
async fn an_unexpected_field_of_a_task_costs_only_that_field() {
    let server = Server::default();
    for (field, counted) in [
        (r#""created": 1700000000"#, None),
        (r#""created": 1700000000000"#, None),
        (r#""created": "1700000000""#, None),
        (r#""created": "yesterday""#, Some("task.created")),
        (r#""created": {}"#, None),
        (r#""updated": [1]"#, Some("task.updated")),
        (r#""error": "boom""#, None),
        (r#""error": """#, None),
        (r#""error": false"#, Some("task.error")),
        (
            r#""error": {"message": ["x"], "code": "C"}"#,
            Some("task.error.message"),
        ),
        (r#""parameters": []"#, Some("task.parameters")),
        (r#""parameters": "{}""#, Some("task.parameters")),
        (r#""parameters": null"#, None),
        (r#""parameters": {"test": "t", "test2": 1}"#, None),
        (r#""outputs": [1]"#, Some("task.outputs")),
        (r#""current_stage": ["x"]"#, Some("task.current_stage")),
        (r#""target": "cluster""#, Some("task.target")),
        (r#""state": "running", "state": "running""#, None),
    ] {
        server.respond_with(TASKS, list_of(&format!(r#""state": "running", {field}"#)));
        server.respond_with(
            TASK,
            format!(r#"{{"task_id": "T-1", "state": "running", {field}}}"#),
        );
        let fleet = fleet(&server, "tasks");
        let snapshot = fleet.scrape_in_time().await;
        assert_eq!(word(&snapshot.clusters[0]), "running/upgrading", "{field}");
        if let Some(counted) = counted {
            assert!(
                (odd(&fleet, &snapshot, counted) - 2.0).abs() < f64::EPSILON,
                "{field}: once in the list, once in the task"
            );
        }
        let started = state(&snapshot).started.map(jiff::Timestamp::as_second);
        assert_eq!(
            started,
            field.contains("17000").then_some(1_700_000_000),
            "{field}"
        );
        assert_eq!(
            state(&snapshot).error_message.as_deref(),
            field
                .contains("boom")
                .then_some("boom")
                .or(field.contains("\"C\"").then_some("C"))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_unexpected_field_of_a_task_of_another_type_is_ignored() {
    let server = Server::default();
    server.respond_with(TASK, r#"{"task_id": "T-1", "state": "paused"}"#);
    for other in [
        "null",
        "7",
        r#""T-2""#,
        "[]",
        "{}",
        r#"{"task_type": "cluster_upgrade"}"#,
        r#"{"task_id": "T-2", "task_type": ["x"], "created": {"x": 1}}"#,
        r#"{"task_id": 2, "task_type": "cluster_scaleout", "created": [1], "error": 7, "state": {"x": 1}, "parameters": "x"}"#,
    ] {
        let page = format!(
            r#"{{"tasks": [{other}, {{"task_id": "T-1", "task_type": "cluster_upgrade", "state": "paused"}}], "page_info": {{"total_count": "2"}}}}"#
        );
        server.respond_with(TASKS, page);
        let fleet = fleet(&server, "tasks");
        let snapshot = fleet.scrape_in_time().await;
        assert_eq!(word(&snapshot.clusters[0]), "pause/pause", "{other}");
        for field in [
            "task.created",
            "task.state",
            "task.error",
            "task.parameters",
        ] {
            assert!(
                odd(&fleet, &snapshot, field).abs() < f64::EPSILON,
                "{other}: {field}"
            );
        }
        let item = if other.contains(r#""task_id""#) {
            0.0
        } else {
            1.0
        };
        assert!(
            (odd(&fleet, &snapshot, "tasks") - item).abs() < f64::EPSILON,
            "{other}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_unexpected_cluster_in_a_list_costs_only_its_field_or_itself() {
    let server = Server::default();
    server.respond_with(STATUS, "{}");
    for (odd_one, clusters, counted) in [
        (
            r#"{"cluster_id": "c2", "tags": [{"key": "env", "value": 7}], "name": 123, "current_version": 1.3}"#,
            2,
            None,
        ),
        (
            r#"{"cluster_id": "c2", "tags": "env"}"#,
            2,
            Some("cluster.tags"),
        ),
        (
            r#"{"cluster_id": "c2", "tags": ["env", {"key": "a", "value": [1]}]}"#,
            2,
            Some("cluster.tags"),
        ),
        (
            r#"{"cluster_id": "c2", "tags": null, "name": {"x": 1}}"#,
            2,
            Some("cluster.name"),
        ),
        (
            r#"{"cluster_id": "c2", "updated": "never"}"#,
            2,
            Some("cluster.updated"),
        ),
        (r#"{"cluster_id": ["c2"]}"#, 1, Some("clusters")),
        ("null", 1, Some("clusters")),
        ("5", 1, Some("clusters")),
        (
            r#"{"cluster_id": "not an ID"}"#,
            1,
            Some("cluster.cluster_id"),
        ),
    ] {
        for total in ["2", r#""2""#, "1099511627776", "-1", "[]"] {
            server.respond_with(LIST, format!(r#"{{"clusters": [{{"cluster_id": "c1"}}, {odd_one}], "page_info": {{"total_count": {total}}}}}"#));
            let fleet = discovering(&server);
            let snapshot = fleet.scrape_in_time().await;
            assert_eq!(snapshot.clusters.len(), clusters, "{odd_one}, {total}");
            if let Some(counted) = counted {
                assert!(odd(&fleet, &snapshot, counted) >= 1.0, "{odd_one}");
            }
            if odd_one.contains("1.3") {
                let info = &snapshot.clusters[1].cluster;
                assert_eq!((info.name.as_str(), info.version.as_str()), ("123", "1.3"));
            }
            fleet.collector.stop().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn markup_of_another_system_is_a_failure() {
    let page = "<head><title>Sign in</title></head><body>x</body></html>";
    let fault = "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\">\
                 <soap:Body><soap:Fault><faultcode>x</faultcode>\
                 <Code>ErrorClusterNotFound</Code></soap:Fault></soap:Body></soap:Envelope>";
    let flat_fault = "<Fault><Code>ErrorClusterNotFound</Code></Fault>";
    let feed = "<?xml version=\"1.0\"?><!-- a --><feed><status>running</status></feed>";
    for source in ["upgrade_status", "tasks"] {
        for body in [
            format!("<?xml version=\"1.0\"?>\n<html>{page}"),
            page.to_owned(),
            fault.to_owned(),
            flat_fault.to_owned(),
            feed.to_owned(),
        ] {
            let server = Server::default();
            for path in [STATUS, TASKS] {
                server.respond_with(path, body.clone());
            }
            let snapshot = fleet(&server, source).scrape_in_time().await;
            assert_eq!(word(&snapshot.clusters[0]), "decode", "{source}: {body}");
            for path in [STATUS, TASKS] {
                server.refuse(path, 404, body.clone());
            }
            let snapshot = fleet(&server, source).scrape_in_time().await;
            assert_eq!(word(&snapshot.clusters[0]), "other", "{source}: {body}");
        }
        let server = Server::default();
        server.respond_with(STATUS, "<?xml version=\"1.0\"?><GetUpgradeStatusResponse><status>pause</status><upgrade_step>pause</upgrade_step></GetUpgradeStatusResponse>");
        server.respond_with(
            TASKS,
            "<DescribeClusterTasksResponse><tasks><task_id>T-1</task_id>\
             <task_type>cluster_upgrade</task_type></tasks><tasks><task_id>T-2\
             </task_id><task_type>x</task_type></tasks><page_info><total_count>2</total_count>\
             </page_info></DescribeClusterTasksResponse>",
        );
        server.respond_with(
            TASK,
            "<DescribeTaskInfoResponse><task_id>T-1</task_id>\
                                   <state>paused</state><error/></DescribeTaskInfoResponse>",
        );
        assert_eq!(
            word(&fleet(&server, source).scrape_in_time().await.clusters[0]),
            "pause/pause",
            "{source}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_have_a_specific_message() {
    let long = "GET\\n\\n/\\nx-acs-date:2026".repeat(40);
    for (code, said, expected) in [
        (
            "SignatureDoesNotMatch",
            format!(
                "Specified signature is not matched with our calculation. server string to sign \
                 is:{long}"
            ),
            "SignatureDoesNotMatch: the access key secret is wrong: Specified signature is not \
                matched with our calculation.",
        ),
        (
            "IncompleteSignature",
            format!(
                "The request signature does not conform to Aliyun standards. server string to sign \
                 is:{long}"
            ),
            "IncompleteSignature: the access key secret is wrong, or something on the way changes \
                requests: The request signature does not conform to Aliyun standards.",
        ),
        (
            "InvalidAccessKeyId.NotFound",
            "Specified access key is not found.".to_owned(),
            "InvalidAccessKeyId.NotFound: there is no such access key ID: Specified access key is \
             not found.",
        ),
        (
            "InvalidAccessKeyId.Inactive",
            "Specified access key is disabled.".to_owned(),
            "InvalidAccessKeyId.Inactive: the access key is disabled: Specified access key is \
             disabled.",
        ),
    ] {
        let server = Server::default();
        server.refuse(
            STATUS,
            400,
            format!(r#"{{"Code":"{code}","Message":"{said}","RequestId":"R"}}"#),
        );
        let snapshot = fleet(&server, "upgrade_status").scrape_in_time().await;
        assert_eq!(word(&snapshot.clusters[0]), "auth");
        assert_eq!(
            message(&snapshot),
            format!("GetUpgradeStatus: HTTP 400: {expected} (request R)")
        );
    }
}

/// An item of a list of tasks.
fn item(id: &str, hour: u32, state: &str, more: &str) -> String {
    format!(
        r#"{{"task_id": "{id}", "task_type": "cluster_upgrade", "state": "{state}", "created": "2026-11-23T{hour:02}:00:00+08:00"{more}}}"#
    )
}

#[tokio::test(start_paused = true)]
async fn a_successful_node_pool_task_never_hides_a_failed_cluster_upgrade() {
    let server = Server::default();
    let fleet = |server: &Server| {
        fleet(
            server,
            "tasks\ntask_types: [cluster_upgrade, nodePool_upgrade]",
        )
    };
    let id = fleet(&server).ids()[0].clone();
    let own = format!(
        r#"{{"task_id": "T-1", "state": "fail", "target": {{"id": "{id}\n", "type": "Cluster"}}}}"#
    );
    server.respond_with(TASK, own);
    server.respond_with(
        "/tasks/T-2",
        r#"{"task_id": "T-2", "state": "success", "target": {"id": "np1", "type": "nodepool"}}"#,
    );
    server.respond_with(
        "/tasks/T-3",
        r#"{"task_id": "T-3", "state": "success", "target": {"id": "another", "type": "cluster"}}"#,
    );
    let cluster = item("T-1", 1, "fail", "");
    for others in [
        // Shown by the list.
        item(
            "T-2",
            3,
            "success",
            r#", "target": {"id": "np1", "type": "nodepool"}"#,
        ),
        item("T-2", 3, "success", r#", "target": {"id": "another"}"#),
        item(
            "T-2",
            3,
            "success",
            r#", "task": {"target": {"type": "NODEPOOL"}}"#,
        ),
        // Shown by the type.
        item("T-4", 3, "success", "").replace("cluster_upgrade", "nodepool_upgrade"),
        // Shown only by the task.
        item("T-2", 3, "success", ""),
        [item("T-3", 4, "success", ""), item("T-2", 3, "success", "")].join(","),
    ] {
        server.respond_with(
            TASKS,
            format!(r#"{{"tasks": [{others}, {cluster}], "page_info": {{"total_count": 3}}}}"#),
        );
        let snapshot = fleet(&server).scrape_in_time().await;
        assert_eq!(
            word(&snapshot.clusters[0]),
            "fail/unknown",
            "{others}: {:?}",
            snapshot.clusters[0].outcome
        );
        assert_eq!(state(&snapshot).task_id, "T-1", "{others}");
    }
    server.respond_with(
        TASKS,
        format!(
            r#"{{"tasks": [{}], "page_info": {{"total_count": 1}}}}"#,
            item("T-2", 3, "success", "")
        ),
    );
    assert_eq!(
        word(&fleet(&server).scrape_in_time().await.clusters[0]),
        "none/not_start"
    );
}

#[tokio::test(start_paused = true)]
async fn tasks_of_other_targets_are_read_once_and_skipped() {
    let server = Server::default();
    let others = [
        "T-10", "T-11", "T-12", "T-13", "T-14", "T-15", "T-16", "T-17", "T-18", "T-19",
    ];
    let tasks: Vec<_> = others
        .iter()
        .map(|id| item(id, 9, "success", ""))
        .chain([item("T-1", 1, "running", "")])
        .collect();
    server.respond_with(
        TASKS,
        format!(
            r#"{{"tasks": [{}], "page_info": {{"total_count": 11}}}}"#,
            tasks.join(",")
        ),
    );
    for path in [
        "/T-10", "/T-11", "/T-12", "/T-13", "/T-14", "/T-15", "/T-16", "/T-17", "/T-18", "/T-19",
    ] {
        server.respond_with(
            path,
            r#"{"state": "success", "target": {"id": "np1", "type": "nodepool"}}"#,
        );
    }
    server.respond_with(TASK, r#"{"task_id": "T-1", "state": "running"}"#);
    let fleet = fleet(&server, "tasks");
    for (expected, asked) in [
        ("decode", 8),
        ("running/upgrading", 3),
        ("running/upgrading", 1),
    ] {
        assert_eq!(
            (
                word(&fleet.scrape_in_time().await.clusters[0]).as_str(),
                server.tasks_asked()
            ),
            (expected, asked)
        );
        advance(Duration::from_secs(15)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_task_with_the_same_status_is_a_new_state() {
    let server = Server::default();
    server.respond_with(TASKS, list_of(r#""state": "running""#));
    server.respond_with(
        TASK,
        r#"{"task_id": "T-1", "state": "running", "current_stage": "DrainNodes"}"#,
    );
    let fleet = fleet(&server, "tasks");
    let first = fleet.scrape_in_time().await.clusters[0].since;
    advance(Duration::from_secs(60)).await;
    assert_eq!(fleet.scrape_in_time().await.clusters[0].since, first);
    server.respond_with(
        TASKS,
        list_of(r#""state": "running""#).replace("T-1", "T-9"),
    );
    server.respond_with(
        "/tasks/T-9",
        r#"{"task_id": "T-9", "state": "running", "current_stage": "DrainNodes"}"#,
    );
    assert!(fleet.scrape_in_time().await.clusters[0].since > first);
}

#[tokio::test(start_paused = true)]
async fn every_known_task_status_has_its_state() {
    let server = Server::default();
    for (words, stage, expected) in [
        (
            &["success", "succeeded", "SUCCEEDED"][..],
            "",
            "success/success",
        ),
        (&["fail", "failed", "error"], "DrainNodes", "fail/upgrading"),
        (&["fail", "error"], "", "fail/unknown"),
        (&["canceled", "cancelled"], "", "canceled/unknown"),
        (&["pause", "paused"], "", "pause/pause"),
        (
            &[
                "running",
                "pending",
                "pausing",
                "resuming",
                "cancelling",
                "canceling",
            ],
            "",
            "running/upgrading",
        ),
        (&["pending"], "init_master", "running/upgrading"),
        (&["running"], "cluster_pre_check", "running/prechecking"),
        (&["running"], "PreUpgradeCheck", "running/prechecking"),
        (&["running"], "Cluster Check", "running/prechecking"),
        (&["running"], "Validating", "running/prechecking"),
        (&["reticulating"], "", "unknown/unknown"),
    ] {
        for state in words {
            server.respond_with(TASKS, list_of(&format!(r#""state": "{state}""#)));
            server.respond_with(
                TASK,
                format!(r#"{{"task_id": "T-1", "state": "{state}", "current_stage": "{stage}"}}"#),
            );
            assert_eq!(
                word(&fleet(&server, "tasks").scrape_in_time().await.clusters[0]),
                expected,
                "{state}, {stage}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_present_version_is_never_the_target_version() {
    let server = Server::default();
    server.respond_with(TASKS, list_of(r#""state": "running""#));
    for (told, expected) in [
        (
            r#""parameters": {"version": "1.30", "next_version": "1.31"}"#,
            "1.31",
        ),
        (r#""parameters": {"version": "1.30"}"#, ""),
        (
            r#""parameters": {"body": {"nextVersion": "1.31", "version": "1.30"}}"#,
            "1.31",
        ),
        (
            r#""parameters": {"k8s-version": "1.29", "KubernetesVersion": "1.30", "Target_Version": "1.31"}"#,
            "1.31",
        ),
        (
            r#""parameters": {"a": {"b": {"next_version": "1.31"}}}"#,
            "",
        ),
        (
            r#""parameters": {"k8s_version": "1.29"}, "outputs": {"next_version": "1.31"}"#,
            "1.31",
        ),
        (
            r#""parameters": {"next_version": ""}, "outputs": {"NEXT_VERSION": 1.31}"#,
            "1.31",
        ),
    ] {
        server.respond_with(
            TASK,
            format!(r#"{{"task_id": "T-1", "state": "running", {told}}}"#),
        );
        let snapshot = fleet(&server, "tasks").scrape_in_time().await;
        assert_eq!(state(&snapshot).target_version, expected, "{told}");
    }
    server.respond_with(TASK, r#"{"task_id": "T-1", "state": "running", "outputs": {"checkId": "1700-c1-clustercheck-abcde"}}"#);
    let snapshot = fleet(&server, "tasks").scrape_in_time().await;
    assert_eq!(
        state(&snapshot).precheck_report_id,
        "1700-c1-clustercheck-abcde"
    );
}
