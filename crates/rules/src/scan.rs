//! Reads a condition before the parser does, without recursion, and bounds what a parser that
//! calls itself could trip over.
//!
//! 1. Brackets, ternaries and runs of signs are counted here, so that no text reaches the parser
//!    that could nest deeper than the stack allows.
//! 2. Texts in quotes and comments are skipped by the same rules as in CEL.
//! 3. It also finds the parts that a top-level `&&` joins, for explanations.
//!
//! It does not check syntax: the parser does.

use std::ops::Range;

/// Longest condition, in bytes: some forty lines, far more than a person reads at once.
pub const MAX_SOURCE_BYTES: usize = 4096;

/// Deepest nesting of brackets. The parser takes about eight calls a level, of a 1 MiB stack.
pub const MAX_BRACKET_DEPTH: usize = 24;

/// Most `? :` in one condition: each nests the rest of the text.
pub const MAX_TERNARIES: usize = 16;

/// Longest run of `!` and `-`.
pub const MAX_SIGNS: usize = 4;

/// Longest text in quotes, in bytes.
pub const MAX_LITERAL_BYTES: usize = 1024;

/// What is wrong and the byte where.
#[derive(Debug, PartialEq, Eq)]
pub struct Flaw {
    pub at: usize,
    pub reason: String,
}

/// Checks the bounds; gives the byte ranges of what `&&` joins at the top level (one range, the
/// whole, where `||` or `?` binds weaker).
pub fn scan(source: &str) -> Result<Vec<Range<usize>>, Flaw> {
    if source.len() > MAX_SOURCE_BYTES {
        let reason = format!(
            "the condition has {} bytes; {MAX_SOURCE_BYTES} are allowed",
            source.len()
        );
        return Err(Flaw { at: 0, reason });
    }
    if source.trim().is_empty() {
        let reason = "the condition is empty; `true` always holds".to_owned();
        return Err(Flaw { at: 0, reason });
    }
    let mut scanner = Scanner {
        bytes: source.as_bytes(),
        at: 0,
        depth: 0,
        ternaries: 0,
        signs: 0,
        ands: Vec::new(),
        weaker: false,
    };
    while scanner.at < source.len() {
        scanner.step()?;
    }
    Ok(scanner.parts(source))
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    ternaries: usize,
    signs: usize,
    /// Where each top-level `&&` starts.
    ands: Vec<usize>,
    /// Whether `||` or `?` stands at the top level.
    weaker: bool,
}

impl Scanner<'_> {
    fn step(&mut self) -> Result<(), Flaw> {
        let byte = self.byte(0);
        if byte.is_ascii_whitespace() {
            self.at += 1;
            return Ok(());
        }
        let is_sign = byte == b'-' || (byte == b'!' && self.byte(1) != b'=');
        self.signs = if is_sign { self.signs + 1 } else { 0 };
        if self.signs > MAX_SIGNS {
            return self.flaw(format!("more than {MAX_SIGNS} of `!` and `-` in a row"));
        }
        match byte {
            b'(' | b'[' | b'{' => self.open(),
            b')' | b']' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                self.skip(1)
            }
            b'?' => self.ternary(),
            b'&' if self.byte(1) == b'&' => {
                if self.depth == 0 {
                    self.ands.push(self.at);
                }
                self.skip(2)
            }
            b'|' if self.byte(1) == b'|' => {
                self.weaker |= self.depth == 0;
                self.skip(2)
            }
            b'/' if self.byte(1) == b'/' => {
                self.at = self.find(self.at, b"\n", false);
                Ok(())
            }
            b'"' | b'\'' => self.text(false),
            _ if byte.is_ascii_alphanumeric() || byte == b'_' => self.word(),
            _ => self.skip(1),
        }
    }

    fn open(&mut self) -> Result<(), Flaw> {
        self.depth += 1;
        if self.depth > MAX_BRACKET_DEPTH {
            return self.flaw(format!("nested deeper than {MAX_BRACKET_DEPTH} brackets"));
        }
        self.skip(1)
    }

    fn ternary(&mut self) -> Result<(), Flaw> {
        self.weaker |= self.depth == 0;
        self.ternaries += 1;
        if self.ternaries > MAX_TERNARIES {
            return self.flaw(format!("more than {MAX_TERNARIES} `? :`"));
        }
        self.skip(1)
    }

    /// A name or number; `r"…"` and `b"…"` start like one.
    fn word(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        while self.byte(0).is_ascii_alphanumeric() || self.byte(0) == b'_' {
            self.at += 1;
        }
        let word = self.bytes.get(start..self.at).unwrap_or_default();
        let is_prefix = word.len() <= 2 && word.iter().all(|letter| b"rRbB".contains(letter));
        if is_prefix && matches!(self.byte(0), b'"' | b'\'') {
            return self.text(word.iter().any(|letter| b"rR".contains(letter)));
        }
        Ok(())
    }

    fn text(&mut self, raw: bool) -> Result<(), Flaw> {
        let start = self.at;
        let quote = self.byte(0);
        let triple = [quote; 3];
        let closing: &[u8] = if self.byte(1) == quote && self.byte(2) == quote {
            &triple
        } else {
            triple.get(..1).unwrap_or_default()
        };
        let end = self.find(start + closing.len(), closing, !raw);
        if end - start > MAX_LITERAL_BYTES + 2 * closing.len() {
            return self.flaw(format!("a text of more than {MAX_LITERAL_BYTES} bytes"));
        }
        self.at = end;
        Ok(())
    }

    /// The byte after the next `wanted`, or the end.
    fn find(&self, from: usize, wanted: &[u8], escapes: bool) -> usize {
        let mut at = from;
        while let Some(rest) = self.bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if rest.starts_with(wanted) {
                return at + wanted.len();
            }
            at += if escapes && rest.starts_with(b"\\") {
                2
            } else {
                1
            };
        }
        self.bytes.len()
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn skip(&mut self, count: usize) -> Result<(), Flaw> {
        self.at += count;
        Ok(())
    }

    fn flaw(&self, reason: String) -> Result<(), Flaw> {
        Err(Flaw {
            at: self.at,
            reason,
        })
    }

    fn parts(&self, source: &str) -> Vec<Range<usize>> {
        if self.weaker {
            return std::iter::once(0..source.len()).collect();
        }
        let starts = std::iter::once(0).chain(self.ands.iter().map(|and| and + 2));
        let ends = self.ands.iter().copied().chain([source.len()]);
        starts.zip(ends).map(|(start, end)| start..end).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_checked_on_both_sides() {
        let nested = |depth| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
        for (name, source, ok) in [
            ("longest", "a".repeat(MAX_SOURCE_BYTES), true),
            ("too long", "a".repeat(MAX_SOURCE_BYTES + 1), false),
            ("empty", " \n".to_owned(), false),
            ("deepest", nested(MAX_BRACKET_DEPTH), true),
            ("too deep", nested(MAX_BRACKET_DEPTH + 1), false),
            (
                "brackets in a text",
                format!("\"{}\"", "(".repeat(99)),
                true,
            ),
            (
                "brackets in a raw text",
                format!("r'\\{}'", "(".repeat(99)),
                true,
            ),
            (
                "brackets in a comment",
                format!("a // {}\n", "(".repeat(99)),
                true,
            ),
            ("an escaped quote", format!("'\\'{}'", "(".repeat(99)), true),
            (
                "brackets after a text",
                format!("'\\\\'{}", "(".repeat(99)),
                false,
            ),
            ("most ternaries", "a?b:".repeat(MAX_TERNARIES) + "c", true),
            (
                "a ternary too many",
                "a?b:".repeat(MAX_TERNARIES + 1) + "c",
                false,
            ),
            ("signs", "!!!!a".to_owned(), true),
            ("a sign too many", "!! !!-a".to_owned(), false),
            ("unequal is no sign", "a!=b != c".to_owned(), true),
            (
                "longest text",
                format!("'{}'", "x".repeat(MAX_LITERAL_BYTES)),
                true,
            ),
            (
                "text too long",
                format!("'{}'", "x".repeat(MAX_LITERAL_BYTES + 1)),
                false,
            ),
            ("never closed", "'abc".to_owned(), true),
        ] {
            assert_eq!(scan(&source).is_ok(), ok, "{name}");
        }
    }

    #[test]
    fn the_parts_of_a_conjunction_are_found() {
        for (source, want) in [
            ("a && b", vec!["a ", " b"]),
            (
                "a && (b && c) && 'x && y'",
                vec!["a ", " (b && c) ", " 'x && y'"],
            ),
            ("a && b || c", vec!["a && b || c"]),
            ("a && (b || c)", vec!["a ", " (b || c)"]),
            ("a ? b && c : d", vec!["a ? b && c : d"]),
        ] {
            let parts = scan(source).unwrap();
            let texts: Vec<&str> = parts.into_iter().map(|part| &source[part]).collect();
            assert_eq!(texts, want, "{source}");
        }
    }
}
