//! Values of the vendor's that its reference does not list: each is logged once, however often it
//! comes.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use ack_client::names::AccountName;
use ack_client::text::clean_message;

/// The most texts that are remembered, so that a vendor who makes up a new one each time cannot
/// fill memory or log.
const MOST: usize = 1000;

/// What has been logged.
#[derive(Debug, Default)]
pub(super) struct UnknownLog {
    seen: Mutex<HashSet<(&'static str, String)>>,
}

/// Whether a text is news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Novelty {
    New,
    /// New, and the last that will be remembered.
    Last,
    Known,
}

impl UnknownLog {
    /// Logs `value`, unless it was before.
    pub(super) fn log(&self, account: &AccountName, field: &'static str, value: &str) {
        let value = clean_message(value);
        let novelty = self.remember(field, &value);
        if novelty == Novelty::Known {
            return;
        }
        tracing::warn!(%account, field, value, "unknown value in a reply of the vendor");
        if novelty == Novelty::Last {
            tracing::warn!(
                logged = MOST,
                "too many unknown values, no more will be logged"
            );
        }
    }

    fn remember(&self, field: &'static str, value: &str) -> Novelty {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() == MOST || !seen.insert((field, value.to_owned())) {
            Novelty::Known
        } else if seen.len() == MOST {
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
    fn each_text_is_news_once_and_only_so_many_are() {
        let log = UnknownLog::default();
        assert_eq!(log.remember("status", "odd"), Novelty::New);
        assert_eq!(log.remember("status", "odd"), Novelty::Known);
        assert_eq!(log.remember("upgrade_step", "odd"), Novelty::New);
        for number in 2..MOST - 1 {
            assert_eq!(log.remember("status", &number.to_string()), Novelty::New);
        }
        assert_eq!(log.remember("status", "one more"), Novelty::Last);
        assert_eq!(log.remember("status", "one too many"), Novelty::Known);
    }
}
