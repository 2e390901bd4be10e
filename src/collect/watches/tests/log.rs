//! The log of the queries.

#[expect(
    unreachable_pub,
    reason = "the modules of a test are read like those of a crate"
)]
#[path = "../../../../tests/support/log.rs"]
mod support;

use support::Log;

use super::*;
use crate::collect::fixture::id;

#[tokio::test(start_paused = true)]
async fn the_log_has_a_line_for_each_reason_and_one_when_every_subject_is_answered_again() {
    let log = Log::listen();
    let slots = slots(&["c1", "c2"]);
    for (name, result, lines) in [
        ("c1", Err(ErrorKind::Timeout), [1, 0]),
        ("c1", Err(ErrorKind::Timeout), [1, 0]),
        ("c2", Err(ErrorKind::Timeout), [1, 0]),
        ("c2", Err(ErrorKind::Forbidden), [2, 0]),
        // The other one still fails.
        ("c1", Ok(1), [2, 0]),
        ("c2", Ok(1), [2, 1]),
        ("c1", Ok(2), [2, 1]),
        ("c1", Err(ErrorKind::Timeout), [3, 1]),
    ] {
        let (asked, _) = slots.start(&id(name)).expect("it is known");
        slots.record(&id(name), &asked, result.map_err(error), Instant::now());
        let counts = log.counts(["query fails", "query is answered again"]);
        assert_eq!(counts, lines, "{name}: {result:?}");
    }
}
