//! The web server: routes, and what stands between them and the clients.

pub mod encode;
#[cfg(test)]
mod fixture;
pub mod json;
pub mod landing;
pub mod negotiate;
pub mod paths;
pub mod sd;
