//! YAML files that people write: read strictly, with every mistake at once, each with its path and
//! line.

pub mod document;
pub mod duration;
mod hint;
mod lines;
mod problem;
mod strict;

pub use problem::{Path, Problem, Problems, reason};
