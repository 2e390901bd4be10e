//! What every exporter of the Prometheus family has.

pub mod apart;
pub mod pem;
pub mod yaml;
