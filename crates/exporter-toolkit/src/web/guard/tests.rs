//! One request at the guard, and the swap of its files; handshakes below.

mod fixture;
mod handshake;
mod reloading;

use std::io::Write as _;
use std::net::Ipv4Addr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt as _;
use http::{Request, header};

use self::fixture::Fixture;
use super::*;

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn anonymous() -> Parts {
    Request::new(()).into_parts().0
}

fn login(user: &str, password: &str) -> Parts {
    let value = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    Request::builder()
        .header(header::AUTHORIZATION, value)
        .body(())
        .expect("a request")
        .into_parts()
        .0
}

fn users(user: &str, password: &str) -> String {
    format!(
        "basic_auth_users: {{{user}: {}}}\n",
        bcrypt::hash(password, 4).expect("hashes")
    )
}

#[tokio::test(start_paused = true)]
async fn a_request_needs_a_password_first_and_a_token_then() {
    let fixture = Fixture::new();
    let guard = fixture.guard(&(users("alice", "right") + "rate_limit: {interval: 60s, burst: 2}"));
    let unauthorized = Err(Rejection::Unauthorized);
    assert_eq!(
        guard.check(&anonymous(), CLIENT, Auth::Required).await,
        unauthorized
    );
    for _more_than_the_burst in 0..5 {
        assert_eq!(
            guard
                .check(&login("alice", "wrong"), CLIENT, Auth::Required)
                .await,
            unauthorized
        );
    }
    let right = login("alice", "right");
    assert_eq!(guard.check(&right, CLIENT, Auth::Required).await, Ok(()));
    assert_eq!(guard.check(&right, CLIENT, Auth::Required).await, Ok(()));
    let too_many = Err(Rejection::TooMany {
        retry_after: Duration::from_secs(60),
    });
    assert_eq!(guard.check(&right, CLIENT, Auth::Required).await, too_many);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(guard.check(&right, CLIENT, Auth::Required).await, Ok(()));
}

#[tokio::test]
async fn health_checks_need_neither_password_nor_token() {
    let fixture = Fixture::new();
    let guard = fixture.guard(&(users("alice", "right") + "rate_limit: {interval: 1h}"));
    for _more_than_the_burst in 0..5 {
        assert_eq!(guard.check(&anonymous(), CLIENT, Auth::None).await, Ok(()));
    }
    assert_eq!(
        guard
            .check(&login("alice", "right"), CLIENT, Auth::Required)
            .await,
        Ok(()),
        "the token is still there"
    );
}

#[tokio::test]
async fn an_interval_without_burst_lets_one_through() {
    let guard = Fixture::new().guard("rate_limit: {interval: 1h}");
    assert_eq!(
        guard.check(&anonymous(), CLIENT, Auth::Required).await,
        Ok(())
    );
    assert!(
        guard
            .check(&anonymous(), CLIENT, Auth::Required)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_password_is_swapped_while_serving() {
    let fixture = Fixture::new();
    let guard = fixture.guard(&users("alice", "old"));
    assert_eq!(
        guard
            .check(&login("alice", "old"), CLIENT, Auth::Required)
            .await,
        Ok(())
    );
    fixture.write("web.yml", &users("alice", "new"));
    assert_eq!(
        guard.reload_blocking().expect("a good file"),
        Reloaded::Changed
    );
    assert_eq!(
        guard
            .check(&login("alice", "old"), CLIENT, Auth::Required)
            .await,
        Err(Rejection::Unauthorized)
    );
    assert_eq!(
        guard
            .check(&login("alice", "new"), CLIENT, Auth::Required)
            .await,
        Ok(())
    );
}

#[tokio::test]
async fn a_reload_does_not_fill_the_bucket() {
    let fixture = Fixture::new();
    let guard = fixture.guard("rate_limit: {interval: 1h}");
    assert_eq!(
        guard.check(&anonymous(), CLIENT, Auth::Required).await,
        Ok(())
    );
    fixture.write("web.yml", "rate_limit: {interval: 60m, burst: 1}");
    assert_eq!(
        guard.reload_blocking().expect("a good file"),
        Reloaded::Changed
    );
    assert!(
        guard
            .check(&anonymous(), CLIENT, Auth::Required)
            .await
            .is_err()
    );
    fixture.write("web.yml", "");
    assert_eq!(
        guard.reload_blocking().expect("a good file"),
        Reloaded::Changed
    );
    assert_eq!(
        guard.check(&anonymous(), CLIENT, Auth::Required).await,
        Ok(())
    );
}

#[tokio::test]
async fn connections_and_requests_can_each_have_a_task() {
    let guard = Arc::new(Fixture::new().tls_guard(""));
    let (taken_in, checked) = (guard.clone(), guard);
    tokio::spawn(async move { taken_in.accept(tokio::io::empty()).await })
        .await
        .expect("no panic")
        .expect_err("nothing was sent");
    tokio::spawn(async move { checked.check(&anonymous(), CLIENT, Auth::Required).await })
        .await
        .expect("no panic")
        .expect("no users");
}

#[test]
fn headers_follow_the_file() {
    let fixture = Fixture::new();
    let guard = fixture.guard("http_server_config: {headers: {X-Frame-Options: deny}}");
    let headers = |guard: &WebGuard| {
        let mut headers = HeaderMap::new();
        guard.add_headers(&mut headers);
        headers
            .into_iter()
            .map(|(name, value)| (name.expect("a name").to_string(), value))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        headers(&guard),
        [(
            "x-frame-options".to_owned(),
            "deny".parse().expect("a value")
        )]
    );
    fixture.write(
        "web.yml",
        "http_server_config: {headers: {X-XSS-Protection: 0}}",
    );
    assert_eq!(
        guard.reload_blocking().expect("a good file"),
        Reloaded::Changed
    );
    assert_eq!(
        headers(&guard),
        [("x-xss-protection".to_owned(), "0".parse().expect("a value"))]
    );
}

#[test]
fn a_file_that_cannot_be_loaded_has_all_its_mistakes_named() {
    let fixture = Fixture::new();
    fixture.write(
        "web.yml",
        "tls_server_config: {cert_file: absent.crt, min_version: SSL3}",
    );
    let error = WebGuard::load(&fixture.path("web.yml"))
        .err()
        .expect("mistakes")
        .to_string();
    for path in ["min_version", "cert_file", "key_file"] {
        assert!(
            error.contains(&format!("tls_server_config.{path}: ")),
            "{path} is not in: {error}"
        );
    }
    assert!(matches!(
        WebGuard::load(&fixture.path("absent.yml")),
        Err(WebConfigError::Unreadable { .. })
    ));
}
