//! `GetClusterCheck`: `GET /clusters/{ClusterId}/checks/{CheckId}`.

use super::check_items::Level;
use super::cluster_checks::{CheckFields, ClusterCheck};
use crate::budget::Budget;
use crate::client::{Call, Client};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::names::ClusterId;
use crate::operation::Operation;
use crate::response::{KnownKeys, ResponseObject};
use crate::sign::encode::percent_encode;
use crate::state_set::state_set;
use crate::status::Status;

/// A check and what it found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// The check, as a list describes it.
    pub check: ClusterCheck,
    /// The verdict.
    pub verdict: CheckVerdict,
}

state_set! {
    /// The verdict of a check, from the levels of its items.
    CheckVerdict {
        /// All items are normal.
        Passed = "passed",
        /// The worst item is a warning.
        Warning = "warning",
        /// An item is an error.
        Failed = "failed",
        /// The check has not succeeded as a task or has no items, or an item has a level that the
        /// API's reference does not list.
        Unknown = "unknown",
    }
}

impl ResponseObject for CheckFields {
    fn is_recognized(&self, _: KnownKeys) -> bool {
        // Status, type and message may be those of any system.
        self.check_id.value().is_some() || self.check_items.value().is_some()
    }
}

/// Reads the check with the ID `check` of `cluster`. Messages and targets of its items are skipped
/// while the response is read. Dropping the future cancels the call.
pub async fn get_cluster_check(
    client: &Client,
    endpoint: &Endpoint,
    cluster: &ClusterId,
    check: &str,
    budget: &Budget,
) -> Result<CheckResult, ApiError> {
    let mut path = format!("/clusters/{cluster}/checks/");
    percent_encode(&mut path, check);
    let call = Call::new(Operation::GetClusterCheck, endpoint, &path);
    let fields: CheckFields = client.call(&call, budget).await?;
    let mut report = client.unknown_values();
    let worst = fields
        .check_items
        .value()
        .and_then(|items| items.worst().cloned());
    let read = fields.into_check(&mut report);
    Ok(CheckResult {
        verdict: verdict(read.status, worst.as_ref()),
        check: ClusterCheck {
            id: check.to_owned(),
            ..read
        },
    })
}

/// The verdict of a check in `status` whose worst item has the level `worst`. The status says that
/// the check ran to its end, and the levels what it found.
fn verdict(status: Status, worst: Option<&Level>) -> CheckVerdict {
    match (worst, status) {
        (Some(Level::Error), _) => CheckVerdict::Failed,
        (Some(Level::Warning), Status::Success) => CheckVerdict::Warning,
        (Some(Level::Normal), Status::Success) => CheckVerdict::Passed,
        _ => CheckVerdict::Unknown,
    }
}

#[cfg(test)]
mod tests;
