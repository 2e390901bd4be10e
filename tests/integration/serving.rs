//! The running server over real sockets: what it serves, whom it lets in, and what it puts up with.

mod hostile;
mod http2;
mod negotiating;
mod reloading;
mod rotation;
mod server;
mod service_discovery;
