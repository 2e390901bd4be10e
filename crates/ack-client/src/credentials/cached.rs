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
use super::provider::Provider;
use super::{Credential, Loaded, file};
use crate::credentials::SecretSource;
use crate::names::AccountName;

/// The earliest that credentials are renewed ahead of their expiry.
const MAX_MARGIN: Duration = Duration::from_secs(15 * 60);

/// The least time between two tries while they bring nothing usable, and between two renewals that
/// refusals of the API ask for.
const PAUSE: Duration = Duration::from_secs(5);

/// One account's credentials, kept fresh.
///
/// A refresh runs in a task of its own, which ends with this: a caller that is dropped takes
/// nothing away from the others. While the present credentials are valid, nobody waits for a
/// refresh and none that fails is noticed.
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
    /// The API has refused it: it may be half of a new key, or a key that is gone.
    Doubted,
    /// The vendor says that it has expired.
    Rejected,
}

/// A refresh under way: its task, and a channel that closes when the task has ended, however it
/// ended.
#[derive(Debug)]
struct Refresh {
    _task: AbortOnDropHandle<()>,
    ended: Ended,
}

/// Tells how a refresh has ended: as a failure until it says otherwise.
type Ended = watch::Receiver<Result<(), CredentialsError>>;

/// The next step of a caller that asks for credentials.
#[derive(Debug)]
enum Step {
    /// There is no reason to wait.
    Use(Arc<Credential>),
    /// The refresh under way decides.
    Wait(Ended),
    /// The last try failed a moment ago.
    Fail(CredentialsError),
}

// === impl CachedCredentials ===

impl CachedCredentials {
    /// The credentials of `account`, fetched by `method`. Nothing is fetched before somebody asks.
    pub fn new(account: AccountName, method: Provider, context: Context) -> Self {
        Self::with(
            Some(account),
            Loader::new(method, context),
            State::default(),
        )
    }

    /// Credentials that never change.
    pub fn fixed(credential: Credential) -> Self {
        let method = Provider::AccessKey {
            access_key_id: credential.access_key_id.clone(),
            access_key_secret: SecretSource::Inline(credential.access_key_secret.clone()),
            security_token: credential.security_token.clone().map(SecretSource::Inline),
        };
        let loader = Loader::new(method, Context::offline(crate::clock::Clock::System));
        let held = Held {
            credential: Arc::new(Credential {
                expires_at: None,
                ..credential
            }),
            provider: ProviderName::new(file::NAME),
            since: Instant::now(),
            renew_at: None,
            check_at: None,
            standing: Standing::Good,
        };
        Self::with(
            None,
            loader,
            State {
                held: Some(held),
                ..State::default()
            },
        )
    }

    fn with(account: Option<AccountName>, loader: Loader, state: State) -> Self {
        Self {
            shared: Arc::new(Shared {
                account,
                loader,
                state: Mutex::new(state),
            }),
            refresh: Mutex::new(None),
        }
    }

    /// The present credentials. Fetches them if there are none that are valid; starts to renew
    /// those that soon will not be. Whoever looks first at a source that may have changed waits for
    /// it, everybody else goes on with what is there, unless the API has refused that.
    pub async fn current(&self) -> Result<Arc<Credential>, CredentialsError> {
        loop {
            let mut ended = match self.step() {
                Step::Use(credential) => return Ok(credential),
                Step::Fail(error) => return Err(error),
                Step::Wait(ended) => ended,
            };
            // If the channel closes without news, what it began with holds: the refresh broke off.
            _ = ended.changed().await;
            let result = ended.borrow().clone();
            if let Some(credential) = self.shared.usable() {
                return Ok(credential);
            }
            // Where it succeeded, somebody has given up already what came; then there is more to
            // wait for.
            result?;
        }
    }

    /// Gives up `refused`, which the API says has expired, unless it is no longer in use. Those
    /// that took the place of others that were given up a moment ago are kept: to fetch them again
    /// would not make them better.
    pub fn report_expired(&self, refused: &Credential) {
        let mut state = self.shared.state();
        if state.given_up.is_some_and(|then| then.elapsed() < PAUSE) {
            return;
        }
        if let Some(held) = state
            .held
            .as_mut()
            .filter(|held| *held.credential == *refused)
        {
            held.standing = Standing::Rejected;
            state.given_up = Some(Instant::now());
        }
    }

    /// Notes that the API does not take `refused`. Its source is asked at once, however long it was
    /// to last, and everybody waits for what comes of it; while nothing comes, it stays in use.
    pub fn report_rejected(&self, refused: &Credential) {
        let mut state = self.shared.state();
        if let Some(held) = state
            .held
            .as_mut()
            .filter(|held| held.standing == Standing::Good && *held.credential == *refused)
        {
            held.standing = Standing::Doubted;
        }
    }

    /// The name of the provider that the present credentials are from; none before the first have
    /// come.
    pub fn provider(&self) -> Option<String> {
        self.shared
            .state()
            .held
            .as_ref()
            .map(|held| held.provider.to_string())
    }

    /// When the present credentials expire, if they do.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.shared
            .state()
            .held
            .as_ref()
            .and_then(|held| held.credential.expires_at)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Refresh>> {
        self.refresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a refresh if there is reason for one, unless one is under way or the last was only
    /// just tried.
    fn step(&self) -> Step {
        let now = self.shared.now();
        let mut refresh = self.lock();
        let under_way = refresh.as_ref().and_then(Refresh::under_way);
        let mut state = self.shared.state();
        if let Some(ended) = under_way {
            return match state.usable(now) {
                Some(credential) if !state.is_doubted() => Step::Use(credential),
                _ => Step::Wait(ended),
            };
        }
        if let Some(step) = state.step_without_refresh(now) {
            return step;
        }
        state.begin();
        let usable = state
            .usable(now)
            .filter(|credential| credential.expires_at.is_some() && !state.is_doubted());
        drop(state);
        let (end, ended) = watch::channel(Err(broke_off()));
        let shared = Arc::clone(&self.shared);
        let task = tokio::spawn(async move {
            let result = shared.refresh().await;
            drop(end.send_replace(result));
        });
        *refresh = Some(Refresh {
            _task: AbortOnDropHandle::new(task),
            ended: ended.clone(),
        });
        usable.map_or(Step::Wait(ended), Step::Use)
    }
}

impl Refresh {
    /// Its channel, unless it has ended.
    fn under_way(&self) -> Option<Ended> {
        matches!(self.ended.has_changed(), Ok(false)).then(|| self.ended.clone())
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
        self.tell(&result, &mut state);
        state.settle(result, now)
    }

    /// One line in the log for what has changed: a failure is tried again every few seconds, and
    /// may last for hours.
    fn tell(&self, result: &Result<Loaded, CredentialsError>, state: &mut State) {
        let account = self.account();
        match (result, state.told.take()) {
            (Ok(Loaded { provider, .. }), _)
                if state
                    .held
                    .as_ref()
                    .is_none_or(|held| held.provider != *provider) =>
            {
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
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.held.as_ref().is_some_and(|held| held.is_fresh(now))
    }

    fn is_doubted(&self) -> bool {
        self.held
            .as_ref()
            .is_some_and(|held| held.standing == Standing::Doubted)
    }

    /// What requests may be signed with.
    fn usable(&self, now: Timestamp) -> Option<Arc<Credential>> {
        self.held
            .as_ref()
            .filter(|held| held.is_usable(now))
            .map(|held| Arc::clone(&held.credential))
    }

    /// The step of a caller while no refresh is under way; none if one must begin.
    fn step_without_refresh(&self, now: Timestamp) -> Option<Step> {
        let paused = self.next_try.is_some_and(|next| Instant::now() < next);
        match (self.usable(now), &self.failure) {
            (Some(credential), _) if paused || self.is_fresh(now) => Some(Step::Use(credential)),
            (None, Some(failure)) if paused => Some(Step::Fail(failure.clone())),
            // After a success, credentials that are of no use any more are urgent.
            _ => None,
        }
    }

    /// Notes that a refresh begins, which counts as failed until it has succeeded.
    fn begin(&mut self) {
        self.failure = Some(broke_off());
        self.next_try = Some(Instant::now() + PAUSE);
    }

    fn settle(
        &mut self,
        result: Result<Loaded, CredentialsError>,
        now: Timestamp,
    ) -> Result<(), CredentialsError> {
        match result {
            Ok(loaded) => {
                let held = Held::new(loaded, now);
                let soon = held.since + PAUSE;
                self.next_try = Some(held.check_at.map_or(soon, |check_at| check_at.min(soon)));
                self.held = Some(held);
                self.failure = None;
                Ok(())
            }
            Err(error) => {
                self.next_try = Some(Instant::now() + PAUSE);
                self.failure = Some(error.clone());
                Err(error)
            }
        }
    }
}

fn broke_off() -> CredentialsError {
    Problem::BrokeOff.of("credentials")
}

// === impl Held ===

impl Held {
    fn new(
        Loaded {
            credential,
            provider,
            check_again,
        }: Loaded,
        now: Timestamp,
    ) -> Self {
        let renew_at = credential.expires_at.map(|expiry| {
            let lifetime = Duration::try_from(now.duration_until(expiry)).unwrap_or_default();
            expiry
                .checked_sub(MAX_MARGIN.min(lifetime / 5))
                .unwrap_or(expiry)
        });
        let since = Instant::now();
        let check_at = check_again.map(|pause| since + pause);
        Self {
            credential: Arc::new(credential),
            provider,
            since,
            renew_at,
            check_at,
            standing: Standing::Good,
        }
    }

    /// Whether there is no reason to ask the provider again.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.is_usable(now)
            && self.standing == Standing::Good
            && self.renew_at.is_none_or(|renew_at| now < renew_at)
            && self
                .check_at
                .is_none_or(|check_at| Instant::now() < check_at)
    }

    /// Whether requests may be signed with it.
    fn is_usable(&self, now: Timestamp) -> bool {
        self.standing != Standing::Rejected && self.credential.is_valid_at(now)
    }
}
