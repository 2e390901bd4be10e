//! The web server: routes, and what stands between them and the clients.
//!
//! [`Server`] holds the sockets and the connections; [`door`] decides who comes in; [`routes`] is
//! the table of what each path answers.

pub mod auth;
pub mod config;
pub mod door;
pub mod encode;
#[cfg(test)]
mod fixture;
pub mod headers;
pub mod json;
mod lifecycle;
pub mod limits;
pub mod negotiate;
pub mod paths;
mod probe;
pub mod routes;
pub mod sd;
mod server;
pub mod socket;
pub mod status_page;
pub mod tls;
mod writers;

pub use lifecycle::{Lifecycle, NotReloaded};
pub use paths::Paths;
pub use routes::Site;
pub use server::{Limits, Patience, Server, connections};
pub use writers::Writers;
