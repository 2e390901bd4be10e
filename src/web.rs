//! The pages that the web server serves.
//!
//! `routes` is the table of the paths; the server itself is in
//! [`exporter_toolkit`].

#[cfg(test)]
mod fixture;
pub mod json;
mod lifecycle;
mod pages;
mod paths;
mod probe;
mod routes;
pub mod sd;
pub mod status_page;

pub use lifecycle::{Lifecycle, NotReloaded};
pub use pages::Pages;
pub use paths::Paths;
pub use routes::AppState;
