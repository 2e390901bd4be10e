//! The cache of one account's credentials, which renews them before they expire.

mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use self::state::{State, aborted};
use super::context::Context;
use super::error::CredentialsError;
use super::loader::Loader;
use super::provider::{Provider, SecretSource};
use super::{Credential, Loaded};
use crate::clock::Clock;
use crate::names::AccountName;

/// The credentials of one account, renewed before they expire.
///
/// All callers share one refresh. It runs in a task of its own, which ends with the cache, so that
/// a caller that is dropped does not stop it. While the present credentials are valid, no caller
/// waits for a refresh or sees its failure.
#[derive(Debug)]
pub struct CachedCredentials {
    shared: Arc<Shared>,
    refresh: Mutex<Option<Refresh>>,
}

#[derive(Debug)]
struct Shared {
    account: Option<AccountName>,
    loader: Loader,
    state: Mutex<State>,
}

/// A refresh: its task, and a channel that closes when the task has ended in any way.
#[derive(Debug)]
struct Refresh {
    _task: AbortOnDropHandle<()>,
    result: RefreshResult,
}

/// The result of a refresh, which is a failure until the refresh has succeeded.
type RefreshResult = watch::Receiver<Result<(), CredentialsError>>;

/// The next step of a caller that needs credentials and has not failed.
#[derive(Debug)]
enum Step {
    /// The caller uses this credential at once.
    Use(Arc<Credential>),
    /// The caller waits for the refresh.
    Wait(RefreshResult),
}

// === impl CachedCredentials ===

impl CachedCredentials {
    /// The credentials of `account` from `provider`. They are loaded when they are first needed.
    pub fn new(account: AccountName, provider: Provider, context: Context) -> Self {
        Self::of(Some(account), provider, context)
    }

    /// Credentials that never change. They too are loaded when they are first needed, which takes a
    /// tokio runtime, and [`CachedCredentials::provider`] is `None` until then.
    pub fn fixed(credential: Credential) -> Self {
        let provider = Provider::AccessKey {
            access_key_id: credential.access_key_id,
            access_key_secret: SecretSource::Inline(credential.access_key_secret),
            security_token: credential.security_token.map(SecretSource::Inline),
        };
        Self::of(None, provider, Context::offline(Clock::System))
    }

    fn of(account: Option<AccountName>, provider: Provider, context: Context) -> Self {
        Self {
            shared: Arc::new(Shared {
                account,
                loader: Loader::new(provider, context),
                state: Mutex::default(),
            }),
            refresh: Mutex::new(None),
        }
    }

    /// Returns the present credentials, or loads them if none are valid. Credentials that expire
    /// soon are returned while a refresh runs. If their provider gives no expiry and may have
    /// changed, the caller that starts the refresh waits for it; if the API has rejected them, all
    /// callers do.
    pub async fn current(&self) -> Result<Arc<Credential>, CredentialsError> {
        loop {
            let mut refresh = match self.step()? {
                Step::Use(credential) => return Ok(credential),
                Step::Wait(refresh) => refresh,
            };
            // An error means that the refresh was aborted, and then its first result holds.
            _ = refresh.changed().await;
            let result = refresh.borrow().clone();
            if let Some(credential) = self.shared.usable() {
                return Ok(credential);
            }
            // After a success, another caller has already reported the new credentials as expired,
            // and the next step is another refresh.
            result?;
        }
    }

    /// Notes that the API reports `credential` as expired. If it is still in use, it is no longer
    /// used. The credentials that replace it are kept for five seconds in any case, since others
    /// would not be better.
    pub fn report_expired(&self, credential: &Credential) {
        self.shared.state().report_expired(credential);
    }

    /// Notes that the API rejects `credential`. If it is still in use, it is loaded again at once,
    /// whatever its expiry, and all callers wait for that. It stays in use until others are there.
    pub fn report_rejected(&self, credential: &Credential) {
        self.shared.state().report_rejected(credential);
    }

    /// The name of the provider of the present credentials, if there are any.
    pub fn provider(&self) -> Option<String> {
        let state = self.shared.state();
        let current = state.current.as_ref()?;
        Some(current.provider.to_string())
    }

    /// The expiry of the present credentials, if they have one.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.shared.state().current.as_ref()?.credential.expires_at
    }

    /// Chooses the next step of a caller. Starts a refresh if there is a reason for one, unless one
    /// is running or the last one has just ended.
    fn step(&self) -> Result<Step, CredentialsError> {
        let now = self.shared.now();
        let mut refresh = self.refresh.lock().unwrap_or_else(PoisonError::into_inner);
        let running = refresh.as_ref().and_then(Refresh::running);
        let mut state = self.shared.state();
        if let Some(running) = running {
            return Ok(match state.usable(now) {
                Some(credential) if !state.is_rejected() => Step::Use(credential),
                _ => Step::Wait(running),
            });
        }
        if let Some(answer) = state.without_refresh(now) {
            return answer.map(Step::Use);
        }
        state.start_refresh();
        let usable = state
            .usable(now)
            .filter(|credential| credential.expires_at.is_some() && !state.is_rejected());
        drop(state);
        let started = Refresh::start(Arc::clone(&self.shared));
        let result = started.result.clone();
        *refresh = Some(started);
        Ok(usable.map_or(Step::Wait(result), Step::Use))
    }
}

// === impl Refresh ===

impl Refresh {
    fn start(shared: Arc<Shared>) -> Self {
        let (sender, result) = watch::channel(Err(aborted()));
        let task = tokio::spawn(async move {
            let result = shared.refresh().await;
            drop(sender.send_replace(result));
        });
        Self {
            _task: AbortOnDropHandle::new(task),
            result,
        }
    }

    /// The channel of the refresh, unless it has ended.
    fn running(&self) -> Option<RefreshResult> {
        matches!(self.result.has_changed(), Ok(false)).then(|| self.result.clone())
    }
}

// === impl Shared ===

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.loader.context().clock.now()
    }

    fn usable(&self) -> Option<Arc<Credential>> {
        self.state().usable(self.now())
    }

    async fn refresh(&self) -> Result<(), CredentialsError> {
        let result = self.loader.load().await;
        let now = self.now();
        let mut state = self.state();
        self.log(&result, &mut state);
        state.end_refresh(result, now)
    }

    /// Logs each change once, since a failure may be repeated every few seconds for hours.
    fn log(&self, result: &Result<Loaded, CredentialsError>, state: &mut State) {
        let account = self.account.as_ref().map(AccountName::as_str);
        match (result, state.logged.take()) {
            (Ok(Loaded { provider, .. }), _) if !state.is_from(provider) => {
                tracing::info!(account, %provider, "credentials chosen");
            }
            (Ok(_), Some(_)) => tracing::info!(account, "credentials refreshed again"),
            (Ok(_), None) => tracing::debug!(account, "credentials refreshed"),
            (Err(error), Some(logged)) if logged.has_cause_of(error) => {
                tracing::debug!(account, %error, "credentials still not refreshed");
                state.logged = Some(logged);
            }
            (Err(error), _) => {
                tracing::warn!(account, %error, "credentials not refreshed");
                state.logged = Some(error.clone());
            }
        }
    }
}
