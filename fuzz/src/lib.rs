//! What is fuzzed. Each target is a plain function that takes any bytes, so that `cargo test` can
//! feed it too.

#[path = "../../tests/support/exposition.rs"]
pub mod exposition;
// By path, as the tests have it.
#[path = "targets.rs"]
pub mod targets;
