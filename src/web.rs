//! The pages that the web server serves.
//!
//! `routes` is the table of the paths; the server itself is in
//! [`exporter_toolkit`].

#[cfg(test)]
mod fixture;
pub mod json;
mod lifecycle;
mod paths;
mod probe;
mod routes;
pub mod sd;
mod shared_pages;
pub mod status_page;

pub use lifecycle::{Lifecycle, NotReloaded};
pub use paths::Paths;
pub use routes::AppState;
pub use shared_pages::SharedPages;
