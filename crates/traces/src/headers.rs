//! Headers that a collector wants.

/// Reads `name=value,name=value`, as `OTEL_EXPORTER_OTLP_HEADERS` has it. Values may be percent-encoded,
/// which is undone; what has no name is left out.
#[must_use]
pub fn headers(text: &str) -> Vec<(String, String)> {
    text.split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim()))
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_ascii_lowercase(), decoded(value)))
        .collect()
}

/// What is no percent-encoded UTF-8 stays as it is.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        let digit = |at: usize| tail.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.extend(u8::try_from(high * 16 + low));
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_the_specification_writes_them() {
        for (text, want) in [
            ("", vec![]),
            ("nothing", vec![]),
            ("=value", vec![]),
            (
                "Api-Key=k1, x-team = a=b ",
                vec![("api-key", "k1"), ("x-team", "a=b")],
            ),
            (
                "authorization=Bearer%20t0",
                vec![("authorization", "Bearer t0")],
            ),
            ("a=%zz%2", vec![("a", "%zz%2")]),
            ("a=%ff", vec![("a", "%ff")]),
        ] {
            let got = headers(text);
            let got: Vec<(&str, &str)> = got.iter().map(|(n, v)| (&**n, &**v)).collect();
            assert_eq!(got, want, "{text}");
        }
    }
}
