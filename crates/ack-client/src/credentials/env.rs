//! A key pair in the environment.

use super::context::Environment;
use super::error::{Problem, ProviderName};
use super::{Credential, Loaded};
use crate::secret::Secret;

pub(super) const NAME: &str = "env";

const ID: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID";
const SECRET: &str = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
const TOKEN: &str = "ALIBABA_CLOUD_SECURITY_TOKEN";

pub(super) fn load(environment: &Environment) -> Result<Loaded, Problem> {
    match (environment.value(ID), environment.value(SECRET)) {
        (None, None) => Err(Problem::NotConfigured(format!("{ID} is not set"))),
        (Some(_), None) => Err(Problem::Incomplete(format!(
            "{ID} is set, but {SECRET} is not"
        ))),
        (None, Some(_)) => Err(Problem::Incomplete(format!(
            "{SECRET} is set, but {ID} is not"
        ))),
        (Some(id), Some(secret)) => Ok(Loaded {
            credential: Credential {
                access_key_id: id.to_owned(),
                access_key_secret: Secret::new(secret),
                security_token: environment.value(TOKEN).map(Secret::new),
                expires_at: None,
            },
            provider: ProviderName::new(NAME),
            check_again: None,
        }),
    }
}
