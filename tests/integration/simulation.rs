//! Random fleets, latencies, limits, scrapes and faults, against the promises that hold in every
//! run. Time is paused. `PROPTEST_CASES` sets the number of runs.

mod case;
mod invariants;
mod recorder;
mod run;

use proptest::prelude::*;

use self::case::Case;
use self::run::Run;

/// The number of runs, unless the environment sets another.
const CASES: u32 = 24;

fn config() -> ProptestConfig {
    let config = ProptestConfig {
        max_shrink_iters: 100,
        // The input that failed is printed, and chance repeats nothing else.
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => config,
        None => ProptestConfig {
            cases: CASES,
            ..config
        },
    }
}

fn simulate(case: &Case) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let run = runtime.block_on(Run::of(case));
    run.check(case);
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn every_run_keeps_its_promises(case in case::case()) {
        simulate(&case);
    }
}
