//! The hostile bodies that a plugin is given: fixed ones, golden ones with something in them, random
//! ones, and the largest that are let in.

use chatly_random::Random;

use super::cases::{Golden, json};

/// Largest body that a host lets in.
const MAX_BODY_BYTES: usize = 3 << 20;
/// How deep JSON is nested that nests nothing but itself.
const DEPTH: usize = 10_000;
/// How many bodies of random bytes, and of golden bodies with random changes.
const RANDOM_BODIES: u64 = 200;

pub(super) type Body = (String, Vec<u8>);

pub(super) fn named(name: &str, body: impl Into<Vec<u8>>) -> Body {
    (name.to_owned(), body.into())
}

pub(super) fn fixed() -> Vec<Body> {
    let nested = |open: &str, close: &str| {
        named(
            &format!("{DEPTH} times {open}"),
            open.repeat(DEPTH) + "1" + &close.repeat(DEPTH),
        )
    };
    vec![
        named("nothing", ""),
        named("white space", " \r\n\t"),
        named("null", "null"),
        named("a number", "12345678901234567890123"),
        named("a string", "\"\\ud83d\""),
        named("an empty list", "[]"),
        named("an empty object", "{}"),
        named("half an object", "{\"a\":"),
        named("invalid UTF-8", b"{\"a\":\"\xff\xfe\"}".as_slice()),
        named("NUL", b"\0{\"a\":\0}\0".as_slice()),
        named("a byte order mark", "\u{feff}{}"),
        nested("[", "]"),
        nested("{\"a\":", "}"),
        named("1 MiB of [", "[".repeat(1 << 20)),
        named("1 MiB of {\"a\":", "{\"a\":".repeat((1 << 20) / 5)),
        named("1 MiB of \"", "\"".repeat(1 << 20)),
        named("1 MiB of \\", "\\".repeat(1 << 20)),
        named("1 MiB of 0xff", vec![0xff; 1 << 20]),
        named(
            "3 MiB of items",
            format!("[{}1]", "0,".repeat((MAX_BODY_BYTES - 3) / 2)),
        ),
        named(
            "3 MiB of members",
            format!("{{{}\"b\":1}}", "\"a\":0,".repeat((MAX_BODY_BYTES - 8) / 6)),
        ),
        named("3 MiB of a form", "a=%41&".repeat(MAX_BODY_BYTES / 6)),
        named("1 MiB of %", "%".repeat(1 << 20)),
    ]
}

/// A golden body with something in it that its JSON may hold.
pub(super) fn disguised(golden: &Golden) -> Vec<Body> {
    let text = json(&golden.delivery.body);
    let Some(inner) = text.and_then(|text| text.strip_prefix('{')?.strip_suffix('}')) else {
        return Vec::new();
    };
    let deep = "[".repeat(DEPTH) + &"]".repeat(DEPTH);
    let name = &golden.name;
    let strings = |with: &str| replaced(inner, with);
    vec![
        (
            format!("{name} with deep JSON in it"),
            format!("{{{inner},\"zz\":{deep}}}").into(),
        ),
        (
            format!("{name} with all members twice"),
            format!("{{{inner},{inner}}}").into(),
        ),
        (
            format!("{name} with lone surrogates"),
            format!("{{{}}}", strings("\\ud800")).into(),
        ),
        (
            format!("{name} with NUL"),
            format!("{{{}}}", strings("\\u0000")).into(),
        ),
        (
            format!("{name} with deep JSON for its lists"),
            deep_lists(inner, &deep).into(),
        ),
    ]
}

/// A JSON text with `with` at the start of every string that is a value.
fn replaced(inner: &str, with: &str) -> String {
    inner
        .replace(":\"", &format!(":\"{with}"))
        .replace(": \"", &format!(": \"{with}"))
}

/// A JSON text with deep JSON as the first item of its first list.
fn deep_lists(inner: &str, deep: &str) -> String {
    match inner.split_once('[') {
        Some((before, after)) if !after.trim_start().starts_with(']') => {
            format!("{{{before}[{deep},{after}}}")
        }
        _ => format!("{{{inner}}}"),
    }
}

/// A golden body filled up to the largest that is let in.
pub(super) fn filled(golden: &Golden) -> Vec<Body> {
    let text = json(&golden.delivery.body);
    let Some(inner) = text.and_then(|text| text.strip_prefix('{')?.strip_suffix('}')) else {
        return Vec::new();
    };
    let rest = MAX_BODY_BYTES.saturating_sub(inner.len() + 10);
    let mut all = vec![(
        format!("{} filled up to 3 MiB", golden.name),
        format!("{{{inner},\"zz\":\"{}\"}}", "z".repeat(rest)).into_bytes(),
    )];
    // The first list over and over, if it ends where the body does.
    if let Some((before, after)) = inner.split_once('[')
        && let Some(items) = after.trim_end().strip_suffix(']')
    {
        let times = MAX_BODY_BYTES.saturating_sub(before.len() + 4) / (items.len() + 1);
        let items = vec![items; times.max(1)].join(",");
        all.push((
            format!("{} repeated up to 3 MiB", golden.name),
            format!("{{{before}[{items}]}}").into_bytes(),
        ));
    }
    all
}

pub(super) fn random(golden: &[Golden]) -> Vec<Body> {
    let mut all = Vec::new();
    for seed in 0..RANDOM_BODIES {
        let mut random = Random::new(seed);
        let length = random.below(4_096);
        all.push((
            format!("random bytes of seed {seed}"),
            (0..length).map(|_| random.byte()).collect(),
        ));
        let Some(golden) = golden.get(random.below(golden.len())) else {
            continue;
        };
        let mut body = golden.delivery.body.clone();
        for _ in 0..=random.below(8) {
            let at = random.below(body.len());
            if let Some(byte) = body.get_mut(at) {
                *byte = random.byte();
            }
        }
        all.push((format!("{} changed by seed {seed}", golden.name), body));
    }
    all
}
