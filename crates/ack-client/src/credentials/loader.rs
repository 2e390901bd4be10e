//! Loading credentials by the configured provider.

use std::pin::Pin;
use std::sync::OnceLock;

use super::chain::{self, Link};
use super::context::Context;
use super::error::{CredentialsError, Problem};
use super::profile::cli;
use super::{Loaded, access_key, assume_role, ecs_role, oidc, uri};
use crate::credentials::Provider;

/// Loads credentials, without a cache.
#[derive(Debug)]
pub struct Loader {
    provider: Provider,
    context: Context,
    /// The first link of the default chain that has worked. There is one chain at most, since a
    /// chain has no source.
    working_link: OnceLock<Link>,
}

impl Loader {
    /// A loader of the credentials of `provider`.
    pub fn new(provider: Provider, context: Context) -> Self {
        Self {
            provider,
            context,
            working_link: OnceLock::new(),
        }
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn working_link(&self) -> &OnceLock<Link> {
        &self.working_link
    }

    /// Loads the credentials. An error says which provider failed, and why.
    pub async fn load(&self) -> Result<Loaded, CredentialsError> {
        self.load_from(&self.provider).await
    }

    /// Loads credentials from `provider`, which may be a source of another one. The future is
    /// boxed, since sources nest.
    pub(super) fn load_from<'a>(
        &'a self,
        provider: &'a Provider,
    ) -> Pin<Box<dyn Future<Output = Result<Loaded, CredentialsError>> + Send + 'a>> {
        let context = &self.context;
        Box::pin(async move {
            let loaded = match provider {
                Provider::Default(default) => chain::load(default, self).await,
                Provider::AccessKey {
                    access_key_id,
                    access_key_secret,
                    security_token,
                } => {
                    let loaded = access_key::load(
                        access_key_id,
                        access_key_secret,
                        security_token.as_ref(),
                        context,
                    )
                    .await;
                    loaded.map_err(|problem| problem.of(access_key::NAME))
                }
                Provider::RamRoleArn(role) => assume_role::load(role, self)
                    .await
                    .map_err(|problem| problem.of(assume_role::NAME)),
                Provider::OidcRoleArn(role) => oidc::load(role, context)
                    .await
                    .map_err(|problem| problem.of(oidc::NAME)),
                Provider::EcsRamRole(role) => ecs_role::load(role, context)
                    .await
                    .map_err(|problem| problem.of(ecs_role::NAME)),
                Provider::CredentialsUri(uri) => uri::load(uri, context)
                    .await
                    .map_err(|problem| problem.of(uri::NAME)),
                Provider::Profile(profile) => cli::load(profile, self).await,
            }?;
            match loaded.credential.expires_at {
                Some(expiry) if !loaded.credential.is_valid_at(context.clock.now()) => {
                    Err(Problem::Expired(expiry).of(loaded.provider.as_str()))
                }
                _ => Ok(loaded),
            }
        })
    }
}
