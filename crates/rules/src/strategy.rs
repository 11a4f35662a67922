//! How a rule answers several quick messages of one conversation.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

use crate::time::{duration_ms, written};

/// The longest debounce: who waits longer than this gave up.
const MAX_DEBOUNCE_MS: u64 = 10 * 60 * 1000;

/// A named way to answer a burst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Each message is answered by itself, at once.
    #[default]
    Each,
    /// Each is answered, and the next answer waits until the one before has left.
    Queue,
    /// Of answers that wait, only the newest is given.
    Latest,
    /// The newest is answered once nothing came for so many milliseconds.
    Debounce {
        /// How long it has to be quiet.
        ms: u64,
    },
}

/// Not a strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be each, queue, latest, or debounce with a time of 1s to 10m, like `debounce 5s`")]
pub struct NoStrategy;

impl FromStr for Strategy {
    type Err = NoStrategy;

    fn from_str(text: &str) -> Result<Strategy, NoStrategy> {
        match text {
            "" | "each" => Ok(Strategy::Each),
            "queue" => Ok(Strategy::Queue),
            "latest" => Ok(Strategy::Latest),
            _ => {
                let span = text.strip_prefix("debounce ").and_then(duration_ms);
                let ms = span.filter(|ms| *ms <= MAX_DEBOUNCE_MS);
                ms.map(|ms| Strategy::Debounce { ms }).ok_or(NoStrategy)
            }
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Strategy::Each => f.write_str("each"),
            Strategy::Queue => f.write_str("queue"),
            Strategy::Latest => f.write_str("latest"),
            Strategy::Debounce { ms } => write!(f, "debounce {}", written(*ms)),
        }
    }
}

impl Strategy {
    /// As a decision says it; none for the default.
    pub(crate) fn decided(self) -> Option<Value> {
        match self {
            Strategy::Each => None,
            Strategy::Queue => Some(json!("queue")),
            Strategy::Latest => Some(json!("latest")),
            Strategy::Debounce { ms } => Some(json!({ "debounce_ms": ms })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_is_a_word_or_a_debounce_with_its_time() {
        let debounce = |ms| Ok(Strategy::Debounce { ms });
        for (text, want) in [
            ("", Ok(Strategy::Each)),
            ("each", Ok(Strategy::Each)),
            ("queue", Ok(Strategy::Queue)),
            ("latest", Ok(Strategy::Latest)),
            ("debounce 5s", debounce(5_000)),
            ("debounce 10m", debounce(600_000)),
            ("debounce 601s", Err(NoStrategy)),
            ("debounce", Err(NoStrategy)),
            ("debounce 0s", Err(NoStrategy)),
            ("Latest", Err(NoStrategy)),
        ] {
            let got: Result<Strategy, NoStrategy> = text.parse();
            assert_eq!(got, want, "{text}");
            if let Ok(strategy) = got {
                assert_eq!(strategy.to_string().parse(), Ok(strategy), "{text}");
            }
        }
    }
}
