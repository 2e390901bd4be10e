//! Every provider against recorded worlds, the cache against paused time, the network against
//! sockets.

mod cached;
mod network;
