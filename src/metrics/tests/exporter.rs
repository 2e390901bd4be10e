//! Tests of the exporter's own instruments.

use std::collections::BTreeSet;
use std::time::Duration;

use ack_client::names::AccountName;
use ack_client::{Operation, Reason};
use exporter_toolkit::exposition::{Format, Page};
use exporter_toolkit::process::ProcessMetrics;
use jiff::Timestamp;

use super::exposition::{Dialect, Exposition};
use crate::collect::ScrapeMetrics as _;
use crate::metrics::ExporterMetrics;

const OPERATION: Operation = Operation::GetUpgradeStatus;
/// The label of its series.
const CALL: (&str, &str) = ("operation", "GetUpgradeStatus");

fn account(name: &str) -> AccountName {
    AccountName::parse(name).unwrap()
}

fn read(own: &ExporterMetrics) -> Exposition {
    let mut page = Page::with_capacity(Format::Text, 0);
    own.write(&mut page);
    Exposition::read(&page.finish(), Dialect::Text).unwrap()
}

fn value(own: &ExporterMetrics, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let page = read(own);
    let fits = |label: &(&str, &str), sample: &super::exposition::Sample| {
        sample.label(label.0) == Some(label.1)
    };
    page.samples(name)
        .find(|sample| labels.iter().all(|label| fits(label, sample)))
        .map(|sample| sample.value)
}

#[test]
fn every_series_of_an_account_starts_at_zero() {
    let own = ExporterMetrics::new(ProcessMetrics::Hidden);
    assert!(
        read(&own)
            .family("cs_exporter_api_requests_total")
            .is_none()
    );
    own.call_metrics(&account("a"));
    let page = read(&own);
    let total = |name: &str| {
        page.samples(name)
            .map(|sample| sample.value)
            .fold((0, 0.0), |(count, sum), value| (count + 1, sum + value))
    };
    let operations = Operation::ALL.len();
    assert_eq!(total("cs_exporter_api_requests_total"), (operations, 0.0));
    assert_eq!(
        total("cs_exporter_api_request_failures_total"),
        (operations * (Reason::ALL.len() - 1), 0.0),
        "all but rate_limited"
    );
    assert_eq!(total("cs_exporter_api_retries_total"), (operations, 0.0));
    assert_eq!(
        total("cs_exporter_api_request_duration_seconds_count"),
        (operations, 0.0)
    );
    assert_eq!(
        total("cs_exporter_api_requests_in_flight"),
        (operations, 0.0)
    );
    let fields: BTreeSet<_> = ack_client::fields().collect();
    assert_eq!(
        total("cs_exporter_unknown_values_total"),
        (fields.len(), 0.0)
    );
    assert_eq!(total("cs_exporter_cached_scrapes_total"), (1, 0.0));
    assert_eq!(total("cs_exporter_coalesced_scrapes_total"), (1, 0.0));
}

#[test]
fn calls_are_counted_by_account_and_operation() {
    let own = ExporterMetrics::new(ProcessMetrics::Hidden);
    let metrics = own.call_metrics(&account("a"));
    own.call_metrics(&account("b"));
    metrics.started(OPERATION);
    metrics.started(OPERATION);
    metrics.retried(OPERATION);
    metrics.finished(
        OPERATION,
        Duration::from_millis(60),
        Some(Reason::Throttled),
    );
    let value = |name, labels: &[(&str, &str)]| value(&own, name, labels);
    let a = ("account", "a");
    assert_eq!(
        value("cs_exporter_api_requests_total", &[a, CALL]),
        Some(2.0)
    );
    assert_eq!(
        value("cs_exporter_api_requests_total", &[("account", "b"), CALL]),
        Some(0.0)
    );
    assert_eq!(
        value(
            "cs_exporter_api_requests_total",
            &[a, ("operation", "DescribeClusterTasks")]
        ),
        Some(0.0)
    );
    assert_eq!(
        value("cs_exporter_api_requests_in_flight", &[a, CALL]),
        Some(1.0)
    );
    assert_eq!(
        value("cs_exporter_api_retries_total", &[a, CALL]),
        Some(1.0)
    );
    assert_eq!(
        value(
            "cs_exporter_api_request_failures_total",
            &[a, CALL, ("reason", "throttled")]
        ),
        Some(1.0)
    );
    assert_eq!(
        value(
            "cs_exporter_api_request_failures_total",
            &[a, CALL, ("reason", "timeout")]
        ),
        Some(0.0)
    );
    assert_eq!(
        value(
            "cs_exporter_api_request_failures_total",
            &[a, CALL, ("reason", "rate_limited")]
        ),
        None
    );
    assert_eq!(
        value(
            "cs_exporter_api_request_duration_seconds_bucket",
            &[a, CALL, ("le", "0.05")]
        ),
        Some(0.0)
    );
    assert_eq!(
        value(
            "cs_exporter_api_request_duration_seconds_bucket",
            &[a, CALL, ("le", "0.1")]
        ),
        Some(1.0)
    );
    assert_eq!(
        value("cs_exporter_api_request_duration_seconds_sum", &[a, CALL]),
        Some(0.06)
    );
}

#[test]
fn series_of_an_account_continue_after_a_reload_and_end_when_it_is_removed() {
    let own = ExporterMetrics::new(ProcessMetrics::Hidden);
    let before = own.call_metrics(&account("a"));
    before.started(OPERATION);
    let after = own.call_metrics(&account("a"));
    after.started(OPERATION);
    before.finished(OPERATION, Duration::ZERO, None);
    assert_eq!(
        value(&own, "cs_exporter_api_requests_total", &[CALL]),
        Some(2.0)
    );
    assert_eq!(
        value(&own, "cs_exporter_api_requests_in_flight", &[CALL]),
        Some(1.0)
    );
    own.forget(&account("a"));
    after.finished(OPERATION, Duration::ZERO, None);
    assert!(
        read(&own)
            .families
            .iter()
            .all(|family| !family.name.starts_with("cs_exporter_api_"))
    );
}

#[test]
fn unknown_values_are_counted_by_field() {
    let own = ExporterMetrics::new(ProcessMetrics::Hidden);
    let metrics = own.call_metrics(&account("a"));
    metrics.unknown_value("upgrade_step", "sideways");
    metrics.unknown_value("upgrade_step", "sideways");
    assert_eq!(
        value(
            &own,
            "cs_exporter_unknown_values_total",
            &[("field", "upgrade_step")]
        ),
        Some(2.0)
    );
    assert_eq!(
        value(
            &own,
            "cs_exporter_unknown_values_total",
            &[("field", "status")]
        ),
        Some(0.0)
    );
}

#[test]
fn a_refused_reload_keeps_the_time_of_the_last_successful_one() {
    let own = ExporterMetrics::new(ProcessMetrics::Hidden);
    own.reload_succeeded(Timestamp::from_second(1_700_000_000).unwrap());
    own.reload_failed();
    assert_eq!(
        value(&own, "cs_exporter_config_last_reload_successful", &[]),
        Some(0.0)
    );
    assert_eq!(
        value(
            &own,
            "cs_exporter_config_last_reload_success_timestamp_seconds",
            &[]
        ),
        Some(1_700_000_000.0)
    );
}

#[test]
fn cached_and_coalesced_scrapes_are_counted_separately() {
    let own = ExporterMetrics::new(ProcessMetrics::Hidden);
    own.cached_scrape();
    own.coalesced_scrape();
    own.coalesced_scrape();
    assert_eq!(
        value(&own, "cs_exporter_cached_scrapes_total", &[]),
        Some(1.0)
    );
    assert_eq!(
        value(&own, "cs_exporter_coalesced_scrapes_total", &[]),
        Some(2.0)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_metrics_are_the_standard_set_unless_hidden() {
    let names = |own: &ExporterMetrics| -> Vec<String> {
        let families = read(own).families.into_iter().map(|family| family.name);
        families
            .filter(|name| {
                name.starts_with("process_") && name != "process_virtual_memory_max_bytes"
            })
            .collect()
    };
    assert_eq!(
        names(&ExporterMetrics::new(ProcessMetrics::Hidden)),
        Vec::<String>::new()
    );
    assert_eq!(
        names(&ExporterMetrics::new(ProcessMetrics::Shown)),
        [
            "process_cpu_seconds_total",
            "process_max_fds",
            "process_open_fds",
            "process_resident_memory_bytes",
            "process_start_time_seconds",
            "process_threads",
            "process_virtual_memory_bytes",
        ]
    );
}
