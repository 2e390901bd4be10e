//! When to try again: full jitter, and never sooner than the vendor asked.

use std::time::Duration;

use super::error::ErrorKind;

/// Attempts at one call that failed as `kind`, the first included. A call that is throttled is
/// repeated once: more would be what the API asks not to do.
pub(super) fn max_attempts(kind: ErrorKind) -> u32 {
    if kind == ErrorKind::Throttled { 2 } else { 4 }
}

const BASE: Duration = Duration::from_millis(250);
const CAP: Duration = Duration::from_secs(5);

/// How long to wait before attempt `attempt + 1`, counted from 1; `retry_after` is the vendor's
/// wish.
pub(super) fn delay(attempt: u32, retry_after: Option<Duration>) -> Duration {
    let ceiling = BASE
        .saturating_mul(1 << attempt.min(16).saturating_sub(1))
        .min(CAP);
    let jitter = ceiling.mul_f64(fastrand::f64());
    retry_after.map_or(jitter, |wish| wish.saturating_add(jitter.min(BASE)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_vendors_wish_is_a_lower_bound() {
        let wish = Duration::from_secs(2);
        assert!((0..100).all(|_| delay(1, Some(wish)) >= wish));
        assert_eq!(delay(1, Some(Duration::MAX)), Duration::MAX);
    }
}
