//! Pseudo-random numbers as pure functions of their arguments.

/// A number that depends on all `words`, and on their order.
pub(crate) fn mix(words: &[u64]) -> u64 {
    words.iter().fold(0, |state, word| splitmix(state ^ word))
}

/// Reduces `number` to the range `low..high`.
pub(crate) fn within(number: u64, low: u64, high: u64) -> u64 {
    low + number % (high - low).max(1)
}

/// The FNV-1a hash of `text`, as a seed.
pub(crate) fn of_text(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// One step of `SplitMix64` (Steele, Lea, Flood 2014).
fn splitmix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
