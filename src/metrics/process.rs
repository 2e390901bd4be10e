//! `process_*`: the standard set, as Linux tells it; absent elsewhere.
//!
//! Read here rather than by the prometheus crate, whose CPU time moves in whole seconds only.

use super::catalog::Metric;
use super::page::Page;

/// Whether `process_*` is exposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessMetrics {
    /// As far as the system tells.
    Shown,
    /// Not at all.
    Hidden,
}

/// Adds what is known of this process.
pub fn write(page: &mut Page) {
    let mut readings = readings();
    readings.sort_by_key(|(metric, _)| metric.name);
    for (metric, value) in readings {
        page.family(metric).sample().value(value);
    }
}

/// What the system does not tell is left out.
#[cfg(target_os = "linux")]
#[expect(
    clippy::cast_precision_loss,
    reason = "a sample is a double, as in every exporter"
)]
fn readings() -> Vec<(&'static Metric, f64)> {
    use super::catalog;
    use procfs::process::LimitValue;

    let Ok(process) = procfs::process::Process::myself() else {
        return Vec::new();
    };
    let ticks = procfs::ticks_per_second() as f64;
    let mut readings = Vec::new();
    if let Ok(stat) = process.stat() {
        readings.push((
            &catalog::PROCESS_CPU,
            (stat.utime + stat.stime) as f64 / ticks,
        ));
        readings.push((
            &catalog::PROCESS_RESIDENT_MEMORY,
            (stat.rss * procfs::page_size()) as f64,
        ));
        readings.push((&catalog::PROCESS_VIRTUAL_MEMORY, stat.vsize as f64));
        readings.push((&catalog::PROCESS_THREADS, stat.num_threads as f64));
        if let Ok(boot) = procfs::boot_time_secs() {
            readings.push((
                &catalog::PROCESS_START_TIME,
                boot as f64 + stat.starttime as f64 / ticks,
            ));
        }
    }
    if let Ok(count) = process.fd_count() {
        readings.push((&catalog::PROCESS_OPEN_FDS, count as f64));
    }
    if let Ok(limits) = process.limits() {
        if let LimitValue::Value(most) = limits.max_open_files.soft_limit {
            readings.push((&catalog::PROCESS_MAX_FDS, most as f64));
        }
        if let LimitValue::Value(most) = limits.max_address_space.soft_limit {
            readings.push((&catalog::PROCESS_VIRTUAL_MEMORY_MAX, most as f64));
        }
    }
    readings
}

#[cfg(not(target_os = "linux"))]
fn readings() -> Vec<(&'static Metric, f64)> {
    Vec::new()
}
