//! Which events are logged.

use exporter_toolkit::log::{self, LogFormat, LogLevel};

/// The target of the events that tell of one query each, at the level of debugging.
pub const QUERIES: &str = "ack_upgrade_exporter::queries";

/// Whether each query is logged whatever the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queries {
    /// It is.
    Logged,
    /// Only where everything is.
    AsTheLevelSays,
}

/// The crates whose events are the program's own.
const CRATES: [&str; 3] = ["ack_upgrade_exporter", "ack_client", "ack_simulator"];

/// Sends the program's events to standard error.
pub fn init(level: LogLevel, format: LogFormat, queries: Queries) {
    let always: &[&str] = match queries {
        Queries::Logged => &[QUERIES],
        Queries::AsTheLevelSays => &[],
    };
    log::init(level, format, &CRATES, always);
}
