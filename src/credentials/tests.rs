//! The network against sockets.

mod network;
