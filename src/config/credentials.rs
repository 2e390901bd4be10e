//! The `credentials` mapping, read into the client's own types.

mod raw;
mod reader;
#[cfg(test)]
mod schema;

pub(super) use reader::read;

#[cfg(test)]
mod tests;
