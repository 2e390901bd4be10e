//! From the way to log in, as configured, to credentials.

use std::pin::Pin;
use std::sync::OnceLock;

use super::chain::{self, Link};
use super::context::Context;
use super::error::{CredentialsError, Problem};
use super::{Loaded, assume_role, ecs_role, file, oidc, profile, uri};
use crate::credentials::Provider;

/// Fetches credentials anew each time.
#[derive(Debug)]
pub struct Loader {
    method: Provider,
    context: Context,
    /// The link of the default chain that was the first to succeed. There is one chain at most: it
    /// is always the last source.
    pinned: OnceLock<Link>,
}

impl Loader {
    /// A loader by `method`.
    pub fn new(method: Provider, context: Context) -> Self {
        Self {
            method,
            context,
            pinned: OnceLock::new(),
        }
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn pinned(&self) -> &OnceLock<Link> {
        &self.pinned
    }

    /// Fetches the configured credentials.
    pub async fn load(&self) -> Result<Loaded, CredentialsError> {
        self.load_by(&self.method).await
    }

    /// Fetches credentials by `method`, which may be a part of the configured one. Boxed, since
    /// sources nest.
    pub(super) fn load_by<'a>(
        &'a self,
        method: &'a Provider,
    ) -> Pin<Box<dyn Future<Output = Result<Loaded, CredentialsError>> + Send + 'a>> {
        let context = &self.context;
        Box::pin(async move {
            let loaded = match method {
                Provider::Default(default) => chain::load(default, self).await,
                Provider::AccessKey {
                    access_key_id,
                    access_key_secret,
                    security_token,
                } => {
                    let loaded = file::load(
                        access_key_id,
                        access_key_secret,
                        security_token.as_ref(),
                        context,
                    )
                    .await;
                    loaded.map_err(|problem| problem.of(file::NAME))
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
                Provider::Profile(named) => profile::load(named, self).await,
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
