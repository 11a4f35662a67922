//! Reads and writes `application/x-www-form-urlencoded`.
//!
//! Names and values are bytes: a sender may escape what is no UTF-8, and signatures cover the bytes.

use std::fmt::Write as _;

/// A name and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// The pairs of a body in order, decoded; empty ones between two `&` are passed over.
pub fn pairs(body: &[u8]) -> Vec<Pair> {
    body.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let mut next = || halves.next().map(decoded).unwrap_or_default();
            (next(), next())
        })
        .collect()
}

/// `+` is a space and `%` with two hex digits a byte; any other `%` stands for itself.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = after;
                }
                _ => bytes.push(b'%'),
            },
            (byte, _) => bytes.push(*byte),
        }
    }
    bytes
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The body of pairs, as the WHATWG URL standard's serializer writes it.
pub fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut body = String::new();
    for (name, value) in pairs {
        if !body.is_empty() {
            body.push('&');
        }
        escape(&mut body, name);
        body.push('=');
        escape(&mut body, value);
    }
    body
}

fn escape(body: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b' ' => body.push('+'),
            b'*' | b'-' | b'.' | b'_' => body.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => body.push(char::from(byte)),
            _ => {
                // Writing to a String does not fail.
                let _ = write!(body, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pairs_are_decoded_in_order() {
        let pair = |name: &str, value: &[u8]| (name.as_bytes().to_vec(), value.to_vec());
        for (name, body, want) in [
            ("empty", "", vec![]),
            ("two", "b=1&a=2+3", vec![pair("b", b"1"), pair("a", b"2 3")]),
            (
                "escapes",
                "From=%2b1%2B2&%C3%A4=%ff",
                vec![pair("From", b"+1+2"), pair("ä", &[0xff])],
            ),
            ("no value", "a&b=", vec![pair("a", b""), pair("b", b"")]),
            ("more equals signs", "a=b=c", vec![pair("a", b"b=c")]),
            ("nothing between", "&a=1&&", vec![pair("a", b"1")]),
            (
                "broken escapes",
                "a=%&b=%2&c=%zz&d=%%41",
                vec![
                    pair("a", b"%"),
                    pair("b", b"%2"),
                    pair("c", b"%zz"),
                    pair("d", b"%A"),
                ],
            ),
        ] {
            assert_eq!(pairs(body.as_bytes()), want, "{name}");
        }
        assert_eq!(
            encode([("To", "+1 ä"), ("a~", "*-._")]),
            "To=%2B1+%C3%A4&a%7E=*-._"
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(written in proptest::collection::vec(("\\PC{1,5}", "\\PC{0,9}"), 0..5)) {
            let body = encode(written.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            let read: Vec<_> = pairs(body.as_bytes());
            let want: Vec<_> = written.into_iter().map(|(name, value)| (name.into_bytes(), value.into_bytes())).collect();
            prop_assert_eq!(read, want);
        }

        #[test]
        fn nothing_panics(body: Vec<u8>) {
            let _ = pairs(&body);
        }
    }
}
