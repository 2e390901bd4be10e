use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use tokio::time::sleep;

use super::*;

const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A lookup that takes `seconds` and does not know `nowhere`, and the number of its calls.
fn lookup_taking(seconds: u64) -> (Lookup, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let lookup = Lookup::from_fn(move |host| {
        count.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            sleep(Duration::from_secs(seconds)).await;
            assert_ne!(host, "panic");
            if host == "nowhere" {
                Err(io::Error::new(io::ErrorKind::NotFound, "no such host"))
            } else {
                Ok(vec![ADDRESS])
            }
        })
    });
    (lookup, asked)
}

#[tokio::test(start_paused = true)]
async fn callers_at_once_share_one_lookup_and_the_next_caller_starts_another() {
    let (lookup, asked) = lookup_taking(1);
    for round in 1..=3 {
        for found in join_all((0..1000).map(|_| lookup.addresses("cs.aliyuncs.com"))).await {
            assert_eq!(*found.expect("an address"), [ADDRESS]);
        }
        assert_eq!(asked.load(Ordering::Relaxed), round);
    }
    join_all(["a", "b", "a"].map(|host| lookup.addresses(host))).await;
    assert_eq!(asked.load(Ordering::Relaxed), 5, "one for each name");
}

#[tokio::test(start_paused = true)]
async fn all_callers_share_the_one_lookup_of_a_silent_name_server() {
    let (lookup, asked) = lookup_taking(60);
    let began = Instant::now();
    for _ in 0..20 {
        assert!(
            timeout(Duration::from_secs(1), lookup.addresses("cs.aliyuncs.com"))
                .await
                .is_err()
        );
    }
    for _ in 0..19 {
        let error = lookup
            .addresses("cs.aliyuncs.com")
            .await
            .expect_err("no address");
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (
                io::ErrorKind::TimedOut,
                "no name server answers for cs.aliyuncs.com"
            )
        );
    }
    assert_eq!(lookup.lock().slow.len(), 1);
    sleep(Duration::from_secs(2)).await;
    lookup
        .addresses("cs.aliyuncs.com")
        .await
        .expect("an address, late");
    assert_eq!(
        (asked.load(Ordering::Relaxed), began.elapsed().as_secs()),
        (1, 60)
    );
}

#[tokio::test(start_paused = true)]
async fn an_address_that_comes_too_late_is_kept_for_the_next_caller() {
    let (lookup, asked) = lookup_taking(4);
    assert_eq!(
        lookup
            .addresses("cs.aliyuncs.com")
            .await
            .expect_err("too late")
            .kind(),
        io::ErrorKind::TimedOut
    );
    sleep(Duration::from_secs(5)).await;
    assert_eq!(
        *lookup
            .addresses("cs.aliyuncs.com")
            .await
            .expect("it has come"),
        [ADDRESS]
    );
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    sleep(LATE_RESULT_LIFETIME).await;
    assert!(lookup.addresses("cs.aliyuncs.com").await.is_err());
    assert_eq!(asked.load(Ordering::Relaxed), 2, "it expires");
}

#[tokio::test(start_paused = true)]
async fn all_callers_get_a_failure_or_a_panic_and_the_lookup_is_removed() {
    let (lookup, _) = lookup_taking(1);
    for found in join_all((0..3).map(|_| lookup.addresses("nowhere"))).await {
        let error = found.expect_err("no such host");
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (io::ErrorKind::NotFound, "no such host")
        );
    }
    assert_eq!(
        lookup
            .addresses("panic")
            .await
            .expect_err("no answer")
            .to_string(),
        "the lookup was given up"
    );
    assert!(lookup.lock().in_flight.is_empty());
}

#[tokio::test]
async fn the_system_resolves_localhost() {
    let found = Lookup::system()
        .addresses("localhost")
        .await
        .expect("an address");
    assert!(
        found
            .iter()
            .all(|address| address.ip().is_loopback() && address.port() == 0),
        "{found:?}"
    );
}
