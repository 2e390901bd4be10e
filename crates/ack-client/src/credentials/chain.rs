//! The default chain of Alibaba Cloud's SDKs, in the same order: the first configured provider is
//! used.
//!
//! Unlike in the SDKs, a provider that is configured but broken ends the search, since a later one
//! would log in with another identity. The chain stays with its first provider that has worked. One
//! that fails is not remembered, since a metadata service may be late when a machine starts.

use std::sync::OnceLock;

use super::Loaded;
use super::error::{CredentialsError, Problem};

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

/// The memory of a chain.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// The first link that has worked.
    working_link: OnceLock<Link>,
}

impl Chain {
    /// Loads credentials by the link that has worked before, else by the first one that is
    /// configured. `load_link` loads those of one link.
    pub(super) async fn load<F>(
        &self,
        load_link: impl Fn(Link) -> F,
    ) -> Result<Loaded, CredentialsError>
    where
        F: Future<Output = Result<Loaded, CredentialsError>>,
    {
        if let Some(link) = self.working_link.get() {
            return load_link(*link).await;
        }
        let mut missing = Vec::new();
        for link in ORDER {
            match load_link(link).await {
                Ok(loaded) => {
                    self.working_link.get_or_init(|| link);
                    return Ok(loaded);
                }
                Err(error) if is_not_configured(&error.problem) => missing.push(error.to_string()),
                Err(error) => return Err(error),
            }
        }
        Err(Problem::NothingConfigured(missing).of(NAME))
    }
}

fn is_not_configured(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::NotConfigured(_) | Problem::NoMachineRole(_)
    )
}
