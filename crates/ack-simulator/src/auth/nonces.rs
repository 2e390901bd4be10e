//! Recently used nonces, so that none of them is accepted twice.

use std::collections::hash_map::RandomState;
use std::collections::{HashSet, VecDeque};
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};

/// The number of nonces that are kept: those of the half hour in which a date is accepted, at up to
/// 145 requests a second. It bounds the memory that a faster client can use.
const LIMIT: usize = 1 << 18;

/// The nonces that were used last.
#[derive(Debug)]
pub(crate) struct NonceCache {
    hasher: RandomState,
    used: Mutex<UsedNonces>,
}

/// Used nonces, each as a hash of key and nonce.
#[derive(Debug, Default)]
struct UsedNonces {
    hashes: HashSet<u64>,
    /// The same hashes, the oldest first.
    order: VecDeque<u64>,
}

impl NonceCache {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            used: Mutex::default(),
        }
    }

    /// Records that `key` uses `nonce`; returns false if it was used before. The oldest nonce makes
    /// room.
    pub(crate) fn claim(&self, key: &str, nonce: &str) -> bool {
        let hash = self.hasher.hash_one((key, nonce));
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if !used.hashes.insert(hash) {
            return false;
        }
        used.order.push_back(hash);
        if used.order.len() > LIMIT
            && let Some(oldest) = used.order.pop_front()
        {
            used.hashes.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_accepted_once_for_each_key() {
        let nonces = NonceCache::new();
        assert!(nonces.claim("a", "1"));
        assert!(!nonces.claim("a", "1"));
        assert!(nonces.claim("b", "1"));
        assert!(nonces.claim("a", "2"));
        assert!(!nonces.claim("a", "1"));
    }

    #[test]
    fn the_oldest_nonce_alone_makes_room_for_a_new_one() {
        let nonces = NonceCache::new();
        for n in 0..LIMIT {
            assert!(nonces.claim("a", &n.to_string()));
        }
        assert!(nonces.claim("a", "one too many"));
        assert!(!nonces.claim("a", "one too many"), "the newest is kept");
        assert!(!nonces.claim("a", "1"), "the oldest but one is kept");
        assert!(nonces.claim("a", "0"), "the oldest was dropped");
    }

    #[test]
    fn a_fast_client_does_not_fill_the_memory() {
        let nonces = NonceCache::new();
        for n in 0..700_000 {
            nonces.claim("a", &n.to_string());
        }
        let used = nonces.used.lock().expect("no thread panicked");
        assert_eq!((used.hashes.len(), used.order.len()), (LIMIT, LIMIT));
    }
}
