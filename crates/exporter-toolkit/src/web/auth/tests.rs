//! Logins that pass, those that do not, and their costs.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::Poll;

use futures_util::future::join_all;

use super::*;

const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn users(passwords: &[(&str, &str)]) -> Users {
    let hash = |password: &str| {
        PasswordHash::parse(&bcrypt::hash(password, 4).expect("hashes")).expect("is one")
    };
    Users::new(
        passwords
            .iter()
            .map(|(user, password)| ((*user).to_owned(), hash(password)))
            .collect::<BTreeMap<_, _>>(),
    )
}

fn authorization(value: &str) -> HeaderMap {
    HeaderMap::from_iter([(
        header::AUTHORIZATION,
        value.parse().expect("a header value"),
    )])
}

fn login(user: &str, password: &str) -> HeaderMap {
    authorization(&format!(
        "Basic {}",
        STANDARD.encode(format!("{user}:{password}"))
    ))
}

#[tokio::test(start_paused = true)]
async fn only_the_right_password_of_a_known_user_lets_in() {
    let passwords = Passwords::new().expect("randomness");
    let users = users(&[("alice", "wonder:land"), ("bob", "")]);
    for _from_memory_the_second_time in 0..2 {
        for (user, password, verdict) in [
            ("alice", "wonder:land", Ok(())),
            ("bob", "", Ok(())),
            ("alice", "wonderland", Err(Rejection::Unauthorized)),
            ("alice", "", Err(Rejection::Unauthorized)),
            ("Alice", "wonder:land", Err(Rejection::Unauthorized)),
            ("bob", "wonder:land", Err(Rejection::Unauthorized)),
            ("mallory", "wonder:land", Err(Rejection::Unauthorized)),
        ] {
            assert_eq!(
                passwords
                    .check(&users, &login(user, password), CLIENT)
                    .await,
                verdict,
                "{user}:{password}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_that_bcrypt_would_cut_off_is_refused_with_the_reason() {
    let passwords = Passwords::new().expect("randomness");
    let longest = "x".repeat(72);
    let users = users(&[("alice", &longest)]);
    assert_eq!(
        passwords
            .check(&users, &login("alice", &longest), CLIENT)
            .await,
        Ok(())
    );
    for user in ["alice", "mallory"] {
        let longer = login(user, &format!("{longest}x"));
        for _from_memory_the_second_time in 0..2 {
            assert_eq!(
                passwords.check(&users, &longer, CLIENT).await,
                Err(Rejection::PasswordTooLong),
                "{user}"
            );
        }
    }
}

#[tokio::test]
async fn without_users_nobody_is_asked() {
    let passwords = Passwords::new().expect("randomness");
    assert_eq!(
        passwords
            .check(&Users::default(), &HeaderMap::new(), CLIENT)
            .await,
        Ok(())
    );
}

#[tokio::test]
async fn the_scheme_is_basic_in_any_case_of_letters() {
    let passwords = Passwords::new().expect("randomness");
    let users = users(&[("a", "b")]);
    for (value, verdict) in [
        ("Basic YTpi", Ok(())),
        ("basic YTpi", Ok(())),
        ("BASIC  YTpi", Ok(())),
        ("Bearer YTpi", Err(Rejection::Unauthorized)),
        ("Basic", Err(Rejection::Unauthorized)),
        ("Basic !", Err(Rejection::Unauthorized)),
        ("Basic YQ==", Err(Rejection::Unauthorized)),
    ] {
        assert_eq!(
            passwords.check(&users, &authorization(value), CLIENT).await,
            verdict,
            "{value}"
        );
    }
    assert_eq!(
        passwords.check(&users, &HeaderMap::new(), CLIENT).await,
        Err(Rejection::Unauthorized)
    );
}

#[tokio::test(start_paused = true)]
async fn a_known_password_needs_no_turn() {
    let passwords = Passwords::new().expect("randomness");
    let users = users(&[("alice", "right"), ("bob", "also right")]);
    assert_eq!(
        passwords
            .check(&users, &login("alice", "right"), CLIENT)
            .await,
        Ok(())
    );
    let _all_turns = passwords
        .turns
        .acquire_many(u32::try_from(passwords.turns.available_permits()).expect("few"))
        .await;
    assert_eq!(
        passwords
            .check(&users, &login("alice", "right"), CLIENT)
            .await,
        Ok(())
    );
    assert_eq!(
        passwords
            .check(&users, &login("bob", "also right"), CLIENT)
            .await,
        Err(Rejection::Busy)
    );
}

#[tokio::test]
async fn many_who_come_at_once_with_one_password_are_one_comparison() {
    let passwords = Passwords::new().expect("randomness");
    let users = users(&[("alice", "right")]);
    let all_but_one = u32::try_from(passwords.turns.available_permits() - 1).expect("few");
    let _others = passwords.turns.acquire_many(all_but_one).await;
    let wrong = login("alice", "wrong");
    let found = join_all((0..50).map(|_| passwords.check(&users, &wrong, CLIENT))).await;
    assert!(
        found
            .iter()
            .all(|found| *found == Err(Rejection::Unauthorized)),
        "fifty guesses would be too many: {found:?}"
    );
}

#[tokio::test]
async fn a_new_password_is_asked_for_at_once_and_the_old_one_is_dead() {
    let passwords = Passwords::new().expect("randomness");
    let (before, after) = (users(&[("alice", "old")]), users(&[("alice", "new")]));
    assert_eq!(
        passwords
            .check(&before, &login("alice", "old"), CLIENT)
            .await,
        Ok(())
    );
    assert_eq!(
        passwords
            .check(&after, &login("alice", "old"), CLIENT)
            .await,
        Err(Rejection::Unauthorized)
    );
    assert_eq!(
        passwords
            .check(&after, &login("alice", "new"), CLIENT)
            .await,
        Ok(())
    );
    assert_eq!(
        passwords
            .check(&users(&[("bob", "new")]), &login("alice", "new"), CLIENT)
            .await,
        Err(Rejection::Unauthorized)
    );
}

#[test]
fn a_request_that_is_dropped_keeps_its_turn_until_its_comparison_ends() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(1)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let passwords = Passwords::new().expect("randomness");
        let users = users(&[("alice", "right")]);
        let headers = login("alice", "right");
        let turns = passwords.turns.available_permits();
        // The only thread for comparisons is busy until `release` goes.
        let (release, released) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || released.recv());

        let mut check = Box::pin(passwords.check(&users, &headers, CLIENT));
        assert_eq!(poll_once(&mut check).await, Poll::Pending);
        drop(check);
        assert_eq!(passwords.turns.available_permits(), turns - 1);

        drop(release);
        busy.await.expect("no panic").expect_err("nothing was sent");
        let all_turns = u32::try_from(turns).expect("few");
        let _all_turns = passwords
            .turns
            .acquire_many(all_turns)
            .await
            .expect("never closed");
        assert_eq!(
            passwords.check(&users, &headers, CLIENT).await,
            Ok(()),
            "its result is known"
        );
    });
}

async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context))).await
}
