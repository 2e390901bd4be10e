//! Whole pages, compared byte by byte.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::{AccountName, ClusterId, Region};
use ack_client::{
    AddonInstance, AddonState, CallMetrics as _, CheckVerdict, ClusterState, NodeCounts,
    NodePoolState, Operation, PlanState, Reason,
};
use ack_client::{Status, Step, TaskStatus};
use exporter_toolkit::exposition::{Format, Kind, Metric, Page, Value};
use exporter_toolkit::process::{self, ProcessMetrics};

use super::exposition::{Dialect, Exposition};
use crate::cluster::ClusterInfo;
use crate::config::{self, ErrorMessages, StateSets};
use crate::metrics::catalog;
use crate::metrics::{ExporterMetrics, render, render_probe};
use crate::queries::Watched;
use crate::queries::addons::ClusterAddons;
use crate::queries::maintenance::{AutoUpgrade, ClusterMaintenance, Window};
use crate::queries::node_pools::{NodePool, NodePoolUpgrade};
use crate::queries::plans::Plan;
use crate::queries::prechecks::Precheck;
use crate::queries::versions::VersionSupport;
use crate::shard::Shard;
use crate::snapshot::{
    AccountReading, ClusterReading, DiscoveryReading, Failure, Outcome, QueryReading, Snapshot,
};
use crate::upgrade::{SourceName, UpgradeState};

fn account() -> AccountName {
    AccountName::parse("prod").unwrap()
}

fn cluster(id: &str) -> ClusterInfo {
    ClusterInfo {
        id: ClusterId::parse(id).unwrap(),
        name: String::new(),
        account: account(),
        region: Region::parse("cn-hangzhou").ok(),
        cluster_type: String::new(),
        spec: String::new(),
        profile: String::new(),
        version: String::new(),
        next_version: String::new(),
        state: None,
        labels: BTreeMap::new(),
    }
}

/// A cluster whose upgrade failed, with every value known.
fn failed() -> ClusterReading {
    ClusterReading {
        cluster: Arc::new(ClusterInfo {
            name: "shop \"西\"\\".to_owned(),
            cluster_type: "ManagedKubernetes".to_owned(),
            spec: "ack.pro.small".to_owned(),
            version: "1.30.1-aliyun.1".to_owned(),
            next_version: "1.31.1-aliyun.1".to_owned(),
            state: Some(ClusterState::Upgrading),
            labels: BTreeMap::from([("team".to_owned(), "payments\nand\\more".to_owned())]),
            ..cluster("c-failed")
        }),
        outcome: Outcome::Up(Arc::new(UpgradeState {
            source: SourceName::Tasks,
            status: Status::Fail,
            step: Step::Upgrading,
            task_status: TaskStatus::Failed,
            error_message: Some("drain failed:\r\n\tpod \"x\\y\"\u{7} stays".to_owned()),
            precheck_report_id: "report-1".to_owned(),
            task_id: "T-1".to_owned(),
            target_version: "1.31.1-aliyun.1".to_owned(),
            started: "2026-11-23T10:00:00Z".parse().ok(),
            updated: "2026-11-23T10:05:00.5Z".parse().ok(),
        })),
        duration: Some(Duration::from_micros(120_500)),
        last_success: "2026-11-23T10:10:00.123456Z".parse().ok(),
        since: "2026-11-23T10:05:01Z".parse().ok(),
        watched: watched(),
        queries: vec![QueryReading::new("node_pools", Some(&timeout()))],
    }
}

/// Everything that can be known beside an upgrade.
fn watched() -> Watched {
    Watched {
        plans: Some(Arc::new([Plan {
            id: "P-1".to_owned(),
            kind: "kubelet_upgrade".to_owned(),
            target: "np-1".to_owned(),
            state: PlanState::Scheduled,
            reason: String::new(),
            start: "2026-11-24T18:00:00Z".parse().ok(),
            end: "2026-11-24T22:00:00Z".parse().ok(),
            task_id: String::new(),
        }])),
        version_support: Some(VersionSupport {
            version: "1.30.1-aliyun.1".to_owned(),
            end_of_support: "2027-01-31T00:00:00Z".parse().ok(),
            versions_behind: Some(3),
        }),
        node_pools: Some(vec![node_pool(), unknown_node_pool()]),
        addons: ClusterAddons {
            installed: Some(Arc::new([AddonInstance {
                name: "coredns".to_owned(),
                version: "v1.9.3.10".to_owned(),
                state: AddonState::Active,
            }])),
            offers: Some(Arc::new(BTreeMap::from([(
                "coredns".to_owned(),
                "v1.11.3.2".to_owned(),
            )]))),
        },
        prechecks: Some(Arc::new([Precheck {
            id: "check-1".to_owned(),
            kind: "cluster_upgrade".to_owned(),
            result: CheckVerdict::Warning,
            finished: "2026-11-23T09:00:00Z".parse().ok(),
        }])),
        maintenance: Some(ClusterMaintenance {
            auto_upgrade: Some(AutoUpgrade {
                enabled: true,
                channel: "stable",
            }),
            window: Some(Window {
                next_start: "2026-11-25T18:00:00Z".parse().ok(),
                duration: Some(Duration::from_secs(4 * 3600)),
            }),
        }),
    }
}

/// A node pool whose upgrade failed, with every value known.
fn node_pool() -> NodePool {
    NodePool {
        id: "np-1".to_owned(),
        name: "web \"西\"".to_owned(),
        kind: "ess".to_owned(),
        state: NodePoolState::Active,
        nodes: NodeCounts {
            total: Some(7),
            healthy: Some(6),
            failed: Some(1),
            initial: Some(0),
            offline: Some(2),
            removing: Some(3),
            serving: Some(5),
        },
        kubelet_version: "1.28.3-aliyun.1".to_owned(),
        runtime: "containerd".to_owned(),
        runtime_version: "1.6.39".to_owned(),
        image: "aliyun_3_x64.vhd".to_owned(),
        versions_behind: Some(2),
        upgrade: Some(NodePoolUpgrade {
            status: Status::Fail,
            task_id: "T-2".to_owned(),
            target_version: "1.30.1-aliyun.1".to_owned(),
            error_message: Some("node \"a\\b\" was not drained".to_owned()),
            started: "2026-11-23T09:00:00Z".parse().ok(),
            updated: "2026-11-23T09:30:00.5Z".parse().ok(),
        }),
    }
}

/// A node pool of which the API tells only that there is one.
fn unknown_node_pool() -> NodePool {
    NodePool {
        id: "np-2".to_owned(),
        name: String::new(),
        kind: String::new(),
        state: NodePoolState::Unknown,
        nodes: NodeCounts::default(),
        kubelet_version: String::new(),
        runtime: String::new(),
        runtime_version: String::new(),
        image: String::new(),
        versions_behind: None,
        upgrade: None,
    }
}

fn timeout() -> Failure {
    Failure {
        reason: Reason::Timeout,
        message: "no response".to_owned(),
        lasting: false,
    }
}

/// A cluster that could be queried before and cannot now.
fn down() -> ClusterReading {
    ClusterReading {
        cluster: Arc::new(ClusterInfo {
            labels: BTreeMap::from([("env".to_owned(), "prod".to_owned())]),
            ..cluster("c-down")
        }),
        outcome: Outcome::Down(timeout()),
        duration: Some(Duration::from_secs(9)),
        last_success: "2026-11-23T10:09:00Z".parse().ok(),
        since: "2026-11-23T09:00:00Z".parse().ok(),
        watched: Watched::default(),
        queries: Vec::new(),
    }
}

/// A cluster whose first query still waits for the rate limit.
fn never_queried() -> ClusterReading {
    ClusterReading {
        cluster: Arc::new(ClusterInfo {
            region: None,
            ..cluster("c-never-queried")
        }),
        outcome: Outcome::NotAsked,
        duration: None,
        last_success: None,
        since: None,
        watched: Watched::default(),
        queries: Vec::new(),
    }
}

fn accounts() -> Vec<AccountReading> {
    vec![AccountReading {
        account: account(),
        provider: Some("environment".to_owned()),
        credentials_expiry: "2026-11-23T11:00:00Z".parse().ok(),
        sources: vec![
            ("cn-hangzhou".to_owned(), "tasks"),
            ("cn-beijing".to_owned(), "upgrade_status"),
        ],
        discoveries: vec![DiscoveryReading {
            region: Region::parse("cn-hangzhou").unwrap(),
            failure: None,
            clusters: 3,
        }],
        queries: vec![(
            Region::parse("cn-hangzhou").unwrap(),
            QueryReading::new("plans", None),
        )],
    }]
}

fn snapshot(clusters: Vec<ClusterReading>) -> Snapshot {
    Snapshot {
        at: "2026-11-23T10:10:01Z".parse().unwrap(),
        duration: Duration::from_millis(9_250),
        budget: Duration::from_millis(9_500),
        complete: false,
        shard: Shard::new(1, 3).expect("a shard"),
        clusters,
        accounts: accounts(),
    }
}

fn own() -> ExporterMetrics {
    let own = ExporterMetrics::new(ProcessMetrics::Hidden);
    own.reload_succeeded("2026-11-23T09:00:00.25Z".parse().unwrap());
    let metrics = own.call_metrics(&account(), &[Operation::GetUpgradeStatus]);
    for failure in [None, Some(Reason::Timeout)] {
        metrics.started(Operation::GetUpgradeStatus);
        metrics.finished(
            Operation::GetUpgradeStatus,
            Duration::from_millis(125),
            failure,
        );
    }
    own
}

/// Checks the page with the strict reader and returns it with the values of the build replaced.
fn read(page: &[u8], format: Format) -> String {
    let dialect = match format {
        Format::Text => Dialect::Text,
        Format::OpenMetrics => Dialect::OpenMetrics,
    };
    Exposition::read(page, dialect).unwrap();
    let build = |name, value| {
        (
            format!("{name}=\"{value}\""),
            format!("{name}=\"<{name}>\""),
        )
    };
    let stamps = [
        build("version", env!("CARGO_PKG_VERSION")),
        build("revision", env!("BUILD_REVISION")),
        build("rustversion", env!("BUILD_RUSTVERSION")),
    ];
    let page = String::from_utf8(page.to_vec()).unwrap();
    stamps
        .iter()
        .fold(page, |page, (stamp, name)| page.replace(stamp, name))
}

/// The lines of a text page that hold samples.
fn samples(page: &[u8]) -> String {
    let page = read(page, Format::Text);
    let samples: Vec<&str> = page.lines().filter(|line| !line.starts_with('#')).collect();
    samples.join("\n")
}

fn page(format: Format) -> String {
    read(
        &render(
            &snapshot(vec![failed(), down(), never_queried()]),
            &own(),
            &config::Metrics::default(),
            format,
        ),
        format,
    )
}

#[test]
fn a_page_in_text() {
    insta::assert_snapshot!(page(Format::Text));
}

#[test]
fn a_page_in_open_metrics() {
    insta::assert_snapshot!(page(Format::OpenMetrics));
}

// Without the metrics of the process, which depend on the system.
#[test]
fn every_metric_of_the_catalogue_is_written() {
    let probe = render_probe(
        &failed(),
        Duration::from_millis(130),
        &config::Metrics::default(),
        Format::Text,
    );
    let written = page(Format::Text) + &read(&probe, Format::Text);
    for metric in catalog::all().filter(|metric| !process::METRICS.contains(metric)) {
        assert!(
            written.contains(&format!("# TYPE {} ", metric.name)),
            "nothing writes {}",
            metric.name
        );
    }
}

#[test]
fn options_rename_the_cluster_label_hide_the_message_and_shorten_the_state_sets() {
    let options = config::Metrics {
        cluster_label: "cluster_id".to_owned(),
        error_message: ErrorMessages::Hidden,
        state_sets: StateSets::Active,
    };
    let page = render_probe(
        &failed(),
        Duration::from_millis(130),
        &options,
        Format::Text,
    );
    insta::assert_snapshot!(samples(&page), @r##"
    cs_up{cluster_id="c-failed"} 1
    cs_query_duration_seconds{cluster_id="c-failed"} 0.1205
    cs_last_success_timestamp_seconds{cluster_id="c-failed"} 1795428600.123
    cs_upgrade_status{cluster_id="c-failed",status="fail"} 1
    cs_upgrade_step{cluster_id="c-failed",step="upgrading"} 1
    cs_upgrade_task_status{cluster_id="c-failed",status="failed"} 1
    cs_upgrade_info{cluster_id="c-failed",source="tasks",precheck_report_id="report-1",task_id="T-1",target_version="1.31.1-aliyun.1"} 1
    cs_upgrade_state_since_timestamp_seconds{cluster_id="c-failed"} 1795428301
    cs_upgrade_started_timestamp_seconds{cluster_id="c-failed"} 1795428000
    cs_upgrade_updated_timestamp_seconds{cluster_id="c-failed"} 1795428300.5
    cs_cluster_info{cluster_id="c-failed",name="shop \"西\"\\",account="prod",region="cn-hangzhou",type="ManagedKubernetes",spec="ack.pro.small",version="1.30.1-aliyun.1",next_version="1.31.1-aliyun.1",team="payments\nand\\more"} 1
    cs_cluster_state{cluster_id="c-failed",state="upgrading"} 1
    cs_plan_info{cluster_id="c-failed",plan="P-1",type="kubelet_upgrade",target="np-1",state="scheduled"} 1
    cs_plan_start_timestamp_seconds{cluster_id="c-failed",plan="P-1"} 1795543200
    cs_plan_end_timestamp_seconds{cluster_id="c-failed",plan="P-1"} 1795557600
    cs_cluster_version_end_of_support_timestamp_seconds{cluster_id="c-failed",version="1.30.1-aliyun.1"} 1801353600
    cs_cluster_versions_behind{cluster_id="c-failed"} 3
    cs_node_pool_info{cluster_id="c-failed",node_pool="np-1",name="web \"西\"",type="ess",kubelet_version="1.28.3-aliyun.1",runtime="containerd",runtime_version="1.6.39",image="aliyun_3_x64.vhd"} 1
    cs_node_pool_info{cluster_id="c-failed",node_pool="np-2",name="",type="",kubelet_version="",runtime="",runtime_version="",image=""} 1
    cs_node_pool_state{cluster_id="c-failed",node_pool="np-1",state="active"} 1
    cs_node_pool_state{cluster_id="c-failed",node_pool="np-2",state="unknown"} 1
    cs_node_pool_nodes{cluster_id="c-failed",node_pool="np-1",condition="total"} 7
    cs_node_pool_nodes{cluster_id="c-failed",node_pool="np-1",condition="healthy"} 6
    cs_node_pool_nodes{cluster_id="c-failed",node_pool="np-1",condition="failed"} 1
    cs_node_pool_nodes{cluster_id="c-failed",node_pool="np-1",condition="initial"} 0
    cs_node_pool_nodes{cluster_id="c-failed",node_pool="np-1",condition="offline"} 2
    cs_node_pool_nodes{cluster_id="c-failed",node_pool="np-1",condition="removing"} 3
    cs_node_pool_nodes{cluster_id="c-failed",node_pool="np-1",condition="serving"} 5
    cs_node_pool_versions_behind{cluster_id="c-failed",node_pool="np-1"} 2
    cs_node_pool_upgrade_status{cluster_id="c-failed",node_pool="np-1",status="fail"} 1
    cs_node_pool_upgrade_started_timestamp_seconds{cluster_id="c-failed",node_pool="np-1"} 1795424400
    cs_node_pool_upgrade_updated_timestamp_seconds{cluster_id="c-failed",node_pool="np-1"} 1795426200.5
    cs_addon_info{cluster_id="c-failed",addon="coredns",version="v1.9.3.10",state="active",available_version="v1.11.3.2"} 1
    cs_precheck_result{cluster_id="c-failed",type="cluster_upgrade",result="warning"} 1
    cs_precheck_finished_timestamp_seconds{cluster_id="c-failed",type="cluster_upgrade"} 1795424400
    cs_cluster_auto_upgrade{cluster_id="c-failed",channel="stable"} 1
    cs_maintenance_window_next_start_timestamp_seconds{cluster_id="c-failed"} 1795629600
    cs_maintenance_window_duration_seconds{cluster_id="c-failed"} 14400
    cs_query_up{query="node_pools",cluster_id="c-failed"} 0
    probe_success 1
    probe_duration_seconds 0.13
    "##);
}

#[test]
fn a_probe_of_a_cluster_that_is_down_has_no_state() {
    let page = render_probe(
        &down(),
        Duration::from_secs(9),
        &config::Metrics::default(),
        Format::Text,
    );
    insta::assert_snapshot!(samples(&page), @r##"
    cs_up{cluster="c-down"} 0
    cs_query_failure{cluster="c-down",reason="timeout"} 1
    cs_query_duration_seconds{cluster="c-down"} 9
    cs_last_success_timestamp_seconds{cluster="c-down"} 1795428540
    cs_cluster_info{cluster="c-down",name="",account="prod",region="cn-hangzhou",type="",spec="",version="",next_version="",env="prod"} 1
    probe_success 0
    probe_duration_seconds 9
    "##);
}

#[test]
fn a_page_without_clusters_is_valid() {
    let empty = Snapshot {
        clusters: Vec::new(),
        accounts: Vec::new(),
        ..snapshot(Vec::new())
    };
    for format in [Format::Text, Format::OpenMetrics] {
        let page = read(
            &render(&empty, &own(), &config::Metrics::default(), format),
            format,
        );
        assert!(!page.contains("cs_up"), "{page}");
        assert!(page.contains("\ncs_exporter_clusters 0"), "{page}");
    }
}

#[test]
fn help_is_escaped_as_each_format_requires() {
    static ODD: Metric = Metric {
        name: "odd",
        kind: Kind::Gauge,
        labels: &[],
        help: "a \"b\" \\ c\nd",
    };
    let page = |format| {
        let mut page = Page::with_capacity(format, 0);
        page.family(&ODD).sample().value(Value::ONE);
        read(&page.finish(), format)
    };
    insta::assert_snapshot!(page(Format::Text), @r##"
    # HELP odd a "b" \\ c\nd
    # TYPE odd gauge
    odd 1
    "##);
    insta::assert_snapshot!(page(Format::OpenMetrics), @r##"
    # HELP odd a \"b\" \\ c\nd
    # TYPE odd gauge
    odd 1.0
    # EOF
    "##);
}

#[test]
fn a_message_of_control_characters_only_is_left_out() {
    let reading = ClusterReading {
        outcome: Outcome::Up(Arc::new(UpgradeState {
            error_message: Some("\u{1}\n".to_owned()),
            ..UpgradeState::never(SourceName::Tasks)
        })),
        ..never_queried()
    };
    let page = render_probe(
        &reading,
        Duration::ZERO,
        &config::Metrics::default(),
        Format::Text,
    );
    assert!(!read(&page, Format::Text).contains("cs_upgrade_error_info"));
}
