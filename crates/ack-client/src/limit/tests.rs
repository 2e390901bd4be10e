use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{advance, timeout, timeout_at};

use super::*;

fn limiter(requests_per_second: f64, burst: u32, share: u32) -> Arc<Limiter> {
    let rate = RateLimit {
        requests_per_second,
        burst: NonZeroU32::new(burst).expect("not zero"),
    };
    Limiter::new(AccountName::parse("a").expect("a name"), rate, share, 16)
}

/// Takes a token and uses it.
async fn spend(limiter: &Arc<Limiter>) {
    assert!(limiter.acquire(1).await.spend());
}

async fn spent_within(limiter: &Arc<Limiter>, window: Duration) -> usize {
    let end = Instant::now() + window;
    let mut spent = 0;
    while timeout_at(end, spend(limiter)).await.is_ok() {
        spent += 1;
    }
    spent
}

#[tokio::test(start_paused = true)]
async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
    let limiter = limiter(20.0, 40, 1);
    let start = Instant::now();
    for _ in 0..40 {
        spend(&limiter).await;
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(
        spent_within(&limiter, Duration::from_millis(10_001)).await,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_rested_holds_one_burst_and_no_more() {
    let limiter = limiter(10.0, 5, 1);
    spent_within(&limiter, Duration::from_millis(1)).await;
    advance(Duration::from_secs(3600)).await;
    assert_eq!(spent_within(&limiter, Duration::from_millis(1)).await, 5);
}

#[test]
fn an_instance_can_make_its_part_of_a_burst_and_of_what_the_rate_gives() {
    let rate = RateLimit {
        requests_per_second: 20.0,
        burst: NonZeroU32::new(40).expect("not zero"),
    };
    for (millis, instances, expected) in [
        (0, 1, 40.0),
        (10_000, 1, 240.0),
        (10_000, 4, 60.0),
        (10_070, 3, 80.0),
        (1_000, 80, 1.0),
    ] {
        let calls = rate.calls_within(Duration::from_millis(millis), instances);
        assert!((calls - expected).abs() < 1e-9, "{calls}, not {expected}");
    }
}

#[tokio::test(start_paused = true)]
async fn shards_divide_the_rate() {
    let shard = limiter(20.0, 40, 4);
    assert_eq!(
        spent_within(&shard, Duration::from_millis(60_001)).await,
        10 + 60 * 5
    );
}

#[tokio::test(start_paused = true)]
async fn waits_that_are_given_up_neither_put_the_next_token_off_nor_bring_it_forward() {
    let slow = limiter(0.1, 1, 1);
    spend(&slow).await;
    let began = Instant::now();
    let mut spent = 0;
    while began.elapsed() < Duration::from_secs(100) {
        spent += usize::from(timeout(Duration::from_secs(3), spend(&slow)).await.is_ok());
    }
    assert_eq!(spent, 10);

    // Of twenty who wait, ten go, and ten others come.
    let limiter = limiter(10.0, 1, 1);
    spend(&limiter).await;
    let began = Instant::now();
    let waits = (0..20).map(|place| {
        let limit = Duration::from_millis(if place % 2 == 0 { 50 } else { 60_000 });
        timeout(limit, spend(&limiter))
    });
    let late = async {
        tokio::time::sleep(Duration::from_millis(60)).await;
        join_all((0..10).map(|_| spend(&limiter))).await;
    };
    let (waited, ()) = tokio::join!(join_all(waits), late);
    assert_eq!(waited.into_iter().flatten().count(), 10);
    assert_eq!(
        began.elapsed().as_millis(),
        2000,
        "twenty tokens at ten a second"
    );
}

#[tokio::test(start_paused = true)]
async fn tokens_that_were_not_used_go_back() {
    let limiter = limiter(1.0, 3, 1);
    let mut tokens = limiter.acquire(3).await;
    assert!(tokens.spend());
    drop(tokens);
    assert_eq!(spent_within(&limiter, Duration::from_millis(1)).await, 2);
    let mut more = limiter.acquire(5).await;
    assert_eq!(
        (0..9).filter(|_| more.spend()).count(),
        3,
        "no more than a burst at once"
    );
}

#[tokio::test(start_paused = true)]
async fn calls_that_can_wait_leave_half_a_burst_and_their_turn_to_others() {
    let limiter = limiter(10.0, 10, 1);
    let spare = limiter.spare();
    let spare_tokens = async |count| timeout(Duration::from_millis(1), spare.acquire(count)).await;
    let _half = spare_tokens(5).await.expect("half a burst");
    assert!(spare.try_acquire().is_none() && limiter.try_acquire().is_some());

    let limiter = self::limiter(10.0, 10, 1);
    let spare = limiter.spare();
    for _ in 0..8 {
        spend(&limiter).await;
    }
    let start = Instant::now();
    assert!(spare.acquire(1).await.spend());
    let waited = start.elapsed().as_millis();
    assert!((400..=750).contains(&waited), "four tokens later: {waited}");

    // While somebody waits, nothing is spare.
    let _all = limiter.acquire(6).await;
    let both = tokio::join!(
        limiter.acquire(10),
        timeout(Duration::from_secs(1), spare.acquire(1))
    );
    assert!(both.1.is_err());
}

#[tokio::test(start_paused = true)]
async fn calls_that_can_wait_have_half_of_a_lowered_rate_while_nobody_else_calls() {
    let limiter = limiter(20.0, 40, 1);
    limiter.throttled(Instant::now());
    let spare = limiter.spare();
    let minute = Duration::from_secs(60);
    let spent = spent_within(&spare, minute).await;
    assert!((180..=240).contains(&spent), "{spent} of 480");
    limiter.throttled(Instant::now());
    let spent = spent_within(&spare, minute).await;
    assert!((4..=8).contains(&spent), "{spent} of 240 in congestion");
}

#[tokio::test(start_paused = true)]
async fn calls_that_can_wait_have_a_small_share_though_others_wait_all_the_time() {
    let limiter = limiter(10.0, 10, 1);
    let spare = limiter.spare();
    let minutes = Duration::from_secs(600);
    let others = join_all((0..8).map(|_| spent_within(&limiter, minutes)));
    let spares = join_all((0..2).map(|_| spent_within(&spare, minutes)));
    let (others, spares) = tokio::join!(others, spares);
    let [others, spares]: [usize; 2] = [others, spares].map(|spent| spent.iter().sum());
    assert_eq!(others + spares, 6010, "no token is lost");
    assert!((300..=400).contains(&spares), "{spares}");
}

#[tokio::test(start_paused = true)]
async fn throttling_slows_the_account_and_call_after_call_is_congestion() {
    let limiter = limiter(20.0, 40, 1);
    assert!(!limiter.is_congested());
    limiter.throttled(Instant::now());
    assert!(!limiter.is_congested());
    assert_eq!(
        spent_within(&limiter, Duration::from_millis(1001)).await,
        8,
        "half of what may be under way"
    );
    limiter.throttled(Instant::now());
    assert!(limiter.is_congested());
    limiter.succeeded();
    assert!(!limiter.is_congested());
}
