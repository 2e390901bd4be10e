//! The log of values that the API's reference does not list: each is logged once, however often it
//! arrives.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use ack_client::names::AccountName;
use ack_client::text::clean_message;

/// The most values that are remembered.
// Responses with a new value each time must not fill the memory or the log.
const MAX_VALUES: usize = 1000;

/// The values that have been logged, by field.
#[derive(Debug, Default)]
pub(super) struct UnknownLog {
    seen: Mutex<HashSet<(&'static str, String)>>,
}

/// The state of a value in the log before it is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Novelty {
    New,
    /// New, and the last that will be remembered.
    Last,
    Known,
}

impl UnknownLog {
    /// Logs `value`, unless it has been logged before.
    pub(super) fn log(&self, account: &AccountName, field: &'static str, value: &str) {
        let value = clean_message(value);
        let novelty = self.remember(field, &value);
        if novelty == Novelty::Known {
            return;
        }
        tracing::warn!(%account, field, value, "unknown value in a response of the API");
        if novelty == Novelty::Last {
            tracing::warn!(
                logged = MAX_VALUES,
                "too many unknown values; no more will be logged"
            );
        }
    }

    fn remember(&self, field: &'static str, value: &str) -> Novelty {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() == MAX_VALUES || !seen.insert((field, value.to_owned())) {
            Novelty::Known
        } else if seen.len() == MAX_VALUES {
            Novelty::Last
        } else {
            Novelty::New
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_logged_once_up_to_the_maximum() {
        let log = UnknownLog::default();
        assert_eq!(log.remember("status", "odd"), Novelty::New);
        assert_eq!(log.remember("status", "odd"), Novelty::Known);
        assert_eq!(log.remember("upgrade_step", "odd"), Novelty::New);
        for number in 2..MAX_VALUES - 1 {
            assert_eq!(log.remember("status", &number.to_string()), Novelty::New);
        }
        assert_eq!(log.remember("status", "one more"), Novelty::Last);
        assert_eq!(log.remember("status", "one too many"), Novelty::Known);
    }
}
