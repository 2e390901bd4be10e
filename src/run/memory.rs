//! Protection of the process's memory, which holds keys.

/// Excludes the process from core dumps, and its memory and environment from all users but root. A
/// failure is logged.
#[cfg(target_os = "linux")]
pub(super) fn protect() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};

    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "cannot disable core dumps; a core file would contain keys");
    }
}

/// Excludes the process from core dumps. A failure is logged.
#[cfg(not(target_os = "linux"))]
pub(super) fn protect() {
    if let Err(error) = rlimit::setrlimit(rlimit::Resource::CORE, 0, 0) {
        tracing::warn!(%error, "cannot disable core dumps; a core file would contain keys");
    }
}
