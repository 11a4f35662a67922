//! Numbers that look like chance and depend on a seed alone: for samples, tests and training.
//!
//! 1. The same seed gives the same numbers on every machine and in every version of this crate:
//!    trained models and tests hang on them.
//! 2. Whoever sees one number knows all that follow, so nothing secret is made of them.
//!
//! The generator is SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators,
//! 2014), with the constants of Vigna's public-domain form: one state, full period.

#![deny(missing_docs)]

/// What the state moves on by: 2^64 divided by the golden ratio.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// A sequence of numbers, its own for each seed.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// The number at `index` of the sequence of `seed`, without those before it; the first is at 0.
    #[must_use]
    pub fn at(seed: u64, index: u64) -> u64 {
        Random(seed.wrapping_add(index.wrapping_mul(GAMMA))).bits()
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.bits().to_le_bytes()[0]
    }

    /// A number below `end`; 0 when that is 0. Small numbers are a little likelier where `end` is
    /// close to 2^64.
    pub fn below(&mut self, end: usize) -> usize {
        // What is left of a division by a usize fits one.
        usize::try_from(self.bits() % (end.max(1) as u64)).unwrap_or_default()
    }

    /// Whether something happens that is so likely, from 0 (never) to 1 (always).
    pub fn is(&mut self, probability: f64) -> bool {
        // 53 bits are what a double holds exactly.
        (self.bits() >> 11) as f64 / ((1_u64 << 53) as f64) < probability
    }

    /// One of `all`; nothing when there is none.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }

    /// Puts `all` into another order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            all.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of the seed 1234567, as published with several implementations:
    /// <https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64>.
    const KNOWN: [u64; 5] = [
        6_457_827_717_110_365_317,
        3_203_168_211_198_807_973,
        9_817_491_932_198_370_423,
        4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
    ];

    #[test]
    fn gives_the_published_numbers_in_turn_and_by_index() {
        let mut random = Random::new(1_234_567);
        for (index, want) in (0..).zip(KNOWN) {
            assert_eq!(random.bits(), want, "{index}");
            assert_eq!(Random::at(1_234_567, index), want, "{index}");
        }
    }

    #[test]
    fn stays_below_the_end() {
        let mut random = Random::new(1);
        for (end, largest) in [(0, 0), (1, 0), (2, 1), (7, 6)] {
            let seen = (0..200).map(|_| random.below(end)).max();
            assert_eq!(seen, Some(largest), "{end}");
        }
    }

    #[test]
    fn is_as_likely_as_asked() {
        for (probability, least, most) in [(0.0, 0, 0), (0.25, 200, 300), (1.0, 1_000, 1_000)] {
            let mut random = Random::new(3);
            let count = (0..1_000).filter(|_| random.is(probability)).count();
            assert!((least..=most).contains(&count), "{probability}: {count}");
        }
    }

    #[test]
    fn picks_one_of_all_and_nothing_of_none() {
        let mut random = Random::new(5);
        assert_eq!(random.pick::<u8>(&[]), None);
        let mut seen: Vec<u8> = (0..50)
            .filter_map(|_| random.pick(&[1, 2, 3]).copied())
            .collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [1, 2, 3]);
    }

    #[test]
    fn a_shuffle_loses_nothing_and_changes_the_order() {
        let mut all: Vec<u8> = (0..50).collect();
        Random::new(7).shuffle(&mut all);
        assert!(!all.is_sorted());
        all.sort_unstable();
        assert_eq!(all, (0..50).collect::<Vec<u8>>());
    }
}
