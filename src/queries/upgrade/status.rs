//! `GetUpgradeStatus`, the operation made for the state of an upgrade.

use ack_client::{ApiError, UpgradeStatusResponse, get_upgrade_status};
use futures_util::future::BoxFuture;

use super::{SourceRequest, UpgradeSource};
use crate::upgrade::{SourceName, UpgradeState};

/// Asks `GetUpgradeStatus`.
#[derive(Debug)]
pub struct UpgradeStatus;

impl UpgradeSource for UpgradeStatus {
    fn fetch<'a>(
        &'a self,
        request: SourceRequest<'a>,
    ) -> BoxFuture<'a, Result<UpgradeState, ApiError>> {
        Box::pin(async move {
            let SourceRequest {
                client,
                cluster,
                endpoint,
                budget,
                ..
            } = request;
            let response = get_upgrade_status(client, endpoint, cluster, budget).await?;
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
