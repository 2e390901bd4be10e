//! The exporter with the simulator: without a network, on ports that the system chooses, with
//! paused time where no socket is involved.

#![expect(
    unreachable_pub,
    reason = "the modules of a test are read like those of a crate"
)]

#[path = "../support/certificates.rs"]
mod certificates;
#[path = "../support/exposition.rs"]
mod exposition;
#[path = "../support/log.rs"]
mod log;
#[path = "../support/markdown.rs"]
mod markdown;
#[path = "../support/process.rs"]
mod process;
#[path = "../../fuzz/src/targets.rs"]
mod targets;

mod authentication;
mod authorities;
mod broken_http;
mod checking;
mod client;
mod collecting;
mod credential_cases;
#[cfg(feature = "demo")]
mod demo;
mod discovery;
mod exhaustion;
mod fault_matrix;
mod fleet;
mod hostile;
mod inputs;
mod limits;
mod logging;
#[cfg(feature = "demo")]
mod manual;
mod mistakes;
mod outage;
mod permissions;
mod probing;
mod readme;
mod reloading;
mod responses;
mod secrets;
mod serving;
mod signals;
mod simulated_api;
mod simulation;
mod sources;
mod starting;
mod supply_chain;
mod terminal;
mod troubleshooting;
mod watching;
mod whole_fleet;
