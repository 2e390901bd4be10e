//! The exporter against the embedded stand-in: hermetic, on ports of the system's choice, time paused where no socket is.

#![expect(unreachable_pub, reason = "the modules of a test are read like those of a crate")]

#[path = "../support/exposition.rs"]
mod exposition;
#[path = "../../fuzz/src/targets.rs"]
mod targets;

mod child;
mod collecting;
mod finding;
mod fleet;
mod hostile;
mod inputs;
mod logging_in;
mod matrix;
mod outage;
mod secrets;
mod sources;
mod starved;
mod supply_chain;
mod wire;
