//! Credentials at hand: fetched ahead of their expiry, once for everybody who asks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::context::Context;
use super::error::{CredentialsError, Problem, ProviderName};
use super::loader::Loader;
use super::{Credential, Loaded, file};
use crate::config::{self, SecretSource};
use crate::names::AccountName;

/// The earliest that credentials are renewed ahead of their expiry.
const MAX_MARGIN: Duration = Duration::from_secs(15 * 60);

/// The least time between two tries while they bring nothing usable, and between two renewals that the vendor's
/// refusals ask for.
const PAUSE: Duration = Duration::from_secs(5);

/// One account's credentials, kept fresh.
///
/// A refresh runs in a task of its own, which ends with this: a caller that is dropped takes nothing away from the
/// others. While the present credentials are valid, nobody waits for a refresh and none that fails is noticed.
#[derive(Debug)]
pub struct Credentials {
    shared: Arc<Shared>,
    refresh: Mutex<Option<Refresh>>,
}

#[derive(Debug)]
struct Shared {
    account: Option<AccountName>,
    loader: Loader,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    /// The last try, if it failed, and the one under way until it has succeeded.
    failure: Option<CredentialsError>,
    /// What the log has been told is wrong.
    told: Option<CredentialsError>,
    /// Before this, no try is made unless it is urgent.
    next_try: Option<Instant>,
    /// When credentials were last given up because the vendor says that they have expired.
    given_up: Option<Instant>,
}

#[derive(Debug)]
struct Held {
    credential: Arc<Credential>,
    provider: ProviderName,
    since: Instant,
    /// When to renew, by the clock that also says when it expires.
    renew_at: Option<Timestamp>,
    /// When to look again at a source that does not say how long it is good for.
    check_at: Option<Instant>,
    standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Good,
    /// The vendor has refused it: it may be half of a new key, or a key that is gone.
    Doubted,
    /// The vendor says that it has expired.
    Rejected,
}

/// A refresh under way: its task, and a channel that closes when the task has ended, however it ended.
#[derive(Debug)]
struct Refresh {
    _task: AbortOnDropHandle<()>,
    ended: watch::Receiver<()>,
}

/// Who has started the refresh that is under way.
enum UnderWay {
    Started(watch::Receiver<()>),
    Joined(watch::Receiver<()>),
    /// There is none: the last try is too recent.
    Paused,
}

// === impl Credentials ===

impl Credentials {
    /// The credentials of `account`, fetched by `method`. Nothing is fetched before somebody asks.
    pub fn new(account: AccountName, method: config::Credentials, context: Context) -> Self {
        Self::with(Some(account), Loader::new(method, context), State::default())
    }

    /// Credentials that never change.
    pub fn fixed(credential: Credential) -> Self {
        let method = config::Credentials::AccessKey {
            access_key_id: credential.access_key_id.clone(),
            access_key_secret: SecretSource::Inline(credential.access_key_secret.clone()),
            security_token: credential.security_token.clone().map(SecretSource::Inline),
        };
        let loader = Loader::new(method, Context::offline(crate::clock::Clock::System));
        let held = Held {
            credential: Arc::new(Credential { expires_at: None, ..credential }),
            provider: ProviderName::new(file::NAME),
            since: Instant::now(),
            renew_at: None,
            check_at: None,
            standing: Standing::Good,
        };
        Self::with(None, loader, State { held: Some(held), ..State::default() })
    }

    fn with(account: Option<AccountName>, loader: Loader, state: State) -> Self {
        Self { shared: Arc::new(Shared { account, loader, state: Mutex::new(state) }), refresh: Mutex::new(None) }
    }

    /// The present credentials. Fetches them if there are none that are valid; starts to renew those that soon will not
    /// be. Whoever looks first at a source that may have changed waits for it, everybody else goes on with what is there,
    /// unless the vendor has refused that.
    pub async fn current(&self) -> Result<Arc<Credential>, CredentialsError> {
        loop {
            if let Some(credential) = self.shared.fresh() {
                return Ok(credential);
            }
            let under_way = self.refresh();
            let usable = self.shared.usable();
            let mut ended = match (under_way, usable) {
                (UnderWay::Started(ended), Some(credential)) if credential.expires_at.is_none() => ended,
                (UnderWay::Joined(ended), Some(_)) if self.shared.is_doubted() => ended,
                (_, Some(credential)) => return Ok(credential),
                (UnderWay::Started(ended) | UnderWay::Joined(ended), None) => ended,
                (UnderWay::Paused, None) => return Err(self.shared.failure()),
            };
            // Nothing is ever sent: the only news is that the channel is closed.
            _ = ended.changed().await;
            if let Some(credential) = self.shared.usable() {
                return Ok(credential);
            }
            // Somebody may have given up already what came; then there is more to wait for.
            if self.under_way().is_none() {
                return Err(self.shared.failure());
            }
        }
    }

    /// Gives up `refused`, which the vendor says has expired, unless it is no longer in use. Those that took the place of others
    /// that were given up a moment ago are kept: to fetch them again would not make them better.
    pub fn invalidate(&self, refused: &Credential) {
        let mut state = self.shared.state();
        if state.given_up.is_some_and(|then| then.elapsed() < PAUSE) {
            return;
        }
        if let Some(held) = state.held.as_mut().filter(|held| *held.credential == *refused) {
            held.standing = Standing::Rejected;
            state.given_up = Some(Instant::now());
        }
    }

    /// Notes that the vendor does not take `refused`. It stays in use, but once its source is looked at again, nobody goes on
    /// without what comes of it.
    pub fn doubt(&self, refused: &Credential) {
        let mut state = self.shared.state();
        if let Some(held) = state.held.as_mut().filter(|held| held.standing == Standing::Good && *held.credential == *refused) {
            held.standing = Standing::Doubted;
        }
    }

    /// The name of the provider that the present credentials are from; none before the first have come.
    pub fn provider(&self) -> Option<String> {
        self.shared.state().held.as_ref().map(|held| held.provider.to_string())
    }

    /// When the present credentials expire, if they do.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.shared.state().held.as_ref().and_then(|held| held.credential.expires_at)
    }

    /// The refresh that is under way.
    fn under_way(&self) -> Option<watch::Receiver<()>> {
        self.lock().as_ref().and_then(Refresh::under_way)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Refresh>> {
        self.refresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a refresh, unless one is under way or the last was only just tried.
    fn refresh(&self) -> UnderWay {
        let mut refresh = self.lock();
        if let Some(ended) = refresh.as_ref().and_then(Refresh::under_way) {
            return UnderWay::Joined(ended);
        }
        if !self.shared.begin() {
            return UnderWay::Paused;
        }
        let (end, ended) = watch::channel(());
        let shared = Arc::clone(&self.shared);
        let task = tokio::spawn(async move {
            shared.refresh().await;
            drop(end);
        });
        *refresh = Some(Refresh { _task: AbortOnDropHandle::new(task), ended: ended.clone() });
        UnderWay::Started(ended)
    }
}

impl Refresh {
    /// Its channel, unless it has ended.
    fn under_way(&self) -> Option<watch::Receiver<()>> {
        self.ended.has_changed().is_ok().then(|| self.ended.clone())
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

    fn fresh(&self) -> Option<Arc<Credential>> {
        let now = self.now();
        self.state().held.as_ref().filter(|held| held.is_fresh(now)).map(|held| Arc::clone(&held.credential))
    }

    fn usable(&self) -> Option<Arc<Credential>> {
        let now = self.now();
        self.state().held.as_ref().filter(|held| held.is_usable(now)).map(|held| Arc::clone(&held.credential))
    }

    fn is_doubted(&self) -> bool {
        self.state().held.as_ref().is_some_and(|held| held.standing == Standing::Doubted)
    }

    fn failure(&self) -> CredentialsError {
        self.state().failure.clone().unwrap_or_else(broke_off)
    }

    /// Whether a refresh may begin now; if so, it counts as failed until it has succeeded.
    fn begin(&self) -> bool {
        let now = self.now();
        let mut state = self.state();
        if state.held.as_ref().is_some_and(|held| held.is_fresh(now)) {
            return false;
        }
        // After a success, only credentials that are of no use any more are urgent.
        let urgent = state.failure.is_none() && !state.held.as_ref().is_some_and(|held| held.is_usable(now));
        if !urgent && state.next_try.is_some_and(|next| Instant::now() < next) {
            return false;
        }
        state.failure = Some(broke_off());
        state.next_try = Some(Instant::now() + PAUSE);
        true
    }

    async fn refresh(&self) {
        let result = self.loader.load().await;
        let now = self.now();
        let mut state = self.state();
        self.tell(&result, &mut state);
        state.settle(result, now);
    }

    /// One line in the log for what has changed: a failure is tried again every few seconds, and may last for hours.
    fn tell(&self, result: &Result<Loaded, CredentialsError>, state: &mut State) {
        let account = self.account();
        match (result, state.told.take()) {
            (Ok(Loaded { provider, .. }), _) if state.held.as_ref().is_none_or(|held| held.provider != *provider) => {
                tracing::info!(account, %provider, "credentials chosen");
            }
            (Ok(_), Some(_)) => tracing::info!(account, "credentials refreshed again"),
            (Ok(_), None) => tracing::debug!(account, "credentials refreshed"),
            (Err(error), Some(told)) if told.is_like(error) => {
                tracing::debug!(account, %error, "credentials still not refreshed");
                state.told = Some(told);
            }
            (Err(error), _) => {
                tracing::warn!(account, %error, "credentials not refreshed");
                state.told = Some(error.clone());
            }
        }
    }

    fn account(&self) -> Option<&str> {
        self.account.as_ref().map(AccountName::as_str)
    }
}

// === impl State ===

impl State {
    fn settle(&mut self, result: Result<Loaded, CredentialsError>, now: Timestamp) {
        match result {
            Ok(loaded) => {
                let held = Held::new(loaded, now);
                self.next_try = Some(held.check_at.unwrap_or(held.since + PAUSE));
                self.held = Some(held);
                self.failure = None;
            }
            Err(error) => {
                self.next_try = Some(Instant::now() + PAUSE);
                self.failure = Some(error);
            }
        }
    }
}

fn broke_off() -> CredentialsError {
    Problem::BrokeOff.of("credentials")
}

// === impl Held ===

impl Held {
    fn new(Loaded { credential, provider, check_again }: Loaded, now: Timestamp) -> Self {
        let renew_at = credential.expires_at.map(|expiry| {
            let lifetime = Duration::try_from(now.duration_until(expiry)).unwrap_or_default();
            expiry.checked_sub(MAX_MARGIN.min(lifetime / 5)).unwrap_or(expiry)
        });
        let since = Instant::now();
        let check_at = check_again.map(|pause| since + pause);
        Self { credential: Arc::new(credential), provider, since, renew_at, check_at, standing: Standing::Good }
    }

    /// Whether there is no reason to ask the provider again.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.is_usable(now)
            && self.renew_at.is_none_or(|renew_at| now < renew_at)
            && self.check_at.is_none_or(|check_at| Instant::now() < check_at)
    }

    /// Whether requests may be signed with it.
    fn is_usable(&self, now: Timestamp) -> bool {
        self.standing != Standing::Rejected && self.credential.is_valid_at(now)
    }
}
