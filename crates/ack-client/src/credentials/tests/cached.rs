//! The cache, on a paused clock.

mod log;
mod reports;

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio::time::{Instant, advance, sleep, timeout};

use crate::clock::Clock;
use crate::credentials::{
    CachedCredentials, Context, Credential, Environment, Files, Http, HttpError, Problem, Provider,
    Route,
};
use crate::credentials::{CredentialsUri, SecretSource};
use crate::names::AccountName;
use crate::secret::Secret;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// The behavior of the server from now on.
#[derive(Debug, Clone, Copy)]
enum Behavior {
    /// Hands out credentials that last so long from then on.
    Lasting(Duration),
    /// Hands out credentials that end at one time, as the metadata service does.
    Until(Timestamp),
    /// Hands out credentials and does not say how long they last.
    Endless,
    Silent,
    Panicking,
}

#[derive(Debug)]
struct Server {
    clock: Clock,
    delay: Duration,
    behavior: Mutex<Behavior>,
    asked: AtomicUsize,
    answered: AtomicUsize,
}

impl Server {
    fn new(behavior: Behavior, delay: Duration) -> Arc<Self> {
        let clock = Clock::simulated("2026-11-23T08:00:00Z".parse().expect("a time"));
        Arc::new(Self {
            clock,
            delay,
            behavior: Mutex::new(behavior),
            asked: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
        })
    }

    fn set_behavior(&self, behavior: Behavior) {
        *self.behavior.lock().expect("no panic") = behavior;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn credentials(self: &Arc<Self>) -> Arc<CachedCredentials> {
        let uri = CredentialsUri::parse("http://creds.example/").expect("a URI");
        let context = Context {
            environment: Environment::default(),
            files: Files::rooted("/nowhere"),
            http: Arc::<Self>::clone(self),
            clock: self.clock,
            session_name: "".into(),
        };
        Arc::new(CachedCredentials::new(
            account(),
            Provider::CredentialsUri(uri),
            context,
        ))
    }
}

impl Http for Server {
    fn send(
        &self,
        _: Route,
        _: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + '_>> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        Box::pin(async move {
            sleep(self.delay).await;
            self.answered.fetch_add(1, Ordering::SeqCst);
            let behavior = *self.behavior.lock().expect("no panic");
            let expires_at = match behavior {
                Behavior::Lasting(lifetime) => self.clock.now() + lifetime,
                Behavior::Until(end) => end,
                Behavior::Endless => {
                    return Ok(Response::new(Bytes::from(key(number).to_string())));
                }
                Behavior::Silent => return Err(HttpError::Timeout),
                Behavior::Panicking => panic!("the server is meant to panic"),
            };
            let mut reply = key(number);
            reply["Expiration"] = expires_at.to_string().into();
            Ok(Response::new(Bytes::from(reply.to_string())))
        })
    }
}

fn key(number: usize) -> serde_json::Value {
    serde_json::json!({ "AccessKeyId": format!("STS.{number}"), "AccessKeySecret": "s", "SecurityToken": "t" })
}

fn account() -> AccountName {
    AccountName::parse("a").expect("a name")
}

/// The ID of the present credentials, or the error.
async fn id(credentials: &CachedCredentials) -> Result<String, String> {
    credentials
        .current()
        .await
        .map(|credential| credential.access_key_id.clone())
        .map_err(|error| error.to_string())
}

/// Lets what was started come to its end, in less time than matters.
async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn credentials_that_never_expire_are_still_renewed_twice_a_day() {
    let server = Server::new(Behavior::Until(Timestamp::MAX), Duration::ZERO);
    let credentials = server.credentials();
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
    assert_eq!(credentials.expires_at(), Some(Timestamp::MAX));
    advance(11 * HOUR + 59 * MINUTE).await;
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
    settle().await;
    assert_eq!(server.asked(), 1);
    advance(MINUTE).await;
    // The present ones are used while the others arrive.
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
    settle().await;
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.2"));
    assert_eq!(server.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_callers_cause_one_request() {
    let server = Server::new(Behavior::Lasting(HOUR), 2 * SECOND);
    let credentials = server.credentials();
    assert_eq!(
        (credentials.provider(), credentials.expires_at()),
        (None, None)
    );
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let credentials = Arc::clone(&credentials);
        callers.spawn(async move { credentials.current().await.expect("credentials") });
    }
    let all = callers.join_all().await;
    assert!(
        all.iter()
            .all(|credential| Arc::ptr_eq(credential, &all[0]))
    );
    assert_eq!(server.asked(), 1);
    assert_eq!(credentials.provider().as_deref(), Some("credentials_uri"));
    assert_eq!(credentials.expires_at(), all[0].expires_at);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_callers_share_one_failure() {
    let server = Server::new(Behavior::Silent, SECOND);
    let credentials = server.credentials();
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let credentials = Arc::clone(&credentials);
        callers.spawn(async move { id(&credentials).await });
    }
    let error = "credentials_uri: creds.example does not answer: no reply in time";
    assert!(
        callers
            .join_all()
            .await
            .into_iter()
            .all(|result| result == Err(error.to_owned()))
    );
    assert_eq!(server.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn credentials_are_renewed_ahead_of_their_expiry_without_a_wait() {
    for (lifetime, margin) in [
        (HOUR, 12 * MINUTE),
        (6 * HOUR, 15 * MINUTE),
        (15 * MINUTE, 3 * MINUTE),
    ] {
        let server = Server::new(Behavior::Lasting(lifetime), 8 * SECOND);
        let credentials = server.credentials();
        assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
        advance(lifetime.saturating_sub(margin + SECOND)).await;
        assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
        settle().await;
        assert_eq!(server.asked(), 1, "too early");
        advance(SECOND).await;
        let started = Instant::now();
        assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
        assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
        assert_eq!(
            started.elapsed(),
            Duration::ZERO,
            "nobody waits while the old ones are valid"
        );
        sleep(9 * SECOND).await;
        assert_eq!(id(&credentials).await.as_deref(), Ok("STS.2"));
        assert_eq!(server.asked(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn the_old_credentials_are_used_until_they_expire_while_a_refresh_fails() {
    let server = Server::new(Behavior::Lasting(HOUR), Duration::ZERO);
    let credentials = server.credentials();
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
    server.set_behavior(Behavior::Silent);
    advance(48 * MINUTE).await;
    let end = Instant::now() + 12 * MINUTE;
    while Instant::now() + SECOND < end {
        assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
        sleep(Duration::from_millis(500)).await;
    }
    let tries = server.asked() - 1;
    assert!(
        (100..=144).contains(&tries),
        "one try in 5 s at most, but {tries} in 12 minutes"
    );
    sleep(2 * SECOND).await;
    assert_eq!(
        id(&credentials).await,
        Err("credentials_uri: creds.example does not answer: no reply in time".to_owned())
    );
    server.set_behavior(Behavior::Lasting(HOUR));
    sleep(5 * SECOND).await;
    assert!(id(&credentials).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_remembered_for_a_while() {
    let server = Server::new(Behavior::Silent, Duration::ZERO);
    let credentials = server.credentials();
    let first = id(&credentials).await;
    server.set_behavior(Behavior::Lasting(HOUR));
    sleep(Duration::from_millis(4_900)).await;
    assert_eq!(id(&credentials).await, first);
    assert_eq!(server.asked(), 1);
    sleep(Duration::from_millis(200)).await;
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.2"));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_caller_does_not_stop_the_refresh() {
    let server = Server::new(Behavior::Lasting(HOUR), 3 * SECOND);
    let credentials = server.credentials();
    assert!(timeout(SECOND, credentials.current()).await.is_err());
    let other = tokio::spawn({
        let credentials = Arc::clone(&credentials);
        async move { id(&credentials).await }
    });
    assert!(timeout(SECOND, credentials.current()).await.is_err());
    assert_eq!(other.await.expect("no panic").as_deref(), Ok("STS.1"));
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
    assert_eq!(server.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_goes_on_when_nobody_waits_for_it() {
    let server = Server::new(Behavior::Lasting(HOUR), 3 * SECOND);
    let credentials = server.credentials();
    assert!(timeout(SECOND, credentials.current()).await.is_err());
    sleep(MINUTE).await;
    let started = Instant::now();
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_ends_with_its_credentials() {
    let server = Server::new(Behavior::Lasting(HOUR), 3 * SECOND);
    let credentials = server.credentials();
    assert!(timeout(SECOND, credentials.current()).await.is_err());
    drop(credentials);
    sleep(MINUTE).await;
    assert_eq!(
        (server.asked(), server.answered.load(Ordering::SeqCst)),
        (1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_panics_is_a_failure_and_no_hang() {
    let server = Server::new(Behavior::Panicking, SECOND);
    let credentials = server.credentials();
    let error = timeout(MINUTE, credentials.current())
        .await
        .expect("no hang")
        .expect_err("a panic");
    assert_eq!(error.problem, Problem::Aborted);
    server.set_behavior(Behavior::Lasting(HOUR));
    assert!(id(&credentials).await.is_err());
    assert_eq!(server.asked(), 1, "a pause follows, as after any failure");
    sleep(5 * SECOND).await;
    assert!(id(&credentials).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_expiry_at_the_end_of_time_is_far_away_and_nothing_else() {
    let server = Server::new(Behavior::Until(Timestamp::MAX), Duration::ZERO);
    let credentials = server.credentials();
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
    advance(10_000 * 24 * HOUR).await;
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
    assert_eq!(
        (server.asked(), credentials.expires_at()),
        (1, Some(Timestamp::MAX))
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_repeats_expired_credentials_is_not_asked_all_the_time() {
    let server = Server::new(Behavior::Lasting(HOUR), Duration::ZERO);
    server.set_behavior(Behavior::Until(server.clock.now() + MINUTE));
    let credentials = server.credentials();
    let end = Instant::now() + MINUTE;
    while Instant::now() < end {
        assert!(id(&credentials).await.is_ok());
        sleep(Duration::from_millis(100)).await;
    }
    assert!(server.asked() <= 8, "asked {} times", server.asked());
    assert!(
        id(&credentials)
            .await
            .expect_err("expired")
            .contains("the credentials expired at")
    );
}

#[tokio::test(start_paused = true)]
async fn a_secret_file_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("secret");
    let write = |text: &str| std::fs::write(&path, text).expect("written");
    let method = Provider::AccessKey {
        access_key_id: "id".to_owned(),
        access_key_secret: SecretSource::File(path.clone()),
        security_token: None,
    };
    let credentials = CachedCredentials::new(account(), method, Context::offline(Clock::System));
    let secret = async || {
        credentials
            .current()
            .await
            .map(|credential| credential.access_key_secret.expose().to_owned())
    };
    write("one\n");
    assert_eq!(secret().await.as_deref(), Ok("one"));
    write("two\n");
    assert_eq!(
        secret().await.as_deref(),
        Ok("one"),
        "looked at once a second at most"
    );
    advance(SECOND).await;
    assert_eq!(secret().await.as_deref(), Ok("two"));
    for bad in ["", "two lines\nnot a key\n"] {
        write(bad);
        advance(6 * SECOND).await;
        assert_eq!(secret().await.as_deref(), Ok("two"), "{bad:?}");
    }
    std::fs::remove_file(&path).expect("removed");
    advance(6 * SECOND).await;
    assert_eq!(secret().await.as_deref(), Ok("two"));
    write("three");
    advance(6 * SECOND).await;
    assert_eq!(secret().await.as_deref(), Ok("three"));
    assert_eq!(
        (credentials.provider().as_deref(), credentials.expires_at()),
        (Some("access_key"), None)
    );
}

#[tokio::test]
async fn fixed_credentials_stay_as_they_are() {
    let credential = Credential {
        access_key_id: "id".to_owned(),
        access_key_secret: Secret::new("secret"),
        security_token: None,
        expires_at: None,
    };
    let credentials = CachedCredentials::fixed(credential.clone());
    assert_eq!(
        *credentials.current().await.expect("credentials"),
        credential
    );
    assert_eq!(credentials.provider().as_deref(), Some("access_key"));
    credentials.report_expired(&credential);
    assert_eq!(
        *credentials.current().await.expect("credentials"),
        credential
    );
}
