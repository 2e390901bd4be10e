//! Remembers the nonces of late, so that none is used twice.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};

/// How long a nonce is remembered at least, in milliseconds: a date is accepted a quarter of an
/// hour to both sides.
const MEMORY: i64 = 30 * 60 * 1000;

/// Nonces a shard remembers before it forgets the older half early; keeps a hurried client from
/// filling the memory.
const SHARD_LIMIT: usize = 1 << 14;

const SHARDS: usize = 16;

/// The memory. Two generations a shard: when the young one is old enough or full, it becomes the
/// old one.
#[derive(Debug)]
pub(crate) struct Nonces {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Debug, Default)]
struct Shard {
    young: HashSet<u64>,
    old: HashSet<u64>,
    young_since: i64,
}

impl Nonces {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: Default::default(),
        }
    }

    /// Notes that `key` used `nonce` at `now` (in milliseconds); false if it had been used before.
    pub(crate) fn claim(&self, key: &str, nonce: &str, now: i64) -> bool {
        let hash = self.hasher.hash_one((key, nonce));
        let index = usize::try_from(hash % SHARDS as u64).unwrap_or_default();
        let mut shard = self.shards[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if now - shard.young_since > MEMORY || shard.young.len() >= SHARD_LIMIT {
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
    fn a_nonce_is_good_once_a_key_until_it_is_forgotten() {
        let nonces = Nonces::new();
        assert!(nonces.claim("a", "1", 0));
        assert!(!nonces.claim("a", "1", 1));
        assert!(nonces.claim("b", "1", 1));
        assert!(nonces.claim("a", "2", MEMORY + 1));
        assert!(!nonces.claim("a", "1", MEMORY + 2));
    }

    #[test]
    fn a_hurried_client_does_not_fill_the_memory() {
        let nonces = Nonces::new();
        for n in 0..700_000 {
            nonces.claim("a", &n.to_string(), 0);
        }
        let size = |shard: &Mutex<Shard>| {
            let shard = shard.lock().expect("nobody panicked");
            shard.young.len() + shard.old.len()
        };
        let held: usize = nonces.shards.iter().map(size).sum();
        assert!(held <= 2 * SHARDS * SHARD_LIMIT, "{held}");
    }
}
