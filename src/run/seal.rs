//! The process's memory holds keys: it is kept from core files and from other processes.

/// From now on the system writes no core file of this process, and shows its memory and its
/// environment to nobody but root. A system that refuses is logged and lived with.
#[cfg(target_os = "linux")]
pub(super) fn seal() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};

    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "a core file of this process would hold its keys");
    }
}

/// From now on the system writes no core file of this process. A system that refuses is logged and
/// lived with.
#[cfg(not(target_os = "linux"))]
pub(super) fn seal() {
    if let Err(error) = rlimit::setrlimit(rlimit::Resource::CORE, 0, 0) {
        tracing::warn!(%error, "a core file of this process would hold its keys");
    }
}
