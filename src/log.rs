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

/// The targets of events about clusters and lists that cannot be read, and about credentials, which
/// are the cause. `status` and `explain` report them themselves.
pub(crate) const UNREAD_TARGETS: [&str; 3] = [
    "ack_upgrade_exporter::collect::account::query",
    "ack_upgrade_exporter::collect::region_list",
    "ack_client::credentials::cached",
];

/// Starts the log of the program's events on standard error. Of the targets `quiet` only errors are
/// logged.
pub(crate) fn init(level: LogLevel, format: LogFormat, queries: QueryLog, quiet: &[&str]) {
    let mut targets: Vec<_> = quiet.iter().map(|name| (*name, LogLevel::Error)).collect();
    if queries == QueryLog::Always {
        targets.push((QUERY_TARGET, LogLevel::Debug));
    }
    log::init(level, format, &CRATES, &targets);
}
