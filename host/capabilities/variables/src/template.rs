//! Text with `{{ name }}` in it.
//!
//! As in Spin there is no escape: `{{` always opens an expression and the next `}}` ends it.
//! What stands between is a name, with blanks around it ignored.

/// A `{{` that no `}}` follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unmatched '{{{{' in template")]
pub struct Unmatched;

/// A piece of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// Text as it is.
    Text(&'a str),
    /// The value of the variable with this name.
    Variable(&'a str),
}

/// Splits a template into its parts.
///
/// # Errors
///
/// [`Unmatched`].
pub fn parse(template: &str) -> Result<Vec<Part<'_>>, Unmatched> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((text, opened)) = rest.split_once("{{") {
        let (name, after) = opened.split_once("}}").ok_or(Unmatched)?;
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        parts.push(Part::Variable(name.trim()));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn expressions_are_found_between_double_braces() {
        use Part::{Text, Variable};
        for (template, want) in [
            ("", Ok(vec![])),
            ("a", Ok(vec![Text("a")])),
            ("{{ a }}", Ok(vec![Variable("a")])),
            ("{{a}}{{\tb\n}}", Ok(vec![Variable("a"), Variable("b")])),
            (
                "x-{{ a }}-y",
                Ok(vec![Text("x-"), Variable("a"), Text("-y")]),
            ),
            ("{ a }", Ok(vec![Text("{ a }")])),
            ("a }} b", Ok(vec![Text("a }} b")])),
            ("{{ }}", Ok(vec![Variable("")])),
            ("{{{ a }}}", Ok(vec![Variable("{ a"), Text("}")])),
            ("{{ a }} {{ b", Err(Unmatched)),
            ("{{", Err(Unmatched)),
        ] {
            assert_eq!(parse(template), want, "{template:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_unmatched(template in "[{} a-c]{0,20}") {
            if let Ok(parts) = parse(&template) {
                let text: usize = parts.iter().map(|part| match part {
                    Part::Text(text) => text.len(),
                    Part::Variable(name) => name.len() + 4,
                }).sum();
                prop_assert!(text <= template.len());
            } else {
                prop_assert!(template.contains("{{"));
            }
        }

        #[test]
        fn text_without_braces_is_itself(text in "[^{]{1,20}") {
            prop_assert_eq!(parse(&text), Ok(vec![Part::Text(text.as_str())]));
        }
    }
}
