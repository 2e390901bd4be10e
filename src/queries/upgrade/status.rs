//! `GetUpgradeStatus`, the operation made for the state of an upgrade.

use std::sync::Arc;

use ack_client::{ApiError, Client, UpgradeStatusResponse, get_upgrade_status};
use futures_util::future::BoxFuture;

use super::{UpgradeQuery, UpgradeSource};
use crate::upgrade::{SourceName, UpgradeState};

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
    fn fetch<'a>(
        &'a self,
        query: UpgradeQuery<'a>,
    ) -> BoxFuture<'a, Result<UpgradeState, ApiError>> {
        Box::pin(async move {
            let UpgradeQuery {
                cluster,
                endpoint,
                budget,
                ..
            } = query;
            let response = get_upgrade_status(&self.client, endpoint, cluster, budget).await?;
            Ok(state(response))
        })
    }

    fn in_use(&self) -> Option<SourceName> {
        Some(SourceName::UpgradeStatus)
    }
}

fn state(response: UpgradeStatusResponse) -> UpgradeState {
    UpgradeState {
        status: response.status,
        step: response.step,
        task_status: response.task_status,
        error_message: response.error_message,
        precheck_report_id: response.precheck_report_id,
        ..UpgradeState::never(SourceName::UpgradeStatus)
    }
}
