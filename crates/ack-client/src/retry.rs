//! The number and the delays of retries: exponential backoff with full jitter, and never sooner
//! than the API asks for.

use std::time::Duration;

use crate::error::ErrorKind;

/// The attempts at a call that fails with `kind`, including the first. A throttled call is repeated
/// only once, since more calls are what the API asks not to make.
pub(super) fn max_attempts(kind: ErrorKind) -> u32 {
    if kind == ErrorKind::Throttled { 2 } else { 4 }
}

/// The longest delay before the second attempt. It doubles with each attempt.
const BASE: Duration = Duration::from_millis(250);

/// The longest delay of all.
const CAP: Duration = Duration::from_secs(5);

/// The delay between attempt `attempt`, counted from 1, and the next one. `retry_after` is the
/// delay that the API asks for.
pub(super) fn delay(attempt: u32, retry_after: Option<Duration>) -> Duration {
    let ceiling = BASE
        .saturating_mul(1 << attempt.min(16).saturating_sub(1))
        .min(CAP);
    let jitter = ceiling.mul_f64(fastrand::f64());
    retry_after.map_or(jitter, |asked| asked.saturating_add(jitter.min(BASE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_tried_four_times_but_a_throttled_one_twice() {
        assert_eq!(max_attempts(ErrorKind::Network), 4);
        assert_eq!(max_attempts(ErrorKind::Throttled), 2);
    }

    #[test]
    fn delays_spread_from_nothing_to_a_growing_ceiling() {
        for (attempt, ceiling) in [(1, 250), (2, 500), (3, 1000), (6, 5000), (60, 5000)] {
            let delays: Vec<_> = (0..200).map(|_| delay(attempt, None)).collect();
            assert!(
                delays
                    .iter()
                    .all(|delay| *delay <= Duration::from_millis(ceiling)),
                "{attempt}"
            );
            assert!(
                delays
                    .iter()
                    .any(|delay| *delay > Duration::from_millis(ceiling / 2)),
                "{attempt}"
            );
        }
    }

    #[test]
    fn the_delay_that_the_api_asks_for_is_a_lower_bound() {
        let asked = Duration::from_secs(2);
        assert!((0..100).all(|_| delay(1, Some(asked)) >= asked));
        assert_eq!(delay(1, Some(Duration::MAX)), Duration::MAX);
    }
}
