//! The exit codes that scripts may rely on.

use std::process::ExitCode;

/// Success, or a shutdown that was asked for.
pub const OK: ExitCode = ExitCode::SUCCESS;

/// A failure while running.
pub fn runtime() -> ExitCode {
    ExitCode::from(1)
}

/// An upgrade failed or was canceled, with `--wait` or `--fail-on=failed`.
pub fn failed_upgrade() -> ExitCode {
    ExitCode::from(3)
}

/// A cluster or a list could not be read.
pub fn not_queried() -> ExitCode {
    ExitCode::from(4)
}

/// Upgrades are still running at the end of `--timeout`.
pub fn timed_out() -> ExitCode {
    ExitCode::from(5)
}

/// The command line or the configuration is wrong.
pub fn usage() -> ExitCode {
    ExitCode::from(2)
}
