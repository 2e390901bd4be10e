//! The state of the cache: the credentials in use, and the attempts to renew them.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::credentials::error::{CredentialsError, Problem, ProviderName};
use crate::credentials::{Credential, Loaded};

/// The longest time before their expiry at which credentials are renewed.
const MAX_MARGIN: Duration = Duration::from_secs(15 * 60);

/// The longest time after which credentials are renewed, whatever their expiry: the longest
/// lifetime that STS gives. A server that writes the year 9999 may still replace them.
const MAX_LIFETIME: Duration = Duration::from_secs(12 * 3600);

/// The least time between two attempts that bring nothing usable, and between two renewals after
/// reports of expired credentials.
const PAUSE: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) current: Option<Current>,
    /// The failure of the last attempt. An attempt counts as failed until it has succeeded.
    failure: Option<CredentialsError>,
    /// The failure that was logged last.
    pub(super) logged: Option<CredentialsError>,
    /// The time of the next attempt, unless it is urgent.
    next_attempt: Option<Instant>,
    /// The time at which credentials were last reported as expired.
    last_expiry_report: Option<Instant>,
}

/// The credentials in use.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) credential: Arc<Credential>,
    pub(super) provider: ProviderName,
    loaded_at: Instant,
    /// The time of renewal, by the clock of the expiry.
    renew_at: Option<Timestamp>,
    /// The time to load again from a provider that gives no expiry.
    check_at: Option<Instant>,
    validity: Validity,
}

/// The opinion of the API on the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Validity {
    Accepted,
    /// The API has rejected them: the secret may be of another key, or the key may be gone.
    Rejected,
    /// The API has reported them as expired.
    Expired,
}

impl State {
    /// The credential to sign requests with, if there is one.
    pub(super) fn usable(&self, now: Timestamp) -> Option<Arc<Credential>> {
        let current = self.current.as_ref()?;
        current
            .is_usable(now)
            .then(|| Arc::clone(&current.credential))
    }

    /// Returns true if the present credentials are from `provider`.
    pub(super) fn is_from(&self, provider: &ProviderName) -> bool {
        self.current
            .as_ref()
            .is_some_and(|current| current.provider == *provider)
    }

    pub(super) fn is_rejected(&self) -> bool {
        self.current
            .as_ref()
            .is_some_and(|current| current.validity == Validity::Rejected)
    }

    /// The answer to a caller while no refresh is running: the credential, or the failure of an
    /// attempt within the pause. Returns `None` if a refresh must start.
    pub(super) fn without_refresh(
        &self,
        now: Timestamp,
    ) -> Option<Result<Arc<Credential>, CredentialsError>> {
        let is_paused = self.next_attempt.is_some_and(|next| Instant::now() < next);
        let is_fresh = self
            .current
            .as_ref()
            .is_some_and(|current| current.is_fresh(now));
        match (self.usable(now), &self.failure) {
            (Some(credential), _) if is_paused || is_fresh => Some(Ok(credential)),
            (None, Some(failure)) if is_paused => Some(Err(failure.clone())),
            // Credentials that became useless after a success are urgent.
            _ => None,
        }
    }

    /// Notes the start of a refresh.
    pub(super) fn start_refresh(&mut self) {
        self.failure = Some(aborted());
        self.next_attempt = Some(Instant::now() + PAUSE);
    }

    /// Notes the result of a refresh.
    pub(super) fn end_refresh(
        &mut self,
        result: Result<Loaded, CredentialsError>,
        now: Timestamp,
    ) -> Result<(), CredentialsError> {
        match result {
            Ok(loaded) => {
                let current = Current::new(loaded, now);
                let after_pause = current.loaded_at + PAUSE;
                let next = current
                    .check_at
                    .map_or(after_pause, |check_at| check_at.min(after_pause));
                self.next_attempt = Some(next);
                self.current = Some(current);
                self.failure = None;
                Ok(())
            }
            Err(error) => {
                self.next_attempt = Some(Instant::now() + PAUSE);
                self.failure = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Drops `credential` if it is in use, unless others were dropped within the pause: then it is
    /// new, and another would not be better.
    pub(super) fn report_expired(&mut self, credential: &Credential) {
        let is_recent = |report: Instant| report.elapsed() < PAUSE;
        if self.last_expiry_report.is_some_and(is_recent) {
            return;
        }
        if let Some(current) = &mut self.current
            && *current.credential == *credential
        {
            current.validity = Validity::Expired;
            self.last_expiry_report = Some(Instant::now());
        }
    }

    /// Notes that the API rejects `credential`, if it is in use.
    pub(super) fn report_rejected(&mut self, credential: &Credential) {
        if let Some(current) = &mut self.current
            && current.validity == Validity::Accepted
            && *current.credential == *credential
        {
            current.validity = Validity::Rejected;
        }
    }
}

impl Current {
    fn new(loaded: Loaded, now: Timestamp) -> Self {
        let loaded_at = Instant::now();
        Self {
            renew_at: loaded
                .credential
                .expires_at
                .map(|expiry| renewal_time(expiry, now)),
            credential: Arc::new(loaded.credential),
            provider: loaded.provider,
            loaded_at,
            check_at: loaded.check_again.map(|pause| loaded_at + pause),
            validity: Validity::Accepted,
        }
    }

    /// Returns true if there is no reason to load again.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.is_usable(now)
            && self.validity == Validity::Accepted
            && self.renew_at.is_none_or(|renew_at| now < renew_at)
            && self
                .check_at
                .is_none_or(|check_at| Instant::now() < check_at)
    }

    /// Returns true if requests may be signed with the credentials.
    fn is_usable(&self, now: Timestamp) -> bool {
        self.validity != Validity::Expired && self.credential.is_valid_at(now)
    }
}

/// The time to renew credentials that were loaded at `now`: after four fifths of their lifetime, at
/// the earliest [`MAX_MARGIN`] before their expiry, and at the latest after [`MAX_LIFETIME`].
fn renewal_time(expiry: Timestamp, now: Timestamp) -> Timestamp {
    let lifetime = Duration::try_from(now.duration_until(expiry)).unwrap_or_default();
    let before_expiry = expiry
        .checked_sub(MAX_MARGIN.min(lifetime / 5))
        .unwrap_or(expiry);
    let latest = now.checked_add(MAX_LIFETIME).unwrap_or(expiry);
    before_expiry.min(latest)
}

/// The error of a refresh that has not ended.
pub(super) fn aborted() -> CredentialsError {
    Problem::Aborted.of("credentials")
}
