//! The standard metrics `process_*`, on Linux only.
//!
//! They are read here because the `prometheus` crate cuts CPU time off to whole seconds.

use crate::exposition::{Kind, Metric, Page};

/// All of them, in the order of exposition.
pub static METRICS: &[&Metric] = &[
    &CPU,
    &MAX_FDS,
    &OPEN_FDS,
    &RESIDENT_MEMORY,
    &START_TIME,
    &THREADS,
    &VIRTUAL_MEMORY,
    &VIRTUAL_MEMORY_MAX,
];

static CPU: Metric = without_labels(
    "process_cpu_seconds_total",
    Kind::Counter,
    "Total user and system CPU time spent in seconds.",
);

static MAX_FDS: Metric = without_labels(
    "process_max_fds",
    Kind::Gauge,
    "Maximum number of open file descriptors.",
);

static OPEN_FDS: Metric = without_labels(
    "process_open_fds",
    Kind::Gauge,
    "Number of open file descriptors.",
);

static RESIDENT_MEMORY: Metric = without_labels(
    "process_resident_memory_bytes",
    Kind::Gauge,
    "Resident memory size in bytes.",
);

static START_TIME: Metric = without_labels(
    "process_start_time_seconds",
    Kind::Gauge,
    "Start time of the process since unix epoch in seconds.",
);

static THREADS: Metric = without_labels(
    "process_threads",
    Kind::Gauge,
    "Number of threads in the process.",
);

static VIRTUAL_MEMORY: Metric = without_labels(
    "process_virtual_memory_bytes",
    Kind::Gauge,
    "Virtual memory size in bytes.",
);

static VIRTUAL_MEMORY_MAX: Metric = without_labels(
    "process_virtual_memory_max_bytes",
    Kind::Gauge,
    "Maximum amount of virtual memory available in bytes; absent if there is no limit.",
);

const fn without_labels(name: &'static str, kind: Kind, help: &'static str) -> Metric {
    Metric {
        name,
        kind,
        labels: &[],
        help,
    }
}

/// The setting that shows or hides `process_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessMetrics {
    /// Exposed as far as the system provides them.
    Shown,
    /// Not exposed.
    Hidden,
}

/// Adds the metrics of this process. Those that the system does not provide are left out.
pub fn write(page: &mut Page) {
    let mut readings = readings();
    readings.sort_by_key(|(metric, _)| metric.name);
    for (metric, value) in readings {
        page.family(metric).sample().value(value);
    }
}

#[cfg(target_os = "linux")]
#[expect(
    clippy::cast_precision_loss,
    reason = "a sample is a double, as in every exporter"
)]
fn readings() -> Vec<(&'static Metric, f64)> {
    use procfs::process::LimitValue;

    let Ok(process) = procfs::process::Process::myself() else {
        return Vec::new();
    };
    let ticks = procfs::ticks_per_second() as f64;
    let mut readings = Vec::new();
    if let Ok(stat) = process.stat() {
        readings.push((&CPU, (stat.utime + stat.stime) as f64 / ticks));
        readings.push((&RESIDENT_MEMORY, (stat.rss * procfs::page_size()) as f64));
        readings.push((&VIRTUAL_MEMORY, stat.vsize as f64));
        readings.push((&THREADS, stat.num_threads as f64));
        if let Ok(boot) = procfs::boot_time_secs() {
            readings.push((&START_TIME, boot as f64 + stat.starttime as f64 / ticks));
        }
    }
    if let Ok(count) = process.fd_count() {
        readings.push((&OPEN_FDS, count as f64));
    }
    if let Ok(limits) = process.limits() {
        if let LimitValue::Value(most) = limits.max_open_files.soft_limit {
            readings.push((&MAX_FDS, most as f64));
        }
        if let LimitValue::Value(most) = limits.max_address_space.soft_limit {
            readings.push((&VIRTUAL_MEMORY_MAX, most as f64));
        }
    }
    readings
}

#[cfg(not(target_os = "linux"))]
fn readings() -> Vec<(&'static Metric, f64)> {
    Vec::new()
}
