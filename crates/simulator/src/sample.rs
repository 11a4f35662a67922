//! Numbers that look like chance and depend on a seed alone.

/// SplitMix64 (Steele, Lea, Flood 2014): one state, full period, good enough for sample ids.
#[derive(Debug, Clone)]
pub(crate) struct Sample(u64);

impl Sample {
    /// A sequence of its own for each seed.
    pub(crate) fn new(seed: u64) -> Self {
        Sample(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Bytes to make ids and digests of.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next().to_le_bytes()[0])
    }

    /// That many decimal digits, the first one not zero.
    pub(crate) fn digits(&mut self, count: usize) -> String {
        let digit = |number: u64, first: bool| {
            let digit = if first { 1 + number % 9 } else { number % 10 };
            char::from_digit(digit as u32, 10).unwrap_or('0')
        };
        (0..count).map(|at| digit(self.next(), at == 0)).collect()
    }
}
