//! Credentials that the API reports as expired or rejects.

use super::*;

#[tokio::test(start_paused = true)]
async fn credentials_that_the_api_reports_as_expired_are_loaded_again_once() {
    let server = Server::new(Behavior::Lasting(HOUR), SECOND);
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
    let server = Server::new(Behavior::Lasting(HOUR), SECOND);
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
    let server = Server::new(Behavior::Endless, Duration::ZERO);
    let credentials = server.credentials();
    let first = credentials.current().await.expect("credentials");
    sleep(MINUTE).await;
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
    credentials.report_rejected(&first);
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.2"));
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_refused_again_and_again_are_renewed_once_in_five_seconds() {
    let server = Server::new(Behavior::Lasting(HOUR), Duration::ZERO);
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
    let server = Server::new(Behavior::Lasting(HOUR), Duration::ZERO);
    let credentials = server.credentials();
    let first = credentials.current().await.expect("credentials");
    sleep(MINUTE).await;
    server.set_behavior(Behavior::Silent);
    credentials.report_rejected(&first);
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.1"));
    assert_eq!(server.asked(), 2);
    server.set_behavior(Behavior::Lasting(HOUR));
    sleep(5 * SECOND).await;
    assert_eq!(id(&credentials).await.as_deref(), Ok("STS.3"));
}

#[tokio::test(start_paused = true)]
async fn a_caller_whose_new_credentials_are_already_expired_waits_for_the_next() {
    let server = Server::new(Behavior::Lasting(HOUR), SECOND);
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
async fn expired_credentials_are_not_used_even_if_there_are_no_others() {
    let server = Server::new(Behavior::Lasting(HOUR), Duration::ZERO);
    let credentials = server.credentials();
    let first = credentials.current().await.expect("credentials");
    sleep(MINUTE).await;
    server.set_behavior(Behavior::Silent);
    credentials.report_expired(&first);
    assert!(id(&credentials).await.is_err());
    assert!(id(&credentials).await.is_err());
    assert_eq!(server.asked(), 2);
}
