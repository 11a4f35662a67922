//! What samples are made of: bytes and digits that depend on a seed alone.

use chatly_random::Random;

/// Good enough for sample ids.
#[derive(Debug, Clone)]
pub(crate) struct Sample(Random);

impl Sample {
    /// A sequence of its own for each seed.
    pub(crate) fn new(seed: u64) -> Self {
        Sample(Random::new(seed))
    }

    /// Bytes to make ids and digests of.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.0.byte())
    }

    /// That many decimal digits, the first one not zero.
    pub(crate) fn digits(&mut self, count: usize) -> String {
        let digit = |number: u64, first: bool| {
            let digit = if first { 1 + number % 9 } else { number % 10 };
            char::from_digit(digit as u32, 10).unwrap_or('0')
        };
        (0..count).map(|at| digit(self.0.bits(), at == 0)).collect()
    }
}
