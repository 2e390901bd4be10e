//! The web server: routes, and what stands between them and the clients.
//!
//! [`Server`] holds the sockets and the connections; [`routes`] is the table of what each path answers.

pub mod encode;
mod landing;
pub mod negotiate;
pub mod routes;
mod server;

pub use routes::{Paths, Site};
pub use server::{BindError, Server};
