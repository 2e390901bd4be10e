//! The running server over real sockets: routes, access control, hostile clients.

mod hostile;
pub mod http2;
mod negotiating;
mod reloading;
mod rotation;
mod server;
mod service_discovery;
mod unread;
