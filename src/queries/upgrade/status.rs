//! `GetUpgradeStatus`, the operation made for the state of an upgrade.

use ack_client::names::ClusterId;
use ack_client::{ApiError, UpgradeStatusResponse, get_upgrade_status};

use crate::queries::FetchContext;
use crate::upgrade::{SourceName, UpgradeState};

/// Asks `GetUpgradeStatus` about `cluster`.
pub(super) async fn fetch(
    cluster: &ClusterId,
    context: FetchContext<'_>,
) -> Result<UpgradeState, ApiError> {
    let response =
        get_upgrade_status(context.client, context.endpoint, cluster, context.budget).await?;
    Ok(state(response))
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
