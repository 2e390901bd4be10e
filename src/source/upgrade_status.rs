//! The operation made for it, wherever it is still served.

use std::sync::Arc;

use super::{Question, Reading, UpgradeSource};
use crate::api::{Client, get_upgrade_status};
use crate::upgrade::SourceName;

/// Asks `GetUpgradeStatus`.
#[derive(Debug)]
pub struct UpgradeStatus {
    client: Arc<Client>,
}

impl UpgradeStatus {
    /// A source that asks through `client`.
    pub fn new(client: Arc<Client>) -> Self {
        Self { client }
    }
}

impl UpgradeSource for UpgradeStatus {
    fn read<'a>(&'a self, question: Question<'a>) -> Reading<'a> {
        Box::pin(get_upgrade_status(
            &self.client,
            question.endpoint,
            question.cluster,
            question.budget,
        ))
    }

    fn in_use(&self) -> Option<SourceName> {
        Some(SourceName::UpgradeStatus)
    }
}
