//! YAML files that people write: read strictly, with every mistake at once, each with its path and
//! line.

pub mod complaint;
pub mod document;
pub mod duration;
mod hint;
mod lines;
mod path;
mod problem;
mod strict;

pub use path::Path;
pub use problem::{Problem, Problems, reason};
