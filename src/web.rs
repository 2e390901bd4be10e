//! The web server: routes, and what stands between them and the clients.

pub mod encode;
pub mod negotiate;
