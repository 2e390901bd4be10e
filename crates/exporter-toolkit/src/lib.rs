//! What every exporter of the Prometheus family has.

pub mod apart;
pub mod exposition;
pub mod log;
pub mod pem;
pub mod process;
pub mod web;
pub mod yaml;
