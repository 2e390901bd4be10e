//! The keys that the stand-in knows: fixed pairs, and temporary ones that it has issued itself.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use ack_client::secret::Secret;
use jiff::Timestamp;

/// A fixed key pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub access_key_secret: Secret,
}

impl KeyPair {
    /// A pair of the two halves.
    pub fn new(access_key_id: impl Into<String>, access_key_secret: impl Into<String>) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            access_key_secret: Secret::new(access_key_secret),
        }
    }

    /// The pair of the simulated account: made up, and good nowhere else.
    pub fn demo() -> Self {
        Self::new(
            "LTAI5tDemoOnlyNotARealKey",
            "DemoOnlyNotARealSecret00000000",
        )
    }
}

/// A temporary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Temporary {
    pub(crate) token: Secret,
    pub(crate) expires_at: Timestamp,
}

/// What is known of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) secret: Secret,
    pub(crate) temporary: Option<Temporary>,
}

/// All keys.
#[derive(Debug)]
pub(crate) struct Keys(RwLock<HashMap<String, Known>>);

/// Issued keys are forgotten when there are more than this; the longest expired ones first.
const LIMIT: usize = 4096;

impl Keys {
    pub(crate) fn new(pairs: &[KeyPair]) -> Self {
        let known = |pair: &KeyPair| Known {
            secret: pair.access_key_secret.clone(),
            temporary: None,
        };
        Self(RwLock::new(
            pairs
                .iter()
                .map(|pair| (pair.access_key_id.clone(), known(pair)))
                .collect(),
        ))
    }

    pub(crate) fn find(&self, access_key_id: &str) -> Option<Known> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(access_key_id)
            .cloned()
    }

    pub(crate) fn add(&self, access_key_id: &str, known: Known) {
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= LIMIT {
            forget_oldest(&mut keys);
        }
        keys.insert(access_key_id.to_owned(), known);
    }

    /// Makes every temporary key run out at `now`.
    pub(crate) fn expire_temporary(&self, now: Timestamp) {
        for known in self
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .values_mut()
        {
            if let Some(temporary) = &mut known.temporary {
                temporary.expires_at = temporary.expires_at.min(now);
            }
        }
    }

    /// Makes every temporary key unknown.
    pub(crate) fn revoke_temporary(&self) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, known| known.temporary.is_none());
    }

    /// Gives every temporary key another token than the one that was issued.
    pub(crate) fn change_tokens(&self) {
        for known in self
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .values_mut()
        {
            if let Some(temporary) = &mut known.temporary {
                temporary.token = Secret::new("another-token");
            }
        }
    }
}

fn forget_oldest(keys: &mut HashMap<String, Known>) {
    let temporary = keys
        .iter()
        .filter_map(|(id, known)| Some((known.temporary.as_ref()?.expires_at, id)));
    if let Some(oldest) = temporary.min().map(|(_, id)| id.clone()) {
        keys.remove(&oldest);
    }
}
