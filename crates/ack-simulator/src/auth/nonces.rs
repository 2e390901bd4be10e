//! Recently used nonces, so that none is accepted twice.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};

/// Milliseconds for which a nonce is kept, unless too many are in use: a date is accepted a quarter
/// of an hour to either side.
const RETENTION: i64 = 30 * 60 * 1000;

/// Number of nonces at which old ones are dropped, and all if none is old. It bounds the memory that
/// a fast client can use.
const LIMIT: usize = 1 << 18;

/// Used nonces, as a hash of key and nonce, each with the time of its use.
#[derive(Debug)]
pub(crate) struct NonceCache {
    hasher: RandomState,
    used: Mutex<HashMap<u64, i64>>,
}

impl NonceCache {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            used: Mutex::default(),
        }
    }

    /// Records that `key` uses `nonce` at `now` (in milliseconds); returns false if it was used
    /// before.
    pub(crate) fn claim(&self, key: &str, nonce: &str, now: i64) -> bool {
        let hash = self.hasher.hash_one((key, nonce));
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= LIMIT {
            used.retain(|_, time| now - *time <= RETENTION);
        }
        if used.len() >= LIMIT {
            used.clear();
        }
        match used.entry(hash) {
            Entry::Occupied(_) => false,
            Entry::Vacant(entry) => {
                entry.insert(now);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_accepted_once_for_each_key_until_it_is_dropped() {
        let nonces = NonceCache::new();
        assert!(nonces.claim("a", "1", 0));
        assert!(!nonces.claim("a", "1", 1));
        assert!(nonces.claim("b", "1", 1));
        assert!(nonces.claim("a", "2", RETENTION + 1));
        assert!(!nonces.claim("a", "1", RETENTION + 2));
    }

    #[test]
    fn a_fast_client_does_not_fill_the_memory() {
        let nonces = NonceCache::new();
        for n in 0..700_000 {
            nonces.claim("a", &n.to_string(), 0);
        }
        let held = nonces.used.lock().expect("no thread panicked").len();
        assert!(held <= LIMIT, "{held}");
    }
}
