//! The W3C Trace Context header `traceparent` (Recommendation of 23 November 2021, section 3.2).

/// Random bytes that one hop needs: a trace id and a span id.
pub const RANDOM_BYTES: usize = 24;

/// The `traceparent` of this hop: the trace of `incoming` if that is one, else a new and sampled
/// one; always with a span of its own, made from `random`.
pub fn next(incoming: Option<&str>, random: [u8; RANDOM_BYTES]) -> String {
    // An id of only zeroes is not valid; a random one is that once in 2^64 times.
    let (trace, span) = random.split_at(16);
    let span = crate::hex(span).replacen("0000000000000000", "0000000000000001", 1);
    match incoming.and_then(parts) {
        Some((trace, _, flags)) => format!("00-{trace}-{span}-{flags}"),
        None => {
            let trace = crate::hex(trace);
            let trace = if trace.bytes().all(|byte| byte == b'0') {
                format!("{span}{span}")
            } else {
                trace
            };
            format!("00-{trace}-{span}-01")
        }
    }
}

/// Trace id, span id and flags of a sound one. A version above 00 may carry more after the flags, which is ignored, as the
/// recommendation asks.
pub fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let mut fields = text.trim().split('-');
    let (version, trace) = (fields.next()?, fields.next()?);
    let (span, flags) = (fields.next()?, fields.next()?);
    let is_id = |text: &str, length| is_hex(text, length) && text.bytes().any(|byte| byte != b'0');
    let sound = is_hex(version, 2)
        && version != "ff"
        && (version != "00" || fields.next().is_none())
        && is_id(trace, 32)
        && is_id(span, 16)
        && is_hex(flags, 2);
    sound.then_some((trace, span, flags))
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_sound_trace_goes_on_and_anything_else_starts_one() {
        let goes_on = |flags: &str| format!("00-{TRACE}-1111111111111111-{flags}");
        let starts = || format!("00-{}-1111111111111111-01", "11".repeat(16));
        for (name, incoming, want) in [
            (
                "sampled",
                Some(format!("00-{TRACE}-00f067aa0ba902b7-01")),
                goes_on("01"),
            ),
            (
                "not sampled",
                Some(format!("00-{TRACE}-00f067aa0ba902b7-00")),
                goes_on("00"),
            ),
            (
                "later version",
                Some(format!("01-{TRACE}-00f067aa0ba902b7-01-more")),
                goes_on("01"),
            ),
            ("none", None, starts()),
            ("empty", Some(String::new()), starts()),
            (
                "more in version 00",
                Some(format!("00-{TRACE}-00f067aa0ba902b7-01-more")),
                starts(),
            ),
            (
                "version ff",
                Some(format!("ff-{TRACE}-00f067aa0ba902b7-01")),
                starts(),
            ),
            (
                "upper case",
                Some(format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase())),
                starts(),
            ),
            (
                "zero trace",
                Some(format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32))),
                starts(),
            ),
            (
                "zero span",
                Some(format!("00-{TRACE}-0000000000000000-01")),
                starts(),
            ),
            (
                "short",
                Some(format!("00-{TRACE}-00f067aa0ba902b7")),
                starts(),
            ),
        ] {
            assert_eq!(
                next(incoming.as_deref(), [0x11; RANDOM_BYTES]),
                want,
                "{name}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_comes_out_is_always_sound(incoming in proptest::option::of(".{0,60}"), random: [u8; RANDOM_BYTES]) {
            prop_assert!(parts(&next(incoming.as_deref(), random)).is_some());
            prop_assert!(parts(&next(incoming.as_deref(), [0; RANDOM_BYTES])).is_some());
        }
    }
}
