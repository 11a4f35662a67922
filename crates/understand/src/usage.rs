//! What calls used, and a guess where nobody says.

/// What one enrichment used, its repair included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// The model that was asked for: prices are by that name.
    pub model: String,
    /// Tokens of the requests.
    pub input_tokens: u32,
    /// Tokens of the answers.
    pub output_tokens: u32,
    /// Requests that were sent.
    pub calls: u32,
}

impl Usage {
    /// Adds one request that was sent. Sums end at the largest number.
    pub(crate) fn add(&mut self, spent: Spent) {
        self.input_tokens = self.input_tokens.saturating_add(spent.input);
        self.output_tokens = self.output_tokens.saturating_add(spent.output);
        self.calls = self.calls.saturating_add(1);
    }
}

/// Tokens of one request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Spent {
    pub input: u32,
    pub output: u32,
}

impl Spent {
    /// How many times what was reserved one request is believed to have used. Tokenizers differ, and so
    /// do the words that a service adds; nothing that is meant honestly differs by more.
    const BELIEVED: u32 = 4;

    /// The same, where it can be: no report, and no length of a broken answer, ends a tenant's day.
    pub(crate) fn within(self, reserved: Spent) -> Spent {
        let most = |count: u32| count.saturating_mul(Self::BELIEVED);
        Spent {
            input: self.input.min(most(reserved.input)),
            output: self.output.min(most(reserved.output)),
        }
    }
}

/// What a service reports. One that reports no input at all has not counted: then it is estimated.
pub(crate) fn reported(
    input: Option<u64>,
    output: Option<u64>,
    estimate: impl FnOnce() -> Spent,
) -> Spent {
    let short = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    match (input, output) {
        (Some(input), Some(output)) if input > 0 => Spent {
            input: short(input),
            output: short(output),
        },
        _ => estimate(),
    }
}

/// Tokens that `text` may have, guessed upwards for usual text in any tokenizer: three ASCII letters
/// or blanks are one, any other ASCII character is one, a character of n bytes is n − 1. Byte-level
/// tokenizers never make more tokens than there are bytes.
pub fn estimate_tokens(text: &str) -> u32 {
    let thirds: u64 = text.chars().map(thirds).sum();
    u32::try_from(thirds.div_ceil(3)).unwrap_or(u32::MAX)
}

/// Thirds of a token that `c` may be.
pub(crate) fn thirds(c: char) -> u64 {
    match c.len_utf8() {
        1 if c.is_ascii_alphabetic() || c.is_ascii_whitespace() => 1,
        1 => 3,
        bytes => 3 * (bytes as u64 - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_guessed_upwards() {
        for (text, want) in [
            ("", 0),
            ("a", 1),
            ("abc", 1),
            ("abcd", 2),
            ("12", 2),
            ("{\"a\":1}", 7),
            ("é", 1),
            ("你好", 4),
            ("🙂", 3),
        ] {
            assert_eq!(estimate_tokens(text), want, "{text}");
        }
    }

    #[test]
    fn a_report_is_believed_within_bounds() {
        let spent = |input, output| Spent { input, output };
        for (said, want) in [
            (spent(0, 0), spent(0, 0)),
            (spent(399, 40), spent(399, 40)),
            (spent(401, 41), spent(400, 40)),
            (spent(u32::MAX, u32::MAX), spent(400, 40)),
        ] {
            assert_eq!(said.within(spent(100, 10)), want, "{said:?}");
        }
        let all = spent(u32::MAX, u32::MAX);
        assert_eq!(all.within(all), all);
    }

    #[test]
    fn a_report_without_input_is_no_report() {
        let guess = Spent {
            input: 7,
            output: 8,
        };
        for (input, output, want) in [
            (
                Some(3),
                Some(4),
                Spent {
                    input: 3,
                    output: 4,
                },
            ),
            (
                Some(3),
                Some(0),
                Spent {
                    input: 3,
                    output: 0,
                },
            ),
            (Some(0), Some(0), guess),
            (None, Some(4), guess),
            (Some(3), None, guess),
            (
                Some(u64::MAX),
                Some(1),
                Spent {
                    input: u32::MAX,
                    output: 1,
                },
            ),
        ] {
            assert_eq!(reported(input, output, || guess), want);
        }
    }
}
