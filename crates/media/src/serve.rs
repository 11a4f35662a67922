//! How a medium is served: status and headers, and which bytes of it.
//!
//! 1. One range of bytes (RFC 9110, section 14) is answered with 206; several, or what is no range, with
//!    the whole. `ETag` is the digest, so `If-None-Match` and `If-Range` are exact.
//! 2. The type is what the bytes show. What a page may not show is saved as a file, nothing is guessed
//!    (`nosniff`), and nothing runs (`sandbox`). A browser may keep it for itself for as long as the
//!    link is good.

use std::ops::Range;

use crate::kind::is_inline;
use crate::layout::{Head, PART_BYTES};

/// The request's headers that count.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// `Range`
    pub range: Option<&'a str>,
    /// `If-Range`
    pub if_range: Option<&'a str>,
    /// `If-None-Match`
    pub if_none_match: Option<&'a str>,
}

/// The answer without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 200, 206, 304 or 416.
    pub status: u16,
    /// All headers but the size's.
    pub headers: Vec<(&'static str, String)>,
    /// Which bytes are the body.
    pub span: Range<u64>,
}

/// Answers a request for a medium; `secs` is how long the link is still good.
pub fn answer(head: &Head, asked: &Asked<'_>, secs: u64) -> Answer {
    let etag = format!("\"{}\"", head.sha256);
    let mut headers = vec![
        ("etag", etag.clone()),
        ("accept-ranges", "bytes".to_owned()),
        (
            "cache-control",
            format!("private, max-age={secs}, immutable"),
        ),
        (
            "content-security-policy",
            "sandbox; default-src 'none'".to_owned(),
        ),
        ("cross-origin-resource-policy", "cross-origin".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("referrer-policy", "no-referrer".to_owned()),
    ];
    let known = |list: &str| {
        let mut tags = list
            .split(',')
            .map(|tag| tag.trim().trim_start_matches("W/"));
        tags.any(|tag| tag == "*" || tag == etag)
    };
    if asked.if_none_match.is_some_and(known) {
        let (status, span) = (304, 0..0);
        return Answer {
            status,
            headers,
            span,
        };
    }
    let range = asked
        .range
        .filter(|_| asked.if_range.is_none_or(|tag| tag.trim() == etag));
    let (status, span) = match range.map_or(Asks::All, |range| parse(range, head.bytes)) {
        Asks::All => (200, 0..head.bytes),
        Asks::Span(span) => (206, span),
        Asks::Nothing => {
            headers.push(("content-range", format!("bytes */{}", head.bytes)));
            let (status, span) = (416, 0..0);
            return Answer {
                status,
                headers,
                span,
            };
        }
    };
    if status == 206 {
        let last = span.end.saturating_sub(1);
        let range = format!("bytes {}-{last}/{}", span.start, head.bytes);
        headers.push(("content-range", range));
    }
    headers.push(("content-type", content_type(&head.mime_type)));
    let disposition = if is_inline(&head.mime_type) {
        "inline"
    } else {
        "attachment"
    };
    headers.push(("content-disposition", disposition.to_owned()));
    Answer {
        status,
        headers,
        span,
    }
}

/// Text is UTF-8: nothing else is taken for text.
fn content_type(mime_type: &str) -> String {
    match mime_type {
        "text/plain" => "text/plain; charset=utf-8".to_owned(),
        other => other.to_owned(),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Asks {
    All,
    Span(Range<u64>),
    /// A range that lies outside.
    Nothing,
}

fn parse(range: &str, size: u64) -> Asks {
    let Some((unit, spec)) = range.split_once('=') else {
        return Asks::All;
    };
    let Some((first, last)) = spec.trim().split_once('-') else {
        return Asks::All;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Asks::All;
    }
    // Digits that are too many are a very large number.
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let span = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Some(first), None) if last.is_empty() => first..size,
        (None, Some(suffix)) if first.is_empty() => size.saturating_sub(suffix)..size,
        _ => return Asks::All,
    };
    match span.start < span.end {
        true => Asks::Span(span),
        false => Asks::Nothing,
    }
}

/// The parts that hold these bytes, each with the range within it.
pub fn parts(span: Range<u64>) -> impl Iterator<Item = (u32, Range<usize>)> {
    let size = PART_BYTES as u64;
    let end = if span.start < span.end {
        span.end.div_ceil(size)
    } else {
        0
    };
    (span.start / size..end).map(move |index| {
        let start = index * size;
        let within =
            |at: u64| usize::try_from(at.saturating_sub(start).min(size)).unwrap_or(PART_BYTES);
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        (index, within(span.start)..within(span.end))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(mime_type: &str) -> Head {
        Head {
            mime_type: mime_type.into(),
            bytes: 100,
            sha256: "ab".into(),
            parts: 1,
        }
    }

    fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
        let found = answer.headers.iter().find(|header| header.0 == name);
        found.map(|header| header.1.as_str())
    }

    #[test]
    fn a_range_gives_its_bytes() {
        for (range, status, span, content_range) in [
            (None, 200, 0..100, None),
            (Some("bytes=0-9"), 206, 0..10, Some("bytes 0-9/100")),
            (Some("bytes=90-"), 206, 90..100, Some("bytes 90-99/100")),
            (Some("bytes=-10"), 206, 90..100, Some("bytes 90-99/100")),
            (Some("bytes=-1000"), 206, 0..100, Some("bytes 0-99/100")),
            (Some("bytes=50-1000"), 206, 50..100, Some("bytes 50-99/100")),
            (Some("Bytes=0-0"), 206, 0..1, Some("bytes 0-0/100")),
            (
                Some("bytes=99-99999999999999999999"),
                206,
                99..100,
                Some("bytes 99-99/100"),
            ),
            (Some("bytes=100-"), 416, 0..0, Some("bytes */100")),
            (Some("bytes=-0"), 416, 0..0, Some("bytes */100")),
            (Some("bytes=9-0"), 200, 0..100, None),
            (Some("bytes=0-1,5-6"), 200, 0..100, None),
            (Some("lines=0-1"), 200, 0..100, None),
            (Some("bytes"), 200, 0..100, None),
            (Some("bytes=-"), 200, 0..100, None),
            (Some("bytes=a-b"), 200, 0..100, None),
        ] {
            let asked = Asked {
                range,
                ..Asked::default()
            };
            let got = answer(&head("image/png"), &asked, 60);
            assert_eq!((got.status, got.span.clone()), (status, span), "{range:?}");
            assert_eq!(header(&got, "content-range"), content_range, "{range:?}");
        }
    }

    #[test]
    fn the_digest_is_what_conditions_are_about() {
        let range = Some("bytes=0-9");
        for (if_range, if_none_match, status) in [
            (None, None, 206),
            (Some("\"ab\""), None, 206),
            (Some("\"cd\""), None, 200),
            (None, Some("\"ab\""), 304),
            (None, Some("\"cd\", W/\"ab\""), 304),
            (None, Some("*"), 304),
            (None, Some("\"cd\""), 206),
        ] {
            let asked = Asked {
                range,
                if_range,
                if_none_match,
            };
            let got = answer(&head("image/png"), &asked, 60);
            assert_eq!(got.status, status, "{if_range:?} {if_none_match:?}");
            assert_eq!(header(&got, "etag"), Some("\"ab\""));
        }
    }

    #[test]
    fn nothing_runs_and_nothing_is_guessed() {
        for (mime_type, disposition, content_type) in [
            ("image/png", "inline", "image/png"),
            ("audio/ogg", "inline", "audio/ogg"),
            ("application/pdf", "attachment", "application/pdf"),
            ("text/plain", "attachment", "text/plain; charset=utf-8"),
            ("image/svg+xml", "attachment", "image/svg+xml"),
            ("text/html", "attachment", "text/html"),
        ] {
            let got = answer(&head(mime_type), &Asked::default(), 60);
            for (name, want) in [
                ("content-type", content_type),
                ("content-disposition", disposition),
                ("x-content-type-options", "nosniff"),
                ("content-security-policy", "sandbox; default-src 'none'"),
                ("cache-control", "private, max-age=60, immutable"),
            ] {
                assert_eq!(header(&got, name), Some(want), "{mime_type}: {name}");
            }
        }
    }

    proptest! {
        #[test]
        fn parts_hold_exactly_the_bytes(start in 0..3_000_000u64, length in 0..2_000_000u64) {
            let span = start..start + length;
            let mut at = start;
            for (index, within) in parts(span.clone()) {
                prop_assert_eq!(u64::from(index) * PART_BYTES as u64 + within.start as u64, at);
                prop_assert!(within.end <= PART_BYTES && within.start < within.end);
                at += within.len() as u64;
            }
            prop_assert_eq!(at, span.end);
        }

        #[test]
        fn no_range_leads_outside(range in "(bytes=)?[0-9,-]{0,30}", size in 1..1000u64) {
            let head = Head { bytes: size, ..head("image/png") };
            let asked = Asked { range: Some(&range), ..Asked::default() };
            let got = answer(&head, &asked, 0);
            prop_assert!(got.span.start <= got.span.end && got.span.end <= size);
        }
    }
}
