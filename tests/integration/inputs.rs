//! The fuzz targets without a fuzzer: every seed, and some random bytes.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::targets::{ALL, Target};

#[test]
fn every_seed_runs_without_a_panic() {
    for Target { name, take } in ALL {
        let folder = Path::new("fuzz/seeds").join(name);
        let mut taken = 0;
        for entry in fs::read_dir(&folder).expect("every target has seeds") {
            let path = entry.expect("an entry").path();
            take(&fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
            taken += 1;
        }
        assert!(taken > 1, "{name} has seeds");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_run_without_a_panic(bytes in vec(any::<u8>(), 0..256)) {
        for target in ALL {
            (target.take)(&bytes);
        }
    }

    /// Closer to valid input: a seed with one part replaced.
    #[test]
    fn a_seed_with_a_part_replaced_runs_without_a_panic(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), piece in vec(any::<u8>(), 0..16)) {
        for Target { name, take } in ALL {
            let mut seeds: Vec<_> = fs::read_dir(Path::new("fuzz/seeds").join(name)).expect("seeds").map(|entry| entry.expect("an entry").path()).collect();
            seeds.sort();
            let mut seed = fs::read(which.get(&seeds)).expect("a seed");
            let begin = at.index(seed.len());
            let end = (begin + piece.len()).min(seed.len());
            seed.splice(begin..end, piece.iter().copied());
            take(&seed);
        }
    }
}
