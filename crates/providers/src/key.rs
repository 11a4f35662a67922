//! What makes two questions the same one.

use sha2::{Digest, Sha256};

/// A key of all that an answer depends on. `told` is what a model is told beside the conversation, with
/// the time as of the day's beginning: "tomorrow" is another day then. `parts` are the texts of the window
/// without personal data, each with who wrote it.
pub fn answer_key<'a>(
    (provider, model): (&str, &str),
    told: &str,
    parts: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut digest = Sha256::new();
    // Each part with its length, so that no two lists of parts look alike.
    let mut add = |text: &str| {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text.as_bytes());
    };
    add(chatly_understand::PROMPT_VERSION);
    add(provider);
    add(model);
    add(told);
    for (role, text) in parts {
        add(role);
        add(text);
    }
    digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_differs_when_anything_does() {
        let keys = [
            answer_key(("p", "m"), "", [("customer", "ab")]),
            answer_key(("p", "n"), "", [("customer", "ab")]),
            answer_key(("q", "m"), "", [("customer", "ab")]),
            answer_key(("pm", ""), "", [("customer", "ab")]),
            answer_key(("p", "m"), "a", [("customer", "ab")]),
            answer_key(("p", "m"), "customer", [("ab", "")]),
            answer_key(("p", "m"), "", [("agent", "ab")]),
            answer_key(("p", "m"), "", [("customer", "a"), ("customer", "b")]),
            answer_key(("p", "m"), "", []),
        ];
        for (n, key) in keys.iter().enumerate() {
            assert_eq!(key.len(), 64);
            assert!(!keys.iter().take(n).any(|other| other == key), "{n}");
        }
        assert_eq!(keys[0], answer_key(("p", "m"), "", [("customer", "ab")]));
    }
}
