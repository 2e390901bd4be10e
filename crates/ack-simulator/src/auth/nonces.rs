//! Recently used nonces, so that none is accepted twice.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};

/// Milliseconds for which a nonce is kept at least: a date is accepted a quarter of an hour to
/// either side.
const RETENTION: i64 = 30 * 60 * 1000;

/// Number of young nonces at which a shard drops its old ones early, which bounds the memory that
/// a fast client can use.
const SHARD_LIMIT: usize = 1 << 14;

const SHARDS: usize = 16;

/// Used nonces in shards of two generations: a young one that is old enough or full becomes the old
/// one.
#[derive(Debug)]
pub(crate) struct NonceCache {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Debug, Default)]
struct Shard {
    young: HashSet<u64>,
    old: HashSet<u64>,
    young_since: i64,
}

impl NonceCache {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: Default::default(),
        }
    }

    /// Records that `key` uses `nonce` at `now` (in milliseconds); returns false if it was used
    /// before.
    pub(crate) fn claim(&self, key: &str, nonce: &str, now: i64) -> bool {
        let hash = self.hasher.hash_one((key, nonce));
        let index = usize::try_from(hash % SHARDS as u64).unwrap_or_default();
        let mut shard = self.shards[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if now - shard.young_since > RETENTION || shard.young.len() >= SHARD_LIMIT {
            shard.old = std::mem::take(&mut shard.young);
            shard.young_since = now;
        }
        !shard.old.contains(&hash) && shard.young.insert(hash)
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
        let size = |shard: &Mutex<Shard>| {
            let shard = shard.lock().expect("no thread panicked");
            shard.young.len() + shard.old.len()
        };
        let held: usize = nonces.shards.iter().map(size).sum();
        assert!(held <= 2 * SHARDS * SHARD_LIMIT, "{held}");
    }
}
