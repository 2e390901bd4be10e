//! A RAM role that is assumed with other credentials.

use super::Loaded;
use super::context::Context;
use super::error::{Problem, ProviderName};
use super::sts::{self, AssumeRole, Identity, ProfileKeys};
use crate::credentials::RamRoleArn;

pub(super) const NAME: &str = "ram_role_arn";

/// Assumes `role` with the credentials of `source`.
pub(super) async fn load(
    role: &RamRoleArn,
    source: Loaded,
    context: &Context,
) -> Result<Loaded, Problem> {
    let endpoint = sts::endpoint(
        role.sts_endpoint.as_ref(),
        ProfileKeys::default(),
        &context.environment,
    )
    .map_err(Problem::Malformed)?;
    let identity = Identity::Credential {
        credential: &source.credential,
        external_id: role.external_id.as_deref(),
    };
    let request = AssumeRole {
        endpoint: &endpoint,
        role_arn: &role.role_arn,
        session: &role.session,
        identity,
    };
    let credential = sts::assume(context, &request).await?;
    Ok(Loaded {
        credential,
        provider: ProviderName::new(&format!("{NAME} via {}", source.provider)),
        check_again: None,
    })
}
