//! HTTP basic authentication against the bcrypt hashes of the web configuration file.
//!
//! A comparison takes a tenth of a second of CPU on purpose. So its result is remembered (as an
//! HMAC under a key of this process), and comparisons run off the async threads, on half of the
//! cores at most. A client whose password was right before notices none of it.

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

pub use hash::{PasswordHash, Users};

use self::hash::{MAX_PASSWORD, Match};
use self::memory::{Memory, ProcessKey};
use crate::web::rejection::Rejection;

/// The longest wait for a comparison; then the client has to try again.
const TURN_TIMEOUT: Duration = Duration::from_secs(5);

/// The passwords that are remembered, right and wrong each; 64 KiB together.
const REMEMBERED: usize = 512;

/// Checks passwords, and remembers the results.
pub struct Passwords {
    key: ProcessKey,
    turns: Arc<Semaphore>,
    memory: Arc<Memory>,
}

impl Passwords {
    /// Fails if the system has no randomness for the key.
    pub fn new() -> Result<Self, getrandom::Error> {
        let cores = available_parallelism().map_or(1, usize::from);
        Ok(Self {
            key: ProcessKey::random()?,
            turns: Arc::new(Semaphore::new((cores / 2).max(1))),
            memory: Arc::new(Memory::new(REMEMBERED)),
        })
    }

    /// Checks the login in `headers` against `users`; without users, every request passes. May be
    /// dropped at any time: a comparison that has begun still ends, and its result is remembered.
    pub async fn check(
        &self,
        users: &Users,
        headers: &HeaderMap,
        client: IpAddr,
    ) -> Result<(), Rejection> {
        if users.is_empty() {
            return Ok(());
        }
        let login = Login::read(headers).ok_or(Rejection::Unauthorized)?;
        let rejection = if login.is_too_long() {
            Rejection::PasswordTooLong
        } else {
            Rejection::Unauthorized
        };
        match self.compare(users, login, client).await? {
            Match::Right => Ok(()),
            Match::Wrong => Err(rejection),
        }
    }

    async fn compare(
        &self,
        users: &Users,
        login: Login,
        client: IpAddr,
    ) -> Result<Match, Rejection> {
        let stored = users.find(&login.user, || self.key.tag(&[&login.user]).number());
        // The stored hash is part of the tag: what was right for an old password is not for a new
        // one.
        let tag = self
            .key
            .tag(&[&login.user, &login.password, stored.as_bytes()]);
        if let Some(found) = self.memory.recall(&tag) {
            return Ok(found);
        }
        let waiting = tokio::time::timeout(TURN_TIMEOUT, self.turns.clone().acquire_owned());
        let turn = waiting
            .await
            .ok()
            .and_then(Result::ok)
            .ok_or(Rejection::Busy)?;
        // Many requests with one password often come at once: the first is compared for all.
        if let Some(found) = self.memory.recall(&tag) {
            return Ok(found);
        }
        let memory = Arc::clone(&self.memory);
        let comparison = tokio::task::spawn_blocking(move || {
            // Held here, since the request may end before the comparison does.
            let _turn = turn;
            let found = stored.compare(&login.password);
            memory.keep(tag, found);
            // Not the user's name, which is a password when people slip a field.
            match found {
                Match::Right => {}
                Match::Wrong if login.is_too_long() => {
                    tracing::info!(%client, "password of more than 72 bytes, which bcrypt would \
                                             cut off");
                }
                Match::Wrong => tracing::info!(%client, "wrong user or password"),
            }
            found
        });
        comparison.await.map_err(|_| Rejection::Busy)
    }
}

/// The user and password of a request.
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

    fn is_too_long(&self) -> bool {
        self.password.len() > MAX_PASSWORD
    }
}

#[cfg(test)]
mod tests;
