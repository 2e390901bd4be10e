//! The exporter against the embedded stand-in: hermetic, on ports of the system's choice, time paused where no socket is.

#[path = "../support/exposition.rs"]
mod exposition;

mod collecting;
mod fleet;
mod hostile;
mod sources;
