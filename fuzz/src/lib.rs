//! The fuzz targets. Each is a plain function of any bytes, so that `cargo test` can call it too.

#[path = "../../tests/support/exposition.rs"]
pub mod exposition;
// By path, as the tests have it.
#[path = "targets.rs"]
pub mod targets;
