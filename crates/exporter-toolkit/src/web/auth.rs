//! Passwords at the door: HTTP basic authentication against the bcrypt hashes of the web
//! configuration file.
//!
//! A comparison takes a tenth of a second of CPU on purpose, so who may cause one is limited: what
//! was compared before is remembered (as an HMAC under a key of this process), comparisons run off
//! the async threads on half of the cores at most, and a client that guesses runs out of guesses. A
//! client whose password was right before notices none of it.

mod guesses;
mod hash;
mod memory;

use std::net::IpAddr;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{self, HeaderMap};
use tokio::sync::Semaphore;
use tokio::time::Instant;

pub use hash::{PasswordHash, Users};

use self::guesses::Guesses;
use self::hash::{Match, Stored};
use self::memory::{Memory, ProcessKey, Tag};

/// How long a client waits for its turn before it is told to come again.
const TURN_TIMEOUT: Duration = Duration::from_secs(5);

/// Passwords remembered of each kind, right and wrong; 64 KiB together.
const REMEMBERED: usize = 512;

/// Why a client was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// No user and password, or not the right ones.
    Unauthorized,
    /// Too many wrong passwords from this client.
    TooManyGuesses {
        /// When there is another guess.
        retry_after: Duration,
    },
    /// Too many passwords to compare, from whomever.
    Busy,
}

/// Checks passwords and remembers what it found.
pub struct Passwords {
    key: ProcessKey,
    turns: Arc<Semaphore>,
    findings: Arc<Findings>,
}

struct Findings {
    memory: Memory,
    guesses: Guesses,
}

impl Passwords {
    /// Remembers nothing yet. Fails if the system has no randomness for the key.
    pub fn new() -> Result<Self, getrandom::Error> {
        let cores = available_parallelism().map_or(1, usize::from);
        Ok(Self {
            key: ProcessKey::random()?,
            turns: Arc::new(Semaphore::new((cores / 2).max(1))),
            findings: Arc::new(Findings {
                memory: Memory::new(REMEMBERED),
                guesses: Guesses::default(),
            }),
        })
    }

    /// Lets in who names one of `users` and its password. May be dropped at any time; a comparison
    /// that has begun still ends, and its result is remembered for the next try.
    pub async fn check(
        &self,
        users: &Users,
        headers: &HeaderMap,
        client: IpAddr,
    ) -> Result<(), Denied> {
        if users.is_empty() {
            return Ok(());
        }
        let login = Login::read(headers).ok_or(Denied::Unauthorized)?;
        match self.compare(users, login, client).await? {
            Match::Right => Ok(()),
            Match::Wrong => Err(Denied::Unauthorized),
        }
    }

    async fn compare(&self, users: &Users, login: Login, client: IpAddr) -> Result<Match, Denied> {
        let stored = users.find(&login.user, || self.key.tag(&[&login.user]).number());
        // The stored hash is part of the tag: what was right for an old password is not for a new
        // one.
        let tag = self
            .key
            .tag(&[&login.user, &login.password, stored.as_bytes()]);
        if let Some(found) = self.findings.memory.recall(&tag) {
            return Ok(found);
        }
        let waiting = tokio::time::timeout(TURN_TIMEOUT, self.turns.clone().acquire_owned());
        let turn = waiting
            .await
            .ok()
            .and_then(Result::ok)
            .ok_or(Denied::Busy)?;
        // Many requests with one password often come at once; the first has found it out for the
        // others.
        if let Some(found) = self.findings.memory.recall(&tag) {
            return Ok(found);
        }
        self.findings
            .guesses
            .charge(client, Instant::now())
            .map_err(|retry_after| Denied::TooManyGuesses { retry_after })?;
        let findings = self.findings.clone();
        let comparison = tokio::task::spawn_blocking(move || {
            // Held here, since the request may end before the comparison does.
            let _turn = turn;
            findings.compare(&stored, &login.password, tag, client)
        });
        comparison.await.map_err(|_| Denied::Busy)
    }
}

impl Findings {
    fn compare(&self, stored: &Stored, password: &[u8], tag: Tag, client: IpAddr) -> Match {
        let found = stored.compare(password);
        self.memory.keep(tag, found);
        match found {
            Match::Right => self.guesses.forgive(client),
            // Not the user's name, which is a password when people slip a field.
            Match::Wrong => tracing::info!(%client, "wrong user or password"),
        }
        found
    }
}

/// A user and password as a client sent them.
struct Login {
    user: Vec<u8>,
    password: Vec<u8>,
}

impl Login {
    fn read(headers: &HeaderMap) -> Option<Self> {
        let (scheme, encoded) = headers
            .get(header::AUTHORIZATION)?
            .to_str()
            .ok()?
            .split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = STANDARD.decode(encoded.trim()).ok()?;
        let colon = text.iter().position(|byte| *byte == b':')?;
        Some(Self {
            user: text[..colon].to_owned(),
            password: text[colon + 1..].to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
