//! The exporter's own instruments: the work of this process since it started.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ack_client::names::AccountName;
use ack_client::{self, CallMetrics, Operation, Reason};
use exporter_toolkit::exposition::{Metric, Page};
use exporter_toolkit::process::{self, ProcessMetrics};
use jiff::Timestamp;
use prometheus::core::Collector;
use prometheus::proto::MetricType;
use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry,
};

use super::catalog;
use super::unknown::UnknownLog;
use crate::collect::ScrapeMetrics;

/// The upper bounds of the buckets, in seconds.
// A call takes tens of milliseconds within Alibaba Cloud, a second across continents, and the whole
// budget when it hangs.
const DURATION_BUCKETS: [f64; 11] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The instruments of a process, in a registry of their own. Clones share them.
#[derive(Debug, Clone)]
pub struct ExporterMetrics {
    instruments: Arc<Instruments>,
    process: ProcessMetrics,
}

#[derive(Debug)]
struct Instruments {
    registry: Registry,
    requests: IntCounterVec,
    failures: IntCounterVec,
    retries: IntCounterVec,
    durations: HistogramVec,
    in_flight: IntGaugeVec,
    cached_scrapes: IntCounter,
    coalesced_scrapes: IntCounter,
    unknown_values: IntCounterVec,
    unknown_log: UnknownLog,
    reload_successful: IntGauge,
    reload_success_timestamp: Gauge,
}

/// Counts the calls of one account.
#[derive(Debug)]
struct AccountCallMetrics {
    account: AccountName,
    instruments: Arc<Instruments>,
    /// The series of every operation.
    operations: BTreeMap<Operation, Handles>,
}

/// The series of one account and operation.
#[derive(Debug)]
struct Handles {
    requests: IntCounter,
    failures: Vec<(Reason, IntCounter)>,
    retries: IntCounter,
    duration: Histogram,
    in_flight: IntGauge,
}

// === impl ExporterMetrics ===

impl ExporterMetrics {
    /// Returns instruments at 0, with no configuration loaded.
    pub fn new(process: ProcessMetrics) -> Self {
        Self {
            instruments: Arc::new(Instruments::new()),
            process,
        }
    }

    /// Removes the series of `account`, when a new configuration no longer has it.
    pub fn forget(&self, account: &AccountName) {
        self.instruments.forget(account);
    }

    /// Records that a configuration was loaded at `time` and is in use.
    pub fn reload_succeeded(&self, time: Timestamp) {
        self.instruments.reload_successful.set(1);
        self.instruments.reload_success_timestamp.set(
            Duration::try_from(time.as_duration())
                .unwrap_or_default()
                .as_secs_f64(),
        );
    }

    /// Records that a configuration was refused.
    pub fn reload_failed(&self) {
        self.instruments.reload_successful.set(0);
    }

    /// Adds every family of [`SeriesScope::Exporter`](catalog::SeriesScope::Exporter) and, unless
    /// they are hidden, of [`SeriesScope::Process`](catalog::SeriesScope::Process).
    pub fn write(&self, page: &mut Page) {
        for family in self.instruments.registry.gather() {
            // Every instrument is registered from the catalogue.
            if let Some(metric) = catalog::find(family.name()) {
                write_family(page, metric, &family);
            }
        }
        if self.process == ProcessMetrics::Shown {
            process::write(page);
        }
    }
}

impl ScrapeMetrics for ExporterMetrics {
    // The series of every operation exist from now on. One that exists already continues.
    fn call_metrics(&self, account: &AccountName) -> Arc<dyn CallMetrics> {
        Arc::new(AccountCallMetrics {
            account: account.clone(),
            instruments: Arc::clone(&self.instruments),
            operations: Operation::ALL
                .iter()
                .map(|operation| (*operation, self.instruments.handles(account, *operation)))
                .collect(),
        })
    }

    fn cached_scrape(&self) {
        self.instruments.cached_scrapes.inc();
    }

    fn coalesced_scrape(&self) {
        self.instruments.coalesced_scrapes.inc();
    }
}

/// Adds a family that the prometheus crate has gathered, which is ordered and without duplicates.
fn write_family(
    page: &mut Page,
    metric: &'static Metric,
    gathered: &prometheus::proto::MetricFamily,
) {
    let mut family = page.family(metric);
    for series in gathered.get_metric() {
        let labels = || {
            series
                .get_label()
                .iter()
                .map(|pair| (pair.name(), pair.value()))
        };
        match gathered.get_field_type() {
            MetricType::COUNTER => family
                .sample()
                .labels(labels())
                .value(series.get_counter().get_value()),
            MetricType::GAUGE => family
                .sample()
                .labels(labels())
                .value(series.get_gauge().get_value()),
            MetricType::HISTOGRAM => {
                let histogram = series.get_histogram();
                let buckets = histogram
                    .get_bucket()
                    .iter()
                    .map(|bucket| (bucket.upper_bound(), bucket.cumulative_count()));
                family.histogram(
                    labels,
                    buckets,
                    histogram.get_sample_sum(),
                    histogram.get_sample_count(),
                );
            }
            MetricType::SUMMARY | MetricType::UNTYPED => {}
        }
    }
}

// === impl Instruments ===

impl Instruments {
    fn new() -> Self {
        let registry = Registry::new();
        let instruments = Self {
            requests: counters(&registry, &catalog::API_REQUESTS),
            failures: counters(&registry, &catalog::API_REQUEST_FAILURES),
            retries: counters(&registry, &catalog::API_RETRIES),
            durations: register(
                &registry,
                HistogramVec::new(
                    HistogramOpts::from(options(&catalog::API_REQUEST_DURATION))
                        .buckets(DURATION_BUCKETS.to_vec()),
                    catalog::API_REQUEST_DURATION.labels,
                ),
            ),
            in_flight: gauges(&registry, &catalog::API_REQUESTS_IN_FLIGHT),
            cached_scrapes: register(
                &registry,
                IntCounter::with_opts(options(&catalog::CACHED_SCRAPES)),
            ),
            coalesced_scrapes: register(
                &registry,
                IntCounter::with_opts(options(&catalog::COALESCED_SCRAPES)),
            ),
            unknown_values: counters(&registry, &catalog::UNKNOWN_VALUES),
            unknown_log: UnknownLog::default(),
            reload_successful: register(
                &registry,
                IntGauge::with_opts(options(&catalog::CONFIG_LAST_RELOAD_SUCCESSFUL)),
            ),
            reload_success_timestamp: register(
                &registry,
                Gauge::with_opts(options(&catalog::CONFIG_LAST_RELOAD_SUCCESS_TIMESTAMP)),
            ),
            registry,
        };
        for field in ack_client::fields() {
            instruments.unknown_values.with_label_values(&[field]);
        }
        gauges(&instruments.registry, &catalog::BUILD_INFO)
            .with_label_values(&[
                env!("CARGO_PKG_VERSION"),
                env!("BUILD_REVISION"),
                env!("BUILD_RUSTVERSION"),
            ])
            .set(1);
        instruments
    }

    fn handles(&self, account: &AccountName, operation: Operation) -> Handles {
        let labels = [account.as_str(), operation.as_str()];
        // Calls that the account's own limit holds back are never sent, so no request fails for
        // this reason. A series at 0 for ever would suggest that the limit is never reached.
        let reasons = Reason::ALL
            .iter()
            .filter(|reason| **reason != Reason::RateLimited);
        let failures = |reason: Reason| {
            self.failures
                .with_label_values(&[labels[0], labels[1], reason.as_str()])
        };
        Handles {
            requests: self.requests.with_label_values(&labels),
            failures: reasons.map(|reason| (*reason, failures(*reason))).collect(),
            retries: self.retries.with_label_values(&labels),
            duration: self.durations.with_label_values(&labels),
            in_flight: self.in_flight.with_label_values(&labels),
        }
    }

    fn forget(&self, account: &AccountName) {
        // An error means that there is no such series, which is the aim.
        for operation in Operation::ALL {
            let labels = [account.as_str(), operation.as_str()];
            let _ = self.requests.remove_label_values(&labels);
            let _ = self.retries.remove_label_values(&labels);
            let _ = self.durations.remove_label_values(&labels);
            let _ = self.in_flight.remove_label_values(&labels);
            for reason in Reason::ALL {
                let _ = self
                    .failures
                    .remove_label_values(&[labels[0], labels[1], reason.as_str()]);
            }
        }
    }
}

fn options(metric: &Metric) -> Opts {
    Opts::new(metric.name, metric.help)
}

fn counters(registry: &Registry, metric: &Metric) -> IntCounterVec {
    register(registry, IntCounterVec::new(options(metric), metric.labels))
}

fn gauges(registry: &Registry, metric: &Metric) -> IntGaugeVec {
    register(registry, IntGaugeVec::new(options(metric), metric.labels))
}

fn register<C: Collector + Clone + 'static>(
    registry: &Registry,
    instrument: prometheus::Result<C>,
) -> C {
    let instrument = instrument.expect("the catalogue's names are legal");
    registry
        .register(Box::new(instrument.clone()))
        .expect("the catalogue's names are distinct");
    instrument
}

// === impl AccountCallMetrics ===

impl CallMetrics for AccountCallMetrics {
    fn started(&self, operation: Operation) {
        let handles = &self.operations[&operation];
        handles.requests.inc();
        handles.in_flight.inc();
    }

    fn finished(&self, operation: Operation, elapsed: Duration, failure: Option<Reason>) {
        let handles = &self.operations[&operation];
        handles.in_flight.dec();
        handles.duration.observe(elapsed.as_secs_f64());
        if let Some((_, failures)) = handles
            .failures
            .iter()
            .find(|(reason, _)| Some(*reason) == failure)
        {
            failures.inc();
        }
    }

    fn retried(&self, operation: Operation) {
        self.operations[&operation].retries.inc();
    }

    fn unknown_value(&self, field: &'static str, value: &str) {
        self.instruments
            .unknown_values
            .with_label_values(&[field])
            .inc();
        self.instruments
            .unknown_log
            .log(&self.account, field, value);
    }
}
