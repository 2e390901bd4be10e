//! A simulator of Alibaba Cloud's container service (CS 2015-12-15), for demonstrations and tests.

mod action;
mod api;
mod auth;
mod call_log;
mod error_response;
mod faults;
mod handler;
mod history;
mod identity;
mod in_process;
mod options;
mod random;
mod request;
mod response;
mod retirement;
mod routes;
mod server;
mod simulator;
mod world;
mod xml;

pub use self::action::Action;
pub use self::auth::keys::KeyPair;
pub use self::call_log::LoggedCall;
pub use self::faults::{ErrorBody, Fault, InvalidRule, RepeatIn, Rule, parse_rules};
pub use self::identity::{Identities, MetadataVersions};
pub use self::in_process::InProcess;
pub use self::options::Options;
pub use self::response::{Delivery, Framing, Response};
pub use self::retirement::RetiredResponse;
pub use self::simulator::Simulator;
pub use self::world::phase::{Phase, UpgradeStage};
pub use self::world::{TaskLists, Transition, UpgradingClusters, World};

#[cfg(test)]
mod tests;
