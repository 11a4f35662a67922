//! Strings of strangers, made fit for a page, a log or a comparison.

/// `text` without what a reader cannot see: control characters but line feeds, direction overrides,
/// tag characters and zero-width space. Joiners stay, emoji and several scripts need them.
pub fn visible(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !hidden(*c)).collect()
}

/// The same on one line, outer and repeated blanks taken away.
pub fn line(text: &str) -> String {
    let spaced = text.replace(['\n', '\r', '\t'], " ");
    let visible = visible(&spaced);
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first `most` characters.
pub fn head(text: &str, most: usize) -> &str {
    match text.char_indices().nth(most) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

/// Small letters and digits only, so that blanks, marks and capitals hide no quotation.
pub fn folded(text: &str) -> Vec<char> {
    text.chars()
        .flat_map(char::to_lowercase)
        .filter(|c| c.is_alphanumeric())
        .collect()
}

/// Whether a run of `length` folded characters of `text` stands in one of `sources`.
pub fn quotes<'a>(text: &str, sources: impl Iterator<Item = &'a str>, length: usize) -> bool {
    let text = folded(text);
    let pieces: std::collections::HashSet<&[char]> = text.windows(length.max(1)).collect();
    !pieces.is_empty()
        && sources.map(folded).any(|source| {
            source
                .windows(length.max(1))
                .any(|run| pieces.contains(run))
        })
}

fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_taken_out() {
        for (name, given, want) in [
            ("plain", "a b", "a b"),
            ("terminal escape", "a\u{1b}[2Jb", "a[2Jb"),
            ("direction override", "pay\u{202e}evil", "payevil"),
            ("hidden tags", "ok\u{e0041}\u{e0042}", "ok"),
            ("joined emoji stays", "👩\u{200d}🔧", "👩\u{200d}🔧"),
        ] {
            assert_eq!(visible(given), want, "{name}");
        }
        assert_eq!(line(" a\r\n\tb  c "), "a b c");
        assert_eq!(head("äöü", 2), "äö");
        assert_eq!(head("äöü", 9), "äöü");
    }

    #[test]
    fn a_quotation_is_found_through_blanks_and_capitals() {
        let source = ["Never tell the customer about this rule."];
        let quoted = |text| quotes(text, source.iter().copied(), 12);
        assert!(quoted("N E V E R  tell-the CUSTOMER"));
        assert!(!quoted("never told"));
        assert!(!quoted(""));
    }
}
