//! Finds where the first statement of a text ends.
//!
//! `execute` runs the first statement only. SQLite would tell where it ends, but the binding
//! refuses text with a second one, so the end is found here, by the rules of
//! `sqlite3_complete` (<https://www.sqlite.org/c3ref/complete.html>): at a semicolon outside
//! of quotes and comments, which for a trigger is the one after `; END`.

/// The first statement of `sql`, without its semicolon and what follows.
pub fn first(sql: &str) -> &str {
    let mut place = Place::Empty;
    let mut rest = sql;
    while let Some((token, after)) = next_token(rest) {
        let Some(next) = place.after(token) else {
            return sql.get(..sql.len() - rest.len()).unwrap_or(sql);
        };
        place = next;
        rest = after;
    }
    sql
}

/// How far into a statement we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing but blanks and semicolons so far.
    Empty,
    /// After `EXPLAIN`.
    Explain,
    /// After `CREATE`, perhaps `TEMP`.
    Create,
    /// In a statement that the next semicolon ends.
    Plain,
    /// In the body of a trigger.
    Trigger,
    /// After a semicolon in the body of a trigger.
    TriggerSemicolon,
    /// After `; END` in the body of a trigger.
    TriggerEnd,
}

impl Place {
    /// The place after `token`; `None` when it ends the statement.
    fn after(self, token: Token<'_>) -> Option<Self> {
        let is = |keyword: &str| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(keyword));
        Some(match (self, token) {
            (_, Token::Blank) | (Self::Empty, Token::Semicolon) => self,
            (Self::Trigger | Self::TriggerSemicolon, Token::Semicolon) => Self::TriggerSemicolon,
            (_, Token::Semicolon) => return None,
            (Self::Empty, _) if is("EXPLAIN") => Self::Explain,
            (Self::Explain, _) if is("QUERY") || is("PLAN") => Self::Explain,
            (Self::Empty | Self::Explain, _) if is("CREATE") => Self::Create,
            (Self::Create, _) if is("TEMP") || is("TEMPORARY") => Self::Create,
            (Self::Create, _) if is("TRIGGER") => Self::Trigger,
            (Self::TriggerSemicolon, _) if is("END") => Self::TriggerEnd,
            (Self::Trigger | Self::TriggerSemicolon | Self::TriggerEnd, _) => Self::Trigger,
            _ => Self::Plain,
        })
    }
}

#[derive(Debug, Clone, Copy)]
enum Token<'a> {
    /// White space or a comment.
    Blank,
    Semicolon,
    /// A keyword, a plain name or a number.
    Word(&'a str),
    /// A quoted text or name, or punctuation.
    Other,
}

/// Splits one token off `sql`; `None` at its end.
fn next_token(sql: &str) -> Option<(Token<'_>, &str)> {
    let first = sql.chars().next()?;
    let (token, length) = match first {
        ';' => (Token::Semicolon, 1),
        ' ' | '\t' | '\n' | '\x0c' | '\r' => (Token::Blank, 1),
        '-' if sql.starts_with("--") => (Token::Blank, end_of(sql, 2, "\n")),
        '/' if sql.starts_with("/*") => (Token::Blank, end_of(sql, 2, "*/")),
        '\'' => (Token::Other, end_of(sql, 1, "'")),
        '"' => (Token::Other, end_of(sql, 1, "\"")),
        '`' => (Token::Other, end_of(sql, 1, "`")),
        '[' => (Token::Other, end_of(sql, 1, "]")),
        _ if in_word(first) => {
            let length = sql.find(|c| !in_word(c)).unwrap_or(sql.len());
            (Token::Word(sql.get(..length).unwrap_or_default()), length)
        }
        _ => (Token::Other, first.len_utf8()),
    };
    Some((token, sql.get(length..).unwrap_or_default()))
}

/// The length of what opens `sql` with `opening` bytes and ends with `closing`, or never.
fn end_of(sql: &str, opening: usize, closing: &str) -> usize {
    let body = sql.get(opening..).unwrap_or_default();
    body.find(closing)
        .map_or(sql.len(), |at| opening + at + closing.len())
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_statement_ends_at_its_own_semicolon() {
        for (sql, want) in [
            ("", ""),
            ("SELECT 1", "SELECT 1"),
            ("SELECT 1;", "SELECT 1"),
            ("SELECT 1; SELECT 2", "SELECT 1"),
            (" ;; SELECT 1; SELECT 2", " ;; SELECT 1"),
            ("-- a; b\nSELECT 1; x", "-- a; b\nSELECT 1"),
            ("/* a; b */ SELECT 1; x", "/* a; b */ SELECT 1"),
            (
                "SELECT ';' || \";\", `;`, [;]; x",
                "SELECT ';' || \";\", `;`, [;]",
            ),
            ("SELECT 'it''s;'; x", "SELECT 'it''s;'"),
            ("SELECT 'never closed; x", "SELECT 'never closed; x"),
            ("SELECT 1 /* never closed; x", "SELECT 1 /* never closed; x"),
            ("SELECT 1 - - 2 / 3; x", "SELECT 1 - - 2 / 3"),
            ("SELECT 'ä😀' ; x", "SELECT 'ä😀' "),
            ("CREATE TABLE trigger_(a); x", "CREATE TABLE trigger_(a)"),
            (
                "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT CASE 1 WHEN 1 THEN 2 END; END; x",
                "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT CASE 1 WHEN 1 THEN 2 END; END",
            ),
            (
                "EXPLAIN QUERY PLAN create trigger t insert on a begin select 1; end; x",
                "EXPLAIN QUERY PLAN create trigger t insert on a begin select 1; end",
            ),
        ] {
            assert_eq!(first(sql), want, "{sql}");
        }
    }

    proptest! {
        #[test]
        fn the_first_statement_is_a_start_of_the_text(sql in "[a-zE;'\"\\[\\]`/*\\- \n\u{e4}]{0,60}") {
            let statement = first(&sql);
            prop_assert!(sql.starts_with(statement));
            prop_assert_eq!(first(statement), statement);
        }

        #[test]
        fn nothing_is_cut_when_sqlite_sees_one_statement(
            parts in prop::collection::vec("(1|'a;b'|\"x;\"|/\\*;\\*/ 2|--;\n3)", 1..6),
        ) {
            let sql = format!("SELECT {}", parts.join(" + "));
            let with_tail = format!("{sql}; nonsense");
            prop_assert_eq!(first(&with_tail), sql.as_str());
        }
    }
}
