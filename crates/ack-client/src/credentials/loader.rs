//! Loading credentials by the configured provider.

use std::pin::Pin;

use super::chain::{Chain, Link};
use super::context::Context;
use super::error::{CredentialsError, Problem};
use super::profile::{SelectedProfile, cli, ini};
use super::{Loaded, access_key, assume_role, ecs_role, env, oidc, uri};
use crate::credentials::{DefaultChain, Provider, RamRoleArn};

/// Loads credentials, without a cache.
#[derive(Debug)]
pub struct Loader {
    provider: Provider,
    context: Context,
    /// There is one chain at most, since a chain has no source.
    chain: Chain,
}

impl Loader {
    /// A loader of the credentials of `provider`.
    pub fn new(provider: Provider, context: Context) -> Self {
        Self {
            provider,
            context,
            chain: Chain::default(),
        }
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// Loads the credentials. An error says which provider failed, and why.
    pub async fn load(&self) -> Result<Loaded, CredentialsError> {
        self.load_from(&self.provider).await
    }

    /// Loads credentials from `provider`, which may be a source of another one. The future is
    /// boxed, since sources nest.
    fn load_from<'a>(
        &'a self,
        provider: &'a Provider,
    ) -> Pin<Box<dyn Future<Output = Result<Loaded, CredentialsError>> + Send + 'a>> {
        let context = &self.context;
        Box::pin(async move {
            let loaded = match provider {
                Provider::Default(settings) => {
                    self.chain.load(|link| self.load_link(link, settings)).await
                }
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
                Provider::RamRoleArn(role) => self
                    .load_role(role)
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
                Provider::Profile(profile) => {
                    let selected = cli::select(profile, context).await;
                    self.load_profile(selected, cli::NAME).await
                }
            }?;
            match loaded.credential.expires_at {
                Some(expiry) if !loaded.credential.is_valid_at(context.clock.now()) => {
                    Err(Problem::Expired(expiry).of(loaded.provider.as_str()))
                }
                _ => Ok(loaded),
            }
        })
    }

    /// Loads the credentials of one link of the default chain.
    async fn load_link(
        &self,
        link: Link,
        settings: &DefaultChain,
    ) -> Result<Loaded, CredentialsError> {
        let context = &self.context;
        match link {
            Link::Environment => {
                env::load(&context.environment).map_err(|problem| problem.of(env::NAME))
            }
            Link::Oidc => oidc::load_if_configured(settings, context)
                .await
                .map_err(|problem| problem.of(oidc::NAME)),
            Link::CliProfile => {
                let selected = cli::find(settings, context).await;
                self.load_profile(selected, cli::NAME).await
            }
            Link::IniProfile => {
                let selected = ini::find(settings, context).await;
                self.load_profile(selected, ini::NAME).await
            }
            Link::EcsRole => ecs_role::load_if_configured(settings, context)
                .await
                .map_err(|problem| problem.of(ecs_role::NAME)),
            Link::CredentialsUri => uri::load_if_configured(context)
                .await
                .map_err(|problem| problem.of(uri::NAME)),
        }
    }

    async fn load_role(&self, role: &RamRoleArn) -> Result<Loaded, Problem> {
        let source = self.load_from(&role.source).await;
        let source = source.map_err(|error| Problem::Source(Box::new(error)))?;
        assume_role::load(role, source, &self.context).await
    }

    /// Loads the credentials of the selected profile. `provider` names the error if none could be
    /// selected.
    async fn load_profile(
        &self,
        selected: Result<SelectedProfile, Problem>,
        provider: &str,
    ) -> Result<Loaded, CredentialsError> {
        let profile = selected.map_err(|problem| problem.of(provider))?;
        let loaded = self.load_from(&profile.provider).await;
        profile.under_profile_name(loaded)
    }
}
