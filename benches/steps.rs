//! The time of each step of a scrape: `cargo bench --bench steps`.
//!
//! The steps are a query without a network, its signature, the metrics page in both formats, and
//! gzip.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use ack_client::clock::Clock;
use ack_client::credentials::{CachedCredentials, Credential};
use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::secret::Secret;
use ack_client::sign::{self, CS_VERSION, Stamp, UnsignedRequest};
use ack_client::{
    Budget, Client, ClusterState, Limiter, NoopMetrics, ResponseFuture, Transport,
    get_upgrade_status,
};
use ack_client::{Endpoint, RateLimit, Signature};
use ack_client::{Status, Step, TaskStatus};
use ack_upgrade_exporter::cluster::ClusterInfo;
use ack_upgrade_exporter::config::{self, Config};
use ack_upgrade_exporter::metrics::{ExporterMetrics, render};
use ack_upgrade_exporter::queries::Watched;
use ack_upgrade_exporter::shard::Shard;
use ack_upgrade_exporter::snapshot::{ClusterReading, Outcome, Snapshot};
use ack_upgrade_exporter::upgrade::{SourceName, UpgradeState};
use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use exporter_toolkit::exposition::Format;
use exporter_toolkit::process::ProcessMetrics;
use exporter_toolkit::web::encode::encode;
use exporter_toolkit::web::negotiate::Encoding;
use http::{Request, Response};
use jiff::Timestamp;

const RESPONSE: &str = r#"{"status":"fail","error_message":"etcd member etcd-1 did not become healthy in 600 seconds","precheck_report_id":"be4c8eb72de94d459ea7ace7c811d119","upgrade_step":"upgrading","upgrade_task":{"status":"Failed","message":"etcd-1 is not healthy"}}"#;

fn credential() -> Credential {
    Credential {
        access_key_id: "LTAI5tBench".to_owned(),
        access_key_secret: Secret::new("a secret of thirty characters."),
        security_token: None,
        expires_at: None,
    }
}

fn signing(c: &mut Criterion) {
    let credential = credential();
    let stamp = Stamp {
        time: Timestamp::UNIX_EPOCH,
        nonce: "0123456789abcdef0123456789abcdef".to_owned(),
    };
    let call = UnsignedRequest {
        method: "GET",
        authority: "cs.cn-hangzhou.aliyuncs.com",
        action: "GetUpgradeStatus",
        path: "/api/v2/clusters/c106f377e16f34eb1808d6b9362c9abcd/upgrade/status",
        query: &[],
        version: CS_VERSION,
        form: None,
    };
    let mut group = c.benchmark_group("sign");
    for (name, scheme) in [("acs3", Signature::Acs3), ("roa", Signature::Roa)] {
        group.bench_function(name, |b| {
            b.iter(|| sign::sign(scheme, black_box(&call), &credential, &stamp));
        });
    }
    group.finish();
}

/// A transport that returns the same response at once.
#[derive(Debug)]
struct FixedResponse;

impl Transport for FixedResponse {
    fn send(&self, request: Request<Bytes>) -> ResponseFuture<'_> {
        black_box(request);
        Box::pin(std::future::ready(Ok(Response::new(Bytes::from_static(
            RESPONSE.as_bytes(),
        )))))
    }
}

fn querying(c: &mut Criterion) {
    let rate = RateLimit {
        requests_per_second: 1e9,
        burst: NonZeroU32::MAX,
    };
    let client = Client::new(
        Arc::new(FixedResponse),
        Arc::new(CachedCredentials::fixed(credential())),
        Signature::Acs3,
        Limiter::new(AccountName::parse("bench").expect("a name"), rate, 1, 64),
        Arc::new(NoopMetrics),
        Clock::System,
        ack_upgrade_exporter::USER_AGENT,
    );
    let endpoint = Endpoint::parse("http://127.0.0.1:8080").expect("an endpoint");
    let cluster = ClusterId::parse("c106f377e16f34eb1808d6b9362c9abcd").expect("an ID");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    c.bench_function("query without a network", |b| {
        b.iter(|| {
            let budget = Budget::lasting(Duration::from_secs(10));
            runtime
                .block_on(get_upgrade_status(&client, &endpoint, &cluster, &budget))
                .expect("an answer")
        });
    });
}

fn snapshot(clusters: usize) -> Snapshot {
    let account = AccountName::parse("prod").expect("a name");
    let reading = |index: usize| ClusterReading {
        cluster: Arc::new(ClusterInfo {
            id: ClusterId::parse(&format!("c{index:032x}")).expect("an ID"),
            name: format!("cluster-{index}"),
            account: account.clone(),
            region: Region::parse("cn-hangzhou").ok(),
            cluster_type: "ManagedKubernetes".to_owned(),
            spec: "ack.pro.small".to_owned(),
            profile: "Default".to_owned(),
            version: "1.32.1-aliyun.1".to_owned(),
            next_version: "1.33.1-aliyun.1".to_owned(),
            state: Some(ClusterState::Running),
            labels: BTreeMap::from([("team".to_owned(), "platform".to_owned())]),
        }),
        outcome: Outcome::Up(Arc::new(UpgradeState {
            status: if index.is_multiple_of(20) {
                Status::Running
            } else {
                Status::Success
            },
            step: if index.is_multiple_of(20) {
                Step::Upgrading
            } else {
                Step::Success
            },
            task_status: if index.is_multiple_of(20) {
                TaskStatus::Running
            } else {
                TaskStatus::Success
            },
            ..UpgradeState::never(SourceName::UpgradeStatus)
        })),
        duration: Some(Duration::from_micros(31_234 + index as u64)),
        last_success: Some(Timestamp::UNIX_EPOCH),
        since: Some(Timestamp::UNIX_EPOCH),
        watched: Watched::default(),
        queries: Vec::new(),
    };
    Snapshot {
        at: Timestamp::UNIX_EPOCH,
        duration: Duration::from_millis(800),
        budget: Duration::from_millis(9_500),
        complete: true,
        shard: Shard::default(),
        clusters: (0..clusters).map(reading).collect(),
        accounts: Vec::new(),
    }
}

fn exposing(c: &mut Criterion) {
    let own = ExporterMetrics::new(ProcessMetrics::Hidden);
    let options = Config::parse(
        "accounts: [{name: prod, discovery: {regions: [cn-hangzhou]}}]",
        "".as_ref(),
    )
    .expect("a configuration")
    .metrics;
    let mut group = c.benchmark_group("expose");
    for clusters in [100, 1_000, 10_000] {
        let snapshot = snapshot(clusters);
        group.throughput(Throughput::Elements(clusters as u64));
        for (name, format) in [("text", Format::Text), ("openmetrics", Format::OpenMetrics)] {
            group.bench_with_input(
                BenchmarkId::new(name, clusters),
                &snapshot,
                |b, snapshot| {
                    b.iter(|| render(snapshot, &own, &options, format));
                },
            );
        }
        let page = render(&snapshot, &own, &options, Format::Text);
        group.bench_with_input(BenchmarkId::new("gzip", clusters), &page, |b, page| {
            b.iter(|| encode(page.clone(), Encoding::Gzip));
        });
    }
    group.finish();
}

fn reading_the_configuration(c: &mut Criterion) {
    let mut yaml = "accounts:\n  - name: prod\n    clusters:\n".to_owned();
    for index in 0..1_000 {
        writeln!(yaml, "      - {{id: c{index:032x}, region: cn-hangzhou, name: cluster-{index}, labels: {{team: platform}}}}")
            .expect("a String takes every write");
    }
    c.bench_function("parse a configuration of 1000 clusters", |b| {
        b.iter(|| config::Config::parse(&yaml, "".as_ref()));
    });
    // The time per mistake must not depend on their number.
    let mut group = c.benchmark_group("find mistakes in a configuration");
    group.sample_size(10);
    for mistakes in [5_000, 20_000] {
        let mut keys = String::new();
        for number in 0..mistakes {
            writeln!(keys, "key_{number}: 1").expect("a String takes every write");
        }
        group.throughput(Throughput::Elements(mistakes));
        group.bench_with_input(BenchmarkId::from_parameter(mistakes), &keys, |b, keys| {
            b.iter(|| config::Config::parse(keys, "".as_ref()).is_err());
        });
    }
    group.finish();
}

criterion_group!(
    steps,
    signing,
    querying,
    exposing,
    reading_the_configuration
);
criterion_main!(steps);
