//! The cache on a paused clock, and the network client with sockets as the server.

mod cached;
mod network;
