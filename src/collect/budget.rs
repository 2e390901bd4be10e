//! The time that a scrape may take.

use std::time::Duration;

use crate::config::Scrape;

/// The longest time that a scrape may take, whatever its client offers.
const MAX_BUDGET: Duration = Duration::from_secs(120);

/// The budget of a scrape: the timeout in its client's `header` less the offset, or the configured
/// one if there is no valid header.
pub fn budget(header: Option<&str>, settings: &Scrape) -> Duration {
    let budget = match header.and_then(timeout) {
        Some(timeout) => timeout.saturating_sub(settings.timeout_offset.min(timeout / 10)),
        None => settings.timeout,
    };
    budget.min(MAX_BUDGET)
}

/// The timeout in `header`, in seconds above 0.
fn timeout(header: &str) -> Option<Duration> {
    let timeout = Duration::try_from_secs_f64(header.trim().parse().ok()?).ok()?;
    (!timeout.is_zero()).then_some(timeout)
}
