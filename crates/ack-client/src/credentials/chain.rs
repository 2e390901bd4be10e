//! The default chain of Alibaba Cloud's SDKs, in the same order: the first configured provider is
//! used.
//!
//! Unlike in the SDKs, a provider that is configured but broken ends the search, since a later one
//! would log in with another identity. The chain stays with its first provider that has worked. One
//! that fails is not remembered, since a metadata service may be late when a machine starts.

use super::error::{CredentialsError, Problem};
use super::loader::Loader;
use super::profile::{cli, ini};
use super::{Loaded, ecs_role, env, oidc, uri};
use crate::credentials::DefaultChain;

const NAME: &str = "default";

/// A provider of the chain.
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

/// The result of a link that has not failed.
pub(super) enum Outcome {
    Loaded(Loaded),
    /// The link is not configured. The problem says what is missing.
    NotConfigured(Problem),
}

pub(super) async fn load(
    chain: &DefaultChain,
    loader: &Loader,
) -> Result<Loaded, CredentialsError> {
    if let Some(link) = loader.working_link().get() {
        return match link.load(chain, loader).await? {
            Outcome::Loaded(found) => Ok(found),
            Outcome::NotConfigured(problem) => Err(problem.of(link.name())),
        };
    }
    let mut missing = Vec::new();
    for link in ORDER {
        match link.load(chain, loader).await? {
            Outcome::Loaded(found) => {
                loader.working_link().get_or_init(|| link);
                return Ok(found);
            }
            Outcome::NotConfigured(problem) => missing.push(problem.of(link.name()).to_string()),
        }
    }
    Err(Problem::NothingConfigured(missing).of(NAME))
}

impl Link {
    async fn load(
        self,
        chain: &DefaultChain,
        loader: &Loader,
    ) -> Result<Outcome, CredentialsError> {
        let context = loader.context();
        match self {
            Self::Environment => env::load_if_configured(&context.environment),
            Self::Oidc => oidc::load_if_configured(chain, context).await,
            // The name of a profile is a part of its error.
            Self::CliProfile => return cli::load_if_configured(chain, loader).await,
            Self::IniProfile => return ini::load_if_configured(chain, loader).await,
            Self::EcsRole => ecs_role::load_if_configured(chain, context).await,
            Self::CredentialsUri => uri::load_if_configured(context).await,
        }
        .map_err(|problem| problem.of(self.name()))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Environment => env::NAME,
            Self::Oidc => oidc::NAME,
            Self::CliProfile => cli::NAME,
            Self::IniProfile => ini::NAME,
            Self::EcsRole => ecs_role::NAME,
            Self::CredentialsUri => uri::NAME,
        }
    }
}
