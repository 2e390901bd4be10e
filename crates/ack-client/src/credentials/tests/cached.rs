//! The cache, on a clock that stands still unless told.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use tempfile::NamedTempFile;
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

/// What the server does from now on.
#[derive(Debug, Clone, Copy)]
enum Mood {
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
    mood: Mutex<Mood>,
    asked: AtomicUsize,
    answered: AtomicUsize,
}

impl Server {
    fn new(mood: Mood, delay: Duration) -> Arc<Self> {
        let clock = Clock::simulated("2026-11-23T08:00:00Z".parse().expect("a time"));
        Arc::new(Self {
            clock,
            delay,
            mood: Mutex::new(mood),
            asked: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
        })
    }

    fn turn(&self, mood: Mood) {
        *self.mood.lock().expect("no panic") = mood;
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
            let mood = *self.mood.lock().expect("no panic");
            let expires_at = match mood {
                Mood::Lasting(lifetime) => self.clock.now() + lifetime,
                Mood::Until(end) => end,
                Mood::Endless => return Ok(Response::new(Bytes::from(key(number).to_string()))),
                Mood::Silent => return Err(HttpError::Timeout),
                Mood::Panicking => panic!("the server is meant to panic"),
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
async fn a_hundred_callers_cause_one_request() {
    let server = Server::new(Mood::Lasting(HOUR), 2 * SECOND);
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
    let server = Server::new(Mood::Silent, SECOND);
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
        let server = Server::new(Mood::Lasting(lifetime), 8 * SECOND);
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
async fn the_old_ones_serve_until_they_expire_while_a_refresh_fails() {
    let server = Server::new(Mood::Lasting(HOUR), Duration::ZERO);
    let credentials = server.credentials();
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
    server.turn(Mood::Silent);
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
    server.turn(Mood::Lasting(HOUR));
    sleep(5 * SECOND).await;
    assert!(id(&credentials).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_remembered_for_a_while() {
    let server = Server::new(Mood::Silent, Duration::ZERO);
    let credentials = server.credentials();
    let first = id(&credentials).await;
    server.turn(Mood::Lasting(HOUR));
    sleep(Duration::from_millis(4_900)).await;
    assert_eq!(id(&credentials).await, first);
    assert_eq!(server.asked(), 1);
    sleep(Duration::from_millis(200)).await;
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.2"));
}

/// What is logged from now on, on this thread.
struct Log {
    file: NamedTempFile,
    /// While there is only one in the process, tracing asks the subscriber of whichever thread
    /// comes by first, which is none in other tests, whether anybody wants a line at all.
    _second: tracing::Dispatch,
    _listening: tracing::subscriber::DefaultGuard,
}

impl Log {
    fn listen() -> Self {
        let file = NamedTempFile::new().expect("a file");
        let to_file = file.reopen().expect("the file");
        let written = tracing_subscriber::fmt()
            .with_writer(to_file)
            .with_max_level(tracing::Level::INFO)
            .finish();
        let second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
        Self {
            file,
            _second: second,
            _listening: tracing::subscriber::set_default(written),
        }
    }

    /// How often each of the messages was logged.
    fn count(&self, messages: &[&str]) -> Vec<usize> {
        let text = std::fs::read_to_string(self.file.path()).expect("text");
        messages
            .iter()
            .map(|message| text.lines().filter(|line| line.contains(message)).count())
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_tells_once_that_there_are_no_credentials_and_once_that_there_are_again() {
    let log = Log::listen();
    let server = Server::new(Mood::Silent, Duration::ZERO);
    let credentials = server.credentials();
    let outage = async || {
        server.turn(Mood::Silent);
        for _ in 0..20 {
            sleep(6 * SECOND).await;
            drop(id(&credentials).await);
        }
        server.turn(Mood::Lasting(5 * SECOND));
        sleep(6 * SECOND).await;
        id(&credentials).await.expect("credentials again");
    };
    let messages = [
        "credentials not refreshed",
        "credentials chosen",
        "credentials refreshed again",
    ];
    outage().await;
    assert_eq!(log.count(&messages), [1, 1, 0]);
    outage().await;
    assert_eq!(log.count(&messages), [2, 1, 1], "every outage is told");
    server.turn(Mood::Until(server.clock.now()));
    sleep(6 * SECOND).await;
    for _ in 0..3 {
        id(&credentials).await.expect_err("expired when they come");
        sleep(6 * SECOND).await;
    }
    server.turn(Mood::Silent);
    id(&credentials).await.expect_err("silent");
    assert_eq!(
        log.count(&messages),
        [4, 1, 1],
        "and so is every other reason"
    );
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_is_dropped_takes_nothing_away() {
    let server = Server::new(Mood::Lasting(HOUR), 3 * SECOND);
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
    let server = Server::new(Mood::Lasting(HOUR), 3 * SECOND);
    let credentials = server.credentials();
    assert!(timeout(SECOND, credentials.current()).await.is_err());
    sleep(MINUTE).await;
    let started = Instant::now();
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_ends_with_its_credentials() {
    let server = Server::new(Mood::Lasting(HOUR), 3 * SECOND);
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
    let server = Server::new(Mood::Panicking, SECOND);
    let credentials = server.credentials();
    let error = timeout(MINUTE, credentials.current())
        .await
        .expect("no hang")
        .expect_err("a panic");
    assert_eq!(error.problem, Problem::BrokeOff);
    server.turn(Mood::Lasting(HOUR));
    sleep(5 * SECOND).await;
    assert!(id(&credentials).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_the_vendor_says_has_expired_is_fetched_anew_once() {
    let server = Server::new(Mood::Lasting(HOUR), SECOND);
    let credentials = server.credentials();
    // However young they are.
    let first = credentials.current().await.expect("credentials");
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let (credentials, first) = (Arc::clone(&credentials), Arc::clone(&first));
        callers.spawn(async move {
            credentials.report_expired(&first);
            id(&credentials).await
        });
    }
    assert!(
        callers
            .join_all()
            .await
            .into_iter()
            .all(|result| result.as_deref() == Ok("STS.2"))
    );
    credentials.report_expired(&first);
    assert_eq!(
        id(&credentials).await.as_deref(),
        Ok("STS.2"),
        "the first is no longer in use"
    );
    let second = credentials.current().await.expect("credentials");
    credentials.report_expired(&second);
    assert_eq!(
        id(&credentials).await.as_deref(),
        Ok("STS.2"),
        "others were only just given up"
    );
    assert_eq!(server.asked(), 2);
    sleep(5 * SECOND).await;
    credentials.report_expired(&second);
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.3"));
}

#[tokio::test(start_paused = true)]
async fn a_temporary_key_that_is_refused_is_renewed_at_once_whatever_its_expiry() {
    let server = Server::new(Mood::Lasting(HOUR), SECOND);
    let credentials = server.credentials();
    let first = credentials.current().await.expect("credentials");
    sleep(MINUTE).await;
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let (credentials, first) = (Arc::clone(&credentials), Arc::clone(&first));
        callers.spawn(async move {
            credentials.report_rejected(&first);
            id(&credentials).await
        });
    }
    let all = callers.join_all().await;
    assert!(
        all.iter().all(|result| result.as_deref() == Ok("STS.2")),
        "everybody waits for the new one: {all:?}"
    );
    assert_eq!(server.asked(), 2);
    credentials.report_rejected(&first);
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.2"));
    settle().await;
    assert_eq!(server.asked(), 2, "the first is no longer in use");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_does_not_say_how_long_it_lasts_is_renewed_when_it_is_refused() {
    let server = Server::new(Mood::Endless, Duration::ZERO);
    let credentials = server.credentials();
    let first = credentials.current().await.expect("credentials");
    sleep(MINUTE).await;
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
    credentials.report_rejected(&first);
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.2"));
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_refused_again_and_again_are_renewed_once_in_five_seconds() {
    let server = Server::new(Mood::Lasting(HOUR), Duration::ZERO);
    let credentials = server.credentials();
    let end = Instant::now() + MINUTE;
    while Instant::now() < end {
        let current = credentials
            .current()
            .await
            .expect("the old one serves until there is another");
        credentials.report_rejected(&current);
        sleep(Duration::from_millis(100)).await;
    }
    assert!(
        (10..=13).contains(&server.asked()),
        "asked {} times",
        server.asked()
    );
}

#[tokio::test(start_paused = true)]
async fn a_temporary_key_that_is_refused_serves_on_while_there_is_no_other() {
    let server = Server::new(Mood::Lasting(HOUR), Duration::ZERO);
    let credentials = server.credentials();
    let first = credentials.current().await.expect("credentials");
    sleep(MINUTE).await;
    server.turn(Mood::Silent);
    credentials.report_rejected(&first);
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
    assert_eq!(server.asked(), 2);
    server.turn(Mood::Lasting(HOUR));
    sleep(5 * SECOND).await;
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.3"));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_while_others_give_up_what_came_waits_for_the_next() {
    let server = Server::new(Mood::Lasting(HOUR), SECOND);
    let credentials = server.credentials();
    let mut callers = JoinSet::new();
    for _ in 0..3 {
        let credentials = Arc::clone(&credentials);
        callers.spawn(async move {
            let credential = credentials
                .current()
                .await
                .map_err(|error| error.to_string())?;
            // Before the others have had a look at it.
            credentials.report_expired(&credential);
            Ok::<_, String>(credential.access_key_id.clone())
        });
    }
    let mut all = callers.join_all().await;
    all.sort();
    assert_eq!(all, ["STS.1", "STS.2", "STS.2"].map(|id| Ok(id.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn an_expiry_at_the_end_of_time_is_far_away_and_nothing_else() {
    let server = Server::new(Mood::Until(Timestamp::MAX), Duration::ZERO);
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
async fn what_the_vendor_says_has_expired_is_not_used_when_there_is_nothing_new() {
    let server = Server::new(Mood::Lasting(HOUR), Duration::ZERO);
    let credentials = server.credentials();
    let first = credentials.current().await.expect("credentials");
    sleep(MINUTE).await;
    server.turn(Mood::Silent);
    credentials.report_expired(&first);
    assert!(id(&credentials).await.is_err());
    assert!(id(&credentials).await.is_err());
    assert_eq!(server.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_repeats_itself_is_not_asked_all_the_time() {
    let server = Server::new(Mood::Lasting(HOUR), Duration::ZERO);
    server.turn(Mood::Until(server.clock.now() + MINUTE));
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
    assert_eq!(credentials.provider().as_deref(), Some("access_key"));
    assert_eq!(
        *credentials.current().await.expect("credentials"),
        credential
    );
    credentials.report_expired(&credential);
    assert_eq!(
        *credentials.current().await.expect("credentials"),
        credential
    );
}
