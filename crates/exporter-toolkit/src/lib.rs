//! The parts that every Prometheus exporter has, for exporters in Rust: a metrics page, a web
//! server with the web configuration file of the Prometheus family, `process_*` metrics, a log, and
//! configuration files that are read strictly.
//!
//! An exporter declares its metrics, and writes a page from its own data with each scrape. There is
//! no registry: a family is on the page if a sample was added to it.
//!
//! ```
//! use exporter_toolkit::exposition::{Format, Kind, Metric, Page};
//!
//! static TEMPERATURE: Metric = Metric {
//!     name: "room_temperature_celsius",
//!     kind: Kind::Gauge,
//!     labels: &["room"],
//!     help: "Temperature of the room.",
//! };
//!
//! let mut page = Page::with_capacity(Format::Text, 4096);
//! let mut family = page.family(&TEMPERATURE);
//! for (room, temperature) in [("kitchen", 21.5), ("cellar", 12.0)] {
//!     family.sample().label("room", room).value(temperature);
//! }
//! let page = page.finish();
//!
//! let lines: Vec<_> = std::str::from_utf8(&page)?.lines().collect();
//! assert_eq!(
//!     lines,
//!     [
//!         "# HELP room_temperature_celsius Temperature of the room.",
//!         "# TYPE room_temperature_celsius gauge",
//!         r#"room_temperature_celsius{room="kitchen"} 21.5"#,
//!         r#"room_temperature_celsius{room="cellar"} 12"#,
//!     ]
//! );
//! # Ok::<(), std::str::Utf8Error>(())
//! ```
//!
//! The modules:
//!
//! * [`exposition`]: metrics pages, in the Prometheus text format or OpenMetrics.
//! * [`process`]: the standard `process_*` metrics of a page.
//! * [`web`]: a server for the page over HTTP/1.1 and HTTP/2, with TLS, passwords, response headers
//!   and rate limits from a web configuration file, and the negotiation of format and compression.
//! * [`log`]: `tracing` events on standard error in logfmt or JSON. A reader of the log that stops
//!   holds up nothing else.
//! * [`yaml`]: configuration files with all mistakes reported at once, each with its path and line.
//! * [`pem`]: certificates of a PEM file.
//! * [`blocking`]: blocking work beside async code, with panics as errors.
//!
//! All of it runs on tokio.

pub mod blocking;
pub mod exposition;
pub mod log;
pub mod pem;
pub mod process;
pub mod web;
pub mod yaml;

/// The examples of the README, which are tested with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
