//! A web server as every exporter of the Prometheus family has it: its configuration file, and what
//! stands between its routes and the clients.
//!
//! [`Server`] holds the sockets and the connections; [`door`] decides who comes in; what each path
//! answers is up to an [`Application`].

pub mod auth;
pub mod config;
pub mod door;
pub mod encode;
pub mod headers;
pub mod limits;
pub mod negotiate;
mod server;
pub mod socket;
pub mod tls;
mod writers;

pub use server::{Application, Limits, Patience, Server, connections, draining};
pub use writers::Writers;
