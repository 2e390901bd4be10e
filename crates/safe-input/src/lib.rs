//! Input from outside, made safe: files of a bounded size, and text that can be shown anywhere.
//!
//! Every file that a configuration, an environment variable or a flag names is read by
//! [`mod@file`]. Every text that this process did not write passes [`text`] before a person or a
//! program sees it.

pub mod file;
pub mod text;
