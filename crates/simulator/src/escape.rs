//! JSON as Meta's servers write it: signed and sent in this form.

use std::fmt::Write as _;

use serde_json::Value;

/// The compact JSON of a value, with `/` as `\/` and everything beyond ASCII as `\u` with lower-case
/// hex, in surrogate pairs where needed.
pub fn escaped(value: &Value) -> String {
    let json = value.to_string();
    let mut text = String::with_capacity(json.len());
    let mut units = [0; 2];
    for character in json.chars() {
        match character {
            '/' => text.push_str("\\/"),
            ' '..='~' => text.push(character),
            _ => {
                for unit in character.encode_utf16(&mut units) {
                    // Writing to a String does not fail.
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn everything_beyond_ascii_is_escaped() {
        for (text, want) in [
            ("plain", r#""plain""#),
            ("ä/b", r#""\u00e4\/b""#),
            ("😀", r#""\ud83d\ude00""#),
            ("a\"\\\n\u{7f}", r#""a\"\\\n\u007f""#),
        ] {
            let body = escaped(&json!(text));
            assert_eq!(body, want);
            assert_eq!(serde_json::from_str::<String>(&body).unwrap(), text);
        }
    }
}
