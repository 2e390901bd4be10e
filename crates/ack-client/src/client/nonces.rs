//! Nonces of signed requests.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::sign::encode::hex;

/// Values that are used once: a random number of the client, and a counter.
#[derive(Debug)]
pub(super) struct Nonces {
    random: u64,
    count: AtomicU64,
}

impl Nonces {
    pub(super) fn new() -> Self {
        Self {
            random: getrandom::u64().unwrap_or_else(|_| fastrand::u64(..)),
            count: AtomicU64::new(0),
        }
    }

    pub(super) fn next(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        hex(&(u128::from(self.random) << 64 | u128::from(count)).to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_nonce_comes_twice_from_one_client_or_from_two() {
        let (one, other) = (Nonces::new(), Nonces::new());
        let nonces = [one.next(), one.next(), other.next(), other.next()];
        for (index, nonce) in nonces.iter().enumerate() {
            assert_eq!(nonce.len(), 32);
            assert!(!nonces[..index].contains(nonce), "{nonce}");
        }
    }
}
