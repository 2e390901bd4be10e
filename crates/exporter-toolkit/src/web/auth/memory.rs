//! The results of comparisons, without the passwords.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::hash::Match;

/// A key that only this process knows and that ends with it.
pub(super) struct ProcessKey([u8; 32]);

/// Stands for one user, password and stored hash; tells nothing of them without the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Tag([u8; 32]);

impl ProcessKey {
    pub(super) fn random() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self(key))
    }

    /// Each part goes in with its length, so that no two ways of cutting the same bytes give the
    /// same tag.
    pub(super) fn tag(&self, parts: &[&[u8]]) -> Tag {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        for part in parts {
            mac.update(&part.len().to_le_bytes());
            mac.update(part);
        }
        Tag(mac.finalize().into_bytes().into())
    }
}

impl Tag {
    pub(super) fn number(&self) -> u64 {
        self.0
            .iter()
            .take(8)
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

/// The last passwords that were right and the last that were wrong. Apart, since anyone can make
/// wrong ones and push the older out.
#[derive(Debug)]
pub(super) struct Memory {
    right: Mutex<Tags>,
    wrong: Mutex<Tags>,
}

impl Memory {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            right: Mutex::new(Tags::new(capacity)),
            wrong: Mutex::new(Tags::new(capacity)),
        }
    }

    pub(super) fn recall(&self, tag: &Tag) -> Option<Match> {
        [Match::Right, Match::Wrong]
            .into_iter()
            .find(|verdict| self.with(*verdict, |tags| tags.known.contains(tag)))
    }

    pub(super) fn keep(&self, tag: Tag, verdict: Match) {
        self.with(verdict, |tags| tags.insert(tag));
    }

    fn with<T>(&self, verdict: Match, work: impl FnOnce(&mut Tags) -> T) -> T {
        let tags = match verdict {
            Match::Right => &self.right,
            Match::Wrong => &self.wrong,
        };
        work(&mut tags.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The newest tags, up to a number.
#[derive(Debug)]
struct Tags {
    capacity: usize,
    known: HashSet<Tag>,
    oldest_first: VecDeque<Tag>,
}

impl Tags {
    fn new(capacity: usize) -> Self {
        Self {
            capacity,
            known: HashSet::new(),
            oldest_first: VecDeque::new(),
        }
    }

    fn insert(&mut self, tag: Tag) {
        if !self.known.insert(tag) {
            return;
        }
        self.oldest_first.push_back(tag);
        if self.oldest_first.len() > self.capacity
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_is_bounded_and_wrong_passwords_do_not_push_right_ones_out() {
        let memory = Memory::new(10);
        let key = ProcessKey::random().expect("randomness");
        let tag = |name: u32| key.tag(&[&name.to_le_bytes()]);
        memory.keep(tag(0), Match::Right);
        for name in 1..100 {
            memory.keep(tag(name), Match::Wrong);
        }
        assert_eq!(memory.recall(&tag(0)), Some(Match::Right));
        assert_eq!(memory.recall(&tag(99)), Some(Match::Wrong));
        assert_eq!(memory.recall(&tag(89)), None);
        assert_eq!(memory.wrong.lock().expect("not poisoned").known.len(), 10);
    }

    #[test]
    fn a_tag_depends_on_every_part_and_on_the_process() {
        let key = ProcessKey::random().expect("randomness");
        assert_eq!(key.tag(&[b"a", b"b"]), key.tag(&[b"a", b"b"]));
        assert_ne!(key.tag(&[b"a", b"b"]), key.tag(&[b"ab", b""]));
        assert_ne!(
            key.tag(&[b"a"]),
            ProcessKey::random().expect("randomness").tag(&[b"a"])
        );
    }
}
