use super::*;
use crate::collect::fixture::SECOND;
use tokio::time::advance;

#[tokio::test(start_paused = true)]
async fn a_share_is_a_quarter_or_twice_a_slow_response_and_doubles_while_there_is_none() {
    let mut fair_share = FairShare::default();
    let began = Instant::now();
    let share = |fair_share: &FairShare| fair_share.share(Instant::now(), 8 * SECOND);
    assert_eq!(share(&fair_share), 2 * SECOND);
    fair_share.record_response(3 * SECOND);
    assert_eq!(share(&fair_share), 6 * SECOND);
    fair_share.record_response(Duration::ZERO);
    assert_eq!(
        share(&fair_share),
        5250 * Duration::from_millis(1),
        "what is slow is forgotten slowly"
    );
    let mut fair_share = FairShare::default();
    advance(SECOND).await;
    fair_share.record_cancelled(began);
    fair_share.record_cancelled(began);
    assert_eq!(
        share(&fair_share),
        4 * SECOND,
        "those that were under way beside it count once"
    );
    assert_eq!(fair_share.share(began, 8 * SECOND), 2 * SECOND);
    fair_share.record_cancelled(Instant::now());
    assert_eq!(
        share(&fair_share),
        8 * SECOND,
        "one that started afterwards"
    );
    for _ in 0..4 {
        advance(SECOND).await;
        fair_share.record_cancelled(Instant::now());
    }
    assert_eq!(share(&fair_share), 8 * SECOND, "never more than the whole");
    fair_share.record_contact();
    assert_eq!(share(&fair_share), 2 * SECOND);
}
