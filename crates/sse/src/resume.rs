//! Where a client resumes.

/// An id that is not one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The `Last-Event-ID` header is no whole number.
    #[error("the header Last-Event-ID is not an id of this stream")]
    Header,
    /// The `last_event_id` parameter is no whole number.
    #[error("the parameter last_event_id is not an id of this stream")]
    Parameter,
}

/// The `seq` that a client has seen last; none for one that starts now. The header wins: a browser
/// that reconnects sends it to the same address, whose parameter is older. An empty header is none,
/// as a client sends it that has seen no id yet.
pub fn last_event_id(header: Option<&[u8]>, parameter: Option<&str>) -> Result<Option<u64>, Error> {
    if let Some(header) = header
        .map(<[u8]>::trim_ascii)
        .filter(|header| !header.is_empty())
    {
        let text = std::str::from_utf8(header).map_err(|_| Error::Header)?;
        return number(text).map(Some).ok_or(Error::Header);
    }
    parameter
        .map(|text| number(text).ok_or(Error::Parameter))
        .transpose()
}

/// Digits only. The store counts in `i64` at most, so a larger number was never ours.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = digits.then(|| text.parse().ok())??;
    (number <= i64::MAX.unsigned_abs()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_wins_and_garbage_is_refused() {
        for (name, header, parameter, want) in [
            ("neither", None, None, Ok(None)),
            ("header", Some("7"), None, Ok(Some(7))),
            ("parameter", None, Some("7"), Ok(Some(7))),
            ("both", Some("8"), Some("7"), Ok(Some(8))),
            ("empty header", Some(""), Some("7"), Ok(Some(7))),
            ("space around", Some(" 8 "), None, Ok(Some(8))),
            ("start", Some("0"), None, Ok(Some(0))),
            (
                "largest",
                Some("9223372036854775807"),
                None,
                Ok(Some(9_223_372_036_854_775_807)),
            ),
            (
                "too large",
                Some("9223372036854775808"),
                None,
                Err(Error::Header),
            ),
            (
                "overflow",
                Some("99999999999999999999"),
                None,
                Err(Error::Header),
            ),
            ("sign", Some("-1"), None, Err(Error::Header)),
            ("plus", None, Some("+1"), Err(Error::Parameter)),
            ("words", None, Some("latest"), Err(Error::Parameter)),
            ("empty parameter", None, Some(""), Err(Error::Parameter)),
            (
                "bad header, good parameter",
                Some("x"),
                Some("7"),
                Err(Error::Header),
            ),
        ] {
            assert_eq!(
                last_event_id(header.map(str::as_bytes), parameter),
                want,
                "{name}"
            );
        }
        assert_eq!(last_event_id(Some(b"\xff"), None), Err(Error::Header));
    }
}
