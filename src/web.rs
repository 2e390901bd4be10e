//! What clients see: the door they come in by.

pub mod auth;
pub mod config;
pub mod door;
pub mod headers;
pub mod limits;
pub mod socket;
pub mod tls;
