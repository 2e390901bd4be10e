//! Input from outside, made safe: files of a bounded size, text that can be shown anywhere, secrets
//! that cannot be shown at all, and the system's certificate authorities.
//!
//! Every file that a configuration, an environment variable or a flag names is read by
//! [`mod@file`]. Every text that this process did not write passes [`text`] before a person or a
//! program sees it.

/// The target of this crate's log events, for a filter of levels.
pub const LOG_TARGET: &str = env!("CARGO_CRATE_NAME");

pub mod authorities;
pub mod file;
pub mod secret;
pub mod text;
