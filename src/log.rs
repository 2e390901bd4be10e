//! The selection of events for the log.

use exporter_toolkit::log::{self, LogFormat, LogLevel};

/// The target of the events of single queries, which have the level debug.
pub(crate) const QUERY_TARGET: &str = "ack_upgrade_exporter::queries";

/// The condition under which single queries are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueryLog {
    /// At every level.
    Always,
    /// At the level debug only.
    AtDebug,
}

/// The crates of the program.
const CRATES: [&str; 3] = ["ack_upgrade_exporter", "ack_client", "ack_simulator"];

/// Starts the log of the program's events on standard error.
pub(crate) fn init(level: LogLevel, format: LogFormat, queries: QueryLog) {
    let always: &[&str] = match queries {
        QueryLog::Always => &[QUERY_TARGET],
        QueryLog::AtDebug => &[],
    };
    log::init(level, format, &CRATES, always);
}
