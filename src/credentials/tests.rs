//! Every provider against recorded worlds, the network against sockets.

mod cases;
mod network;
