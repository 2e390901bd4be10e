//! The queries that the exporter makes of the API, one module for each thing that is asked.

pub mod upgrade;
