//! Whole pages, compared byte by byte.

use std::sync::Arc;
use std::time::Duration;

use ack_client::Operation;
use exporter_toolkit::exposition::{Format, Kind, Metric, Page, Value};
use exporter_toolkit::process;

use self::readings::{down, failed, never_queried, own, snapshot};
use super::exposition::{Dialect, Exposition};
use crate::config::{self, ErrorMessages, StateSets};
use crate::metrics::{catalog, render, render_probe};
use crate::snapshot::{ClusterReading, Outcome, Snapshot};
use crate::upgrade::{SourceName, UpgradeState};

mod readings;

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

/// A page without the series of operations that were not called.
fn page(format: Format) -> String {
    let snapshot = snapshot(vec![failed(), down(), never_queried()]);
    let page = render(&snapshot, &own(), &config::Metrics::default(), format);
    let mut page = read(&page, format);
    for operation in Operation::ALL {
        if *operation != Operation::GetUpgradeStatus {
            let label = format!("operation=\"{}\"", operation.as_str());
            page = page
                .split_inclusive('\n')
                .filter(|line| !line.contains(&label))
                .collect();
        }
    }
    page
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
