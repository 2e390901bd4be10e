//! Input from outside, made safe: files of a bounded size, text that can be shown anywhere, secrets
//! that cannot be shown at all, and the system's certificate authorities.
//!
//! Every file that a configuration, an environment variable or a flag names is read by
//! [`mod@file`]. Every text that this process did not write passes [`text`] before a person or a
//! program sees it.

pub mod authorities;
pub mod file;
pub mod secret;
pub mod text;
