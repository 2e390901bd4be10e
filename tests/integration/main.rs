//! The exporter against the embedded stand-in: hermetic, on ports of the system's choice, time paused where no socket is.

#![expect(unreachable_pub, reason = "the modules of a test are read like those of a crate")]

#[path = "../support/certificates.rs"]
mod certificates;
#[path = "../support/exposition.rs"]
mod exposition;
#[path = "../support/process.rs"]
mod process;

mod authorities;
mod collecting;
mod finding;
mod fleet;
mod hostile;
mod logging_in;
mod reloading;
mod serving;
mod signals;
mod sources;
mod starting;
mod terminal;
mod vendor;
