//! Sentences of a platform that are safe to store.

/// Most characters of a reason that are kept.
pub const MAX_REASON_CHARS: usize = 300;
/// From this length on, a word or a run of digits in a platform's sentence may be a token or a
/// phone number, and is left out.
const SECRET_CHARS: usize = 7;

/// The sentence with `…` for each word that may be a token or a phone number.
pub fn without_secrets(text: &str) -> String {
    let harmless = |word: &&str| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let may_be_token = word.len() >= 20 && digits > 0;
        digits < SECRET_CHARS && !may_be_token && word.len() <= 60
    };
    let words: Vec<&str> = text
        .split_whitespace()
        .map(|word| if harmless(&word) { word } else { "…" })
        .collect();
    words.join(" ").chars().take(MAX_REASON_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_holds_no_token_and_no_phone() {
        let long = "word ".repeat(100);
        for (text, want) in [
            ("Cannot reach +16505551234 now", "Cannot reach … now"),
            ("bad EAAGm0PX4ZCpsBAabcdefghi token", "bad … token"),
            (
                "(#131047) Re-engagement\n message",
                "(#131047) Re-engagement message",
            ),
            (&long, long.get(..300).unwrap_or_default()),
        ] {
            assert_eq!(without_secrets(text), want);
        }
    }
}
