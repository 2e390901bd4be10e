//! A RAM role that is assumed with other credentials.

use super::Loaded;
use super::error::{Problem, ProviderName};
use super::loader::Loader;
use super::sts::{self, AssumeRole, Identity, ProfileKeys};
use crate::credentials::RamRoleArn;

pub(super) const NAME: &str = "ram_role_arn";

pub(super) async fn load(role: &RamRoleArn, loader: &Loader) -> Result<Loaded, Problem> {
    let context = loader.context();
    let source = loader
        .load_from(&role.source)
        .await
        .map_err(|error| Problem::Source(Box::new(error)))?;
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
