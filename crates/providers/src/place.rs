//! Values in the place of what stands for them, and where they are in the real text.

/// The longest placeholder that is looked for, in bytes.
const MAX_PLACEHOLDER: usize = 32;

/// Kinds of values that stand in no text which is shown, kept or sent on.
const WITHHELD: [&str; 5] = ["CARD", "IBAN", "ID", "SECRET", "URL"];

/// Whether something stands in `text` for what [`restore`] does not put back.
pub(crate) fn withholds(text: &str) -> bool {
    let mut tokens = text.split('[').skip(1).filter_map(|it| it.split_once(']'));
    tokens.any(|(name, _)| is_withheld(name))
}

/// `CARD_1`.
fn is_withheld(name: &str) -> bool {
    name.rsplit_once('_')
        .is_some_and(|(kind, _)| WITHHELD.contains(&kind))
}

/// Puts values back, but for cards, accounts, national ids, keys and links with personal data: for these
/// their kind stands, as `[card]`. `map` is placeholder and value. What looks like a placeholder and stands for nothing
/// is left out; a value is not read again.
#[must_use]
pub fn restore(text: &str, map: &[(String, String)]) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('[') {
        let (before, tail) = rest.split_at(at);
        whole.push_str(before);
        let end = tail.find(']').filter(|end| *end < MAX_PLACEHOLDER);
        let found = end.and_then(|end| tail.split_at_checked(end + 1));
        match found {
            Some((token, after)) if looks_like_placeholder(token) => {
                let known = map.iter().find(|(placeholder, _)| placeholder == token);
                match known {
                    Some((name, _)) if withholds(name) => {
                        let kind = token.rsplit_once('_').map_or("[", |(kind, _)| kind);
                        whole.push_str(&kind.to_lowercase());
                        whole.push(']');
                    }
                    Some((_, value)) => whole.push_str(value),
                    None => {}
                }
                rest = after;
            }
            _ => {
                whole.push('[');
                rest = tail.strip_prefix('[').unwrap_or_default();
            }
        }
    }
    whole.push_str(rest);
    whole
}

/// `[WORD_1]`.
fn looks_like_placeholder(token: &str) -> bool {
    let inner = token.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let parts = inner.and_then(|inner| inner.rsplit_once('_'));
    parts.is_some_and(|(word, number)| {
        !word.is_empty()
            && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Where the value that stands at `start` of the redacted text, written `placed` there, is in the real
/// one, written `value`: the same one of those that are alike.
pub(crate) fn find(
    (redacted, start, placed): (&str, usize, &str),
    (real, value): (&str, &str),
) -> Option<(usize, usize)> {
    if value.is_empty() || placed.is_empty() {
        return None;
    }
    let before = redacted.match_indices(placed);
    let number = before.take_while(|(at, _)| *at < start).count();
    let at = real.match_indices(value).nth(number)?.0;
    Some((at, at + value.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map() -> Vec<(String, String)> {
        let map = [
            ("[EMAIL_1]", "a@b.c"),
            ("[TEXT_1]", "[EMAIL_1]"),
            ("[CARD_1]", "4111111111111111"),
            ("[ID_12]", "12345678Z"),
        ];
        map.map(|(placeholder, value)| (placeholder.to_owned(), value.to_owned()))
            .to_vec()
    }

    #[test]
    fn values_are_put_back_once() {
        for (text, want) in [
            ("", ""),
            ("no [brackets] here]", "no [brackets] here]"),
            ("to [EMAIL_1] and [EMAIL_1]", "to a@b.c and a@b.c"),
            ("[TEXT_1]", "[EMAIL_1]"),
            ("pays with [CARD_1]", "pays with [card]"),
            ("[ID_12] and [CARD_2]", "[id] and "),
            ("[EMAIL_2]!", "!"),
            ("[[EMAIL_1]]", "[a@b.c]"),
            ("[email_1]", "[email_1]"),
            ("[", "["),
            ("[EMAIL_1", "[EMAIL_1"),
            ("[é]", "[é]"),
        ] {
            assert_eq!(restore(text, &map()), want, "{text}");
        }
    }

    #[test]
    fn a_value_is_found_where_it_is_meant() {
        let redacted = "tea, tea for [EMAIL_1]";
        let real = "tea, tea for a@b.c";
        for (start, placed, value, want) in [
            (0, "tea", "tea", Some((0, 3))),
            (5, "tea", "tea", Some((5, 8))),
            (13, "[EMAIL_1]", "a@b.c", Some((13, 18))),
            (0, "tea", "coffee", None),
            (0, "", "tea", None),
        ] {
            assert_eq!(
                find((redacted, start, placed), (real, value)),
                want,
                "{placed}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_restored(text in "\\PC{0,60}") {
            let restored = restore(&text, &[]);
            prop_assert!(restored.len() <= text.len());
            prop_assert_eq!(restore(&restored, &[]).len() <= restored.len(), true);
        }
    }
}
