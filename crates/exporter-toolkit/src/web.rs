//! The web server of an exporter of the Prometheus family: its configuration file, TLS,
//! authentication, limits and connections.
//!
//! [`Server`] holds the sockets and the connections, [`guard`] decides which requests pass, and the
//! routes are those of an [`Application`].

pub mod auth;
pub mod config;
pub mod encode;
pub mod guard;
pub mod headers;
pub mod negotiate;
pub mod rate_limit;
mod rejection;
mod render_pool;
mod server;
pub mod socket;
pub mod tls;

pub use render_pool::RenderPool;
pub use server::{Application, Limits, Server, Timeouts, connections, draining};
