//! The catalogue of all metrics: a metric that is not declared here is on no page.
//!
//! The pages take names, types and HELP from here. A test checks README's table, the dashboards and
//! the rules against it.

use std::iter;

use exporter_toolkit::exposition::Metric;
use exporter_toolkit::process;

use super::declaration::catalogue;
use super::{queries, watched};

/// The subject of one series of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeriesScope {
    /// One cluster; the first label holds its ID, under the name that the operator chose.
    Cluster,
    /// A query beside those of the upgrades; the labels name its cluster, or its account and
    /// region.
    Query,
    /// One collection, and the accounts and regions that it went through.
    Collection,
    /// The work of this process since it started.
    Exporter,
    /// This process as the system sees it; can be switched off.
    Process,
    /// One `/probe`.
    Probe,
}

/// Every metric, in the order of exposition.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    groups().flat_map(|(_, metrics)| metrics).copied()
}

/// The metric called `name`.
pub fn find(name: &str) -> Option<&'static Metric> {
    all().find(|metric| metric.name == name)
}

/// Every metric by the subject of its series, in the order of exposition.
pub fn groups() -> impl Iterator<Item = (SeriesScope, &'static [&'static Metric])> {
    let clusters = iter::once(CLUSTER).chain(watched::groups());
    let others = [
        (SeriesScope::Query, queries::METRICS),
        (SeriesScope::Collection, COLLECTION),
        (SeriesScope::Exporter, EXPORTER),
        (SeriesScope::Process, process::METRICS),
        (SeriesScope::Probe, PROBE),
    ];
    clusters
        .map(|metrics| (SeriesScope::Cluster, metrics))
        .chain(others)
}

catalogue! {
    CLUSTER {
        UP = Gauge "cs_up" ["cluster"]
            "Whether the last query of the cluster's upgrade succeeded (1) or failed (0); absent \
                until the first query. While it is 1, the state may come from the cache, up to \
                scrape.max_age old: see cs_last_success_timestamp_seconds.";
        QUERY_FAILURE = Gauge "cs_query_failure" ["cluster", "reason"]
            "Why the last query of the cluster failed; always 1, present only while cs_up is 0.";
        QUERY_DURATION = Gauge "cs_query_duration_seconds" ["cluster"]
            "How long the last query of the cluster took in seconds, retries included.";
        LAST_SUCCESS = Gauge "cs_last_success_timestamp_seconds" ["cluster"]
            "Unix time of the last query of the cluster that succeeded; absent until the first.";
        UPGRADE_STATUS = Gauge "cs_upgrade_status" ["cluster", "status"]
            "Status of the cluster's upgrade: 1 for the one it is in, 0 for the others (left out \
                with metrics.state_sets: active); none if there never was an upgrade. Absent \
                while cs_up is 0.";
        UPGRADE_STEP = Gauge "cs_upgrade_step" ["cluster", "step"]
            "Step that the cluster's upgrade has reached: 1 for the one it is in, 0 for the \
                others (left out with metrics.state_sets: active). Absent while cs_up is 0.";
        UPGRADE_TASK_STATUS = Gauge "cs_upgrade_task_status" ["cluster", "status"]
            "Status of the task behind the cluster's upgrade: 1 for the one it is in, 0 for the \
                others (left out with metrics.state_sets: active); none if there is no task. \
                Absent while cs_up is 0.";
        UPGRADE_INFO = Info "cs_upgrade_info"
            ["cluster", "source", "precheck_report_id", "task_id", "target_version"]
            "Details of the cluster's upgrade and the source in use; always 1. Labels that the \
                source does not provide are empty.";
        UPGRADE_ERROR_INFO = Info "cs_upgrade_error_info" ["cluster", "message"]
            "Alibaba Cloud's error message about the cluster's upgrade, at most 256 characters of \
                it, with N for durations and counts, which would begin a series at every change; \
                always 1, present only while there is one.";
        UPGRADE_STATE_SINCE = Gauge "cs_upgrade_state_since_timestamp_seconds" ["cluster"]
            "Unix time at which this process first saw the present status and step. It starts \
                anew with the process, so the state has lasted at least this long.";
        UPGRADE_STARTED = Gauge "cs_upgrade_started_timestamp_seconds" ["cluster"]
            "Unix time at which the upgrade task was created, where the source provides it.";
        UPGRADE_UPDATED = Gauge "cs_upgrade_updated_timestamp_seconds" ["cluster"]
            "Unix time at which the upgrade task last changed, where the source provides it.";
        CLUSTER_INFO = Info "cs_cluster_info"
            ["cluster", "name", "account", "region", "type", "spec", "version", "next_version"]
            "Details of the cluster, and the labels that the configuration gives it; always 1. \
                Unknown values are empty.";
        CLUSTER_STATE = Gauge "cs_cluster_state" ["cluster", "state"]
            "State of the cluster in the account's cluster list: 1 for the one it is in, 0 for the \
                others (left out with metrics.state_sets: active); present only where the list is \
                read.";
    }
    COLLECTION {
        SCRAPE_DURATION = Gauge "cs_exporter_scrape_duration_seconds" []
            "How long the collection behind this page took in seconds; for a page from the cache, \
                how long it took at the time.";
        SCRAPE_BUDGET = Gauge "cs_exporter_scrape_budget_seconds" []
            "How long the collection behind this page was allowed to take in seconds: the time \
                until Prometheus gives up, less scrape.timeout_offset.";
        CLUSTERS = Gauge "cs_exporter_clusters" []
            "Clusters that this instance is responsible for.";
        SOURCE_INFO = Info "cs_exporter_source_info" ["account", "region", "source"]
            "The source of upgrade states in use for the account and region; always 1. The region \
                is empty where the configuration needs none.";
        DISCOVERY_SUCCESS = Gauge "cs_exporter_discovery_success" ["account", "region"]
            "Whether the last read of the account's cluster list succeeded (1) or not (0); \
                present only where discovery is configured.";
        DISCOVERED_CLUSTERS = Gauge "cs_exporter_discovered_clusters" ["account", "region"]
            "Clusters that the last successful read of the cluster list found and the \
                configuration selects, over all shards; present only where discovery is \
                configured.";
        CREDENTIALS_INFO = Info "cs_exporter_credentials_info" ["account", "provider"]
            "The provider that the account's credentials came from; always 1, absent until they \
                have been obtained once.";
        CREDENTIALS_EXPIRY = Gauge "cs_exporter_credentials_expiry_timestamp_seconds" ["account"]
            "Unix time at which the account's present credentials expire; absent if they do not. \
                They are refreshed before.";
        SHARD_ORDINAL = Gauge "cs_exporter_shard_ordinal" []
            "Ordinal of this instance's shard, counted from 0.";
        TOTAL_SHARDS = Gauge "cs_exporter_total_shards" []
            "Number of shards that the clusters are divided into; 1 without sharding.";
    }
    EXPORTER {
        API_REQUESTS = Counter "cs_exporter_api_requests_total" ["account", "operation"]
            "Requests sent to Alibaba Cloud, each retry counted.";
        API_REQUEST_FAILURES = Counter "cs_exporter_api_request_failures_total"
            ["account", "operation", "reason"]
            "Requests to Alibaba Cloud that failed, each retry counted; calls that the account's \
                own rate_limit holds back are not requests.";
        API_RETRIES = Counter "cs_exporter_api_retries_total" ["account", "operation"]
            "Requests to Alibaba Cloud that repeated a failed one.";
        API_REQUEST_DURATION = Histogram "cs_exporter_api_request_duration_seconds"
            ["account", "operation"]
            "How long each request to Alibaba Cloud took in seconds, failed ones included, \
                without the wait for the exporter's own limits.";
        API_REQUESTS_IN_FLIGHT = Gauge "cs_exporter_api_requests_in_flight" ["account", "operation"]
            "Requests to Alibaba Cloud that are under way.";
        CACHED_SCRAPES = Counter "cs_exporter_cached_scrapes_total" []
            "Scrapes served from the cache without a collection of their own, within \
             scrape.cache_ttl.";
        COALESCED_SCRAPES = Counter "cs_exporter_coalesced_scrapes_total" []
            "Scrapes that joined a collection which another scrape had begun.";
        UNKNOWN_VALUES = Counter "cs_exporter_unknown_values_total" ["field"]
            "Values in Alibaba Cloud's responses that its reference does not list: words are \
                exposed as unknown, fields of another type are left out; each is logged once.";
        CONFIG_LAST_RELOAD_SUCCESSFUL = Gauge "cs_exporter_config_last_reload_successful" []
            "Whether the last load of the configuration succeeded (1) or was refused (0); after a \
                refusal the previous one stays in use.";
        CONFIG_LAST_RELOAD_SUCCESS_TIMESTAMP = Gauge
            "cs_exporter_config_last_reload_success_timestamp_seconds" []
            "Unix time at which the configuration in use was loaded.";
        BUILD_INFO = Info "ack_upgrade_exporter_build_info" ["version", "revision", "rustversion"]
            "The program's version, the revision it was built from and the compiler's version; \
             always 1.";
    }
    PROBE {
        PROBE_SUCCESS = Gauge "probe_success" []
            "Whether the query of the probed cluster succeeded (1) or failed (0).";
        PROBE_DURATION = Gauge "probe_duration_seconds" []
            "How long the probe took in seconds.";
    }
}
