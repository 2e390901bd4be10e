//! Keys of the account, and temporary keys that the simulator has issued.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use ack_client::secret::Secret;
use jiff::Timestamp;

/// A permanent key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// The `AccessKey` ID.
    pub access_key_id: String,
    /// The `AccessKey` secret.
    pub access_key_secret: Secret,
}

impl KeyPair {
    /// A pair of ID and secret.
    pub fn new(access_key_id: impl Into<String>, access_key_secret: impl Into<String>) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            access_key_secret: Secret::new(access_key_secret),
        }
    }

    /// The key of the simulated account, made up and valid nowhere else.
    pub fn demo() -> Self {
        Self::new(
            "LTAI5tDemoOnlyNotARealKey",
            "DemoOnlyNotARealSecret00000000",
        )
    }
}

/// The security token of a temporary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionToken {
    pub(crate) token: Secret,
    pub(crate) expires_at: Timestamp,
}

/// The secret of a key, and its token if it is temporary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredKey {
    pub(crate) secret: Secret,
    pub(crate) session: Option<SessionToken>,
}

/// All valid keys by ID.
#[derive(Debug)]
pub(crate) struct KeyStore(RwLock<HashMap<String, StoredKey>>);

/// Number of keys above which the temporary key that expires first is dropped.
const LIMIT: usize = 4096;

impl StoredKey {
    pub(crate) fn permanent(pair: &KeyPair) -> Self {
        Self {
            secret: pair.access_key_secret.clone(),
            session: None,
        }
    }
}

impl KeyStore {
    pub(crate) fn new(pairs: &[KeyPair]) -> Self {
        let keys = pairs
            .iter()
            .map(|pair| (pair.access_key_id.clone(), StoredKey::permanent(pair)))
            .collect();
        Self(RwLock::new(keys))
    }

    pub(crate) fn find(&self, access_key_id: &str) -> Option<StoredKey> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(access_key_id)
            .cloned()
    }

    pub(crate) fn add(&self, access_key_id: &str, key: StoredKey) {
        let mut keys = self.write();
        if keys.len() >= LIMIT {
            drop_first_to_expire(&mut keys);
        }
        keys.insert(access_key_id.to_owned(), key);
    }

    /// Makes every temporary key expire at `now`.
    pub(crate) fn expire_temporary(&self, now: Timestamp) {
        for key in self.write().values_mut() {
            if let Some(session) = &mut key.session {
                session.expires_at = session.expires_at.min(now);
            }
        }
    }

    /// Removes every temporary key.
    pub(crate) fn revoke_temporary(&self) {
        self.write().retain(|_, key| key.session.is_none());
    }

    /// Replaces the token of every temporary key.
    pub(crate) fn change_tokens(&self) {
        for key in self.write().values_mut() {
            if let Some(session) = &mut key.session {
                session.token = Secret::new("another-token");
            }
        }
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<String, StoredKey>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn drop_first_to_expire(keys: &mut HashMap<String, StoredKey>) {
    let first = keys
        .iter()
        .filter_map(|(id, key)| Some((key.session.as_ref()?.expires_at, id)))
        .min()
        .map(|(_, id)| id.clone());
    if let Some(id) = first {
        keys.remove(&id);
    }
}
