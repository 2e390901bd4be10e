//! The running server over real sockets: what it serves, whom it lets in, and what it puts up with.

mod discovering;
mod hostile;
mod http2;
mod negotiating;
mod reloading;
mod site;
mod swapping;
