//! The vendor's default chain, in its order: the first provider that is configured is the one.
//!
//! Unlike in the vendor's SDKs, a provider that is configured but broken ends the search: to go on
//! would be to log in as somebody else. The provider found is kept for good, but only once it has
//! worked, so that a metadata service that is late at boot does no lasting harm.

use super::error::{CredentialsError, Problem};
use super::loader::Loader;
use super::{Loaded, ecs_role, env, ini, oidc, profile, uri};
use crate::credentials::DefaultChain;

const NAME: &str = "default";

/// One provider of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    Environment,
    Oidc,
    CliProfile,
    IniProfile,
    EcsRole,
    CredentialsUri,
}

const ORDER: [Link; 6] = [
    Link::Environment,
    Link::Oidc,
    Link::CliProfile,
    Link::IniProfile,
    Link::EcsRole,
    Link::CredentialsUri,
];

/// What came of asking one provider that did not fail.
pub(super) enum Attempt {
    /// It has credentials.
    Loaded(Loaded),
    /// It is not configured; the problem says what it missed.
    NotConfigured(Problem),
}

pub(super) async fn load(
    chain: &DefaultChain,
    loader: &Loader,
) -> Result<Loaded, CredentialsError> {
    if let Some(link) = loader.pinned().get() {
        return match link.attempt(chain, loader).await? {
            Attempt::Loaded(found) => Ok(found),
            Attempt::NotConfigured(problem) => Err(problem.of(link.name())),
        };
    }
    let mut missed = Vec::new();
    for link in ORDER {
        match link.attempt(chain, loader).await? {
            Attempt::Loaded(found) => {
                loader.pinned().get_or_init(|| link);
                return Ok(found);
            }
            Attempt::NotConfigured(problem) => missed.push(problem.of(link.name()).to_string()),
        }
    }
    Err(Problem::NothingConfigured(missed).of(NAME))
}

impl Link {
    async fn attempt(
        self,
        chain: &DefaultChain,
        loader: &Loader,
    ) -> Result<Attempt, CredentialsError> {
        let context = loader.context();
        match self {
            Self::Environment => env::attempt(&context.environment),
            Self::Oidc => oidc::attempt(chain, context).await,
            // A profile names itself.
            Self::CliProfile => return profile::attempt(chain, loader).await,
            Self::IniProfile => return ini::attempt(chain, loader).await,
            Self::EcsRole => ecs_role::attempt(chain, context).await,
            Self::CredentialsUri => uri::attempt(context).await,
        }
        .map_err(|problem| problem.of(self.name()))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Environment => env::NAME,
            Self::Oidc => oidc::NAME,
            Self::CliProfile => profile::NAME,
            Self::IniProfile => ini::NAME,
            Self::EcsRole => ecs_role::NAME,
            Self::CredentialsUri => uri::NAME,
        }
    }
}
