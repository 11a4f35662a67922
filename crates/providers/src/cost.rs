//! What calls cost, in millionths of a US dollar, rounded up.

use chatly_understand::estimate_tokens;

/// Tokens of an answer that did not fit and goes back, at most.
const REJECTED_TOKENS: u64 = 4_000;
/// The form that the answer has to have, and what a protocol puts around it.
const FORM_TOKENS: u64 = 1_500;
/// What a line of the conversation costs beside its text.
const LINE_TOKENS: u64 = 24;
/// Tokens that one call may answer with: room for a full form in a language of many tokens a word.
pub(crate) const OUTPUT_TOKENS: u64 = 1_024;

/// Millionths of a US dollar for a million tokens, which is the same as for one token in US dollars
/// times 10^12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Price {
    /// Of a million tokens in.
    pub input_micros: u64,
    /// Of a million tokens out.
    pub output_micros: u64,
}

/// The most that one enrichment can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Tokens, in and out.
    pub tokens: u64,
    /// Millionths of a US dollar.
    pub cost_micros: u64,
}

/// What so many tokens cost.
#[must_use]
pub fn cost_micros(price: Price, input_tokens: u64, output_tokens: u64) -> u64 {
    let cost = (u128::from(price.input_micros) * u128::from(input_tokens))
        .saturating_add(u128::from(price.output_micros) * u128::from(output_tokens));
    u64::try_from(cost.div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// The most that a conversation can use: two calls, the second with the answer that did not fit.
pub fn estimate<'a>(
    price: Price,
    instructions: &str,
    texts: impl IntoIterator<Item = &'a str>,
) -> Estimate {
    let tokens = |text: &str| u64::from(estimate_tokens(text));
    let lines: u64 = texts
        .into_iter()
        .map(|text| tokens(text) + LINE_TOKENS)
        .sum();
    let lines = lines.min(chatly_understand::WINDOW_TOKENS.into());
    let first = tokens(instructions) + FORM_TOKENS + lines;
    let (input, output) = (2 * first + REJECTED_TOKENS, 2 * OUTPUT_TOKENS);
    Estimate {
        tokens: input + output,
        cost_micros: cost_micros(price, input, output),
    }
}

/// Millionths of a dollar as dollars.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "shown to people")]
pub fn usd(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_rounded_up() {
        let price = |input_micros, output_micros| Price {
            input_micros,
            output_micros,
        };
        for (price, input, output, want) in [
            (price(0, 0), 1_000, 1_000, 0),
            (price(1, 0), 1, 0, 1),
            (price(150_000, 600_000), 1_000, 100, 210),
            (price(3_000_000, 15_000_000), 1, 1, 18),
            (price(u64::MAX, u64::MAX), u64::MAX, u64::MAX, u64::MAX),
        ] {
            assert_eq!(cost_micros(price, input, output), want);
        }
    }

    #[test]
    fn an_estimate_covers_two_calls_and_is_bounded() {
        let price = Price {
            input_micros: 1_000_000,
            output_micros: 2_000_000,
        };
        let short = estimate(price, "abc", ["hello"]);
        assert_eq!(short.tokens, 2 * (1 + 1_500 + 26) + 4_000 + 2 * 1_024);
        assert_eq!(short.cost_micros, 2 * 1_527 + 4_000 + 4 * 1_024);
        let long = "word ".repeat(100_000);
        assert_eq!(
            estimate(price, "abc", [long.as_str()]).tokens,
            2 * (1 + 1_500 + 4_000) + 4_000 + 2 * 1_024
        );
    }
}
