//! Bodies that no platform sends, and genuine ones that were damaged on the way.

use anyhow::{Context as _, Result, ensure};
use chatly_canonical::{Body, Event};
use chatly_channel::event::MAX_EVENTS;
use chatly_channel::{Channel, Delivery};

use crate::{folder, load};

/// How deep the nesting of the deepest body is.
const DEPTH: usize = 10_000;
/// How many brackets the longest body has.
const BRACKETS: usize = 1_000_000;

/// Parses what is deep, long, cut, flipped, doubled and no text: each gives at least one event and at
/// most as many as one body may have, none panics, and what is no JSON object is `unparsable`.
pub fn hostile<C: Channel>(channel: &str, account: Option<&str>) -> Result<()> {
    let parse = |body: &[u8]| -> Result<Vec<Event>> {
        let delivery = Delivery {
            method: "POST".to_owned(),
            body: body.to_vec(),
            ..Delivery::default()
        };
        let events = C::parse(&delivery, account);
        ensure!(
            (1..=MAX_EVENTS).contains(&events.len()),
            "{} events of {:.200}",
            events.len(),
            String::from_utf8_lossy(body)
        );
        Ok(events)
    };
    for body in no_objects() {
        let events = parse(&body)?;
        ensure!(
            events.len() == 1 && events.iter().all(|event| event.body == Body::Unparsable),
            "{:.200} is not unparsable",
            String::from_utf8_lossy(&body)
        );
    }
    for case in load(&folder().join(channel))? {
        let body = case.delivery().body;
        let Ok(text) = String::from_utf8(body.clone()) else {
            continue;
        };
        for (what, body) in damaged(&text) {
            parse(&body).with_context(|| format!("case {}, {what}", case.name))?;
        }
        for at in (0..body.len()).step_by(7) {
            parse(body.get(..at).unwrap_or_default())?;
            let mut flipped = body.clone();
            if let Some(byte) = flipped.get_mut(at) {
                *byte ^= 1 << (at % 8);
            }
            parse(&flipped).with_context(|| format!("case {}, byte {at} flipped", case.name))?;
        }
    }
    Ok(())
}

/// Bodies that are no JSON object.
fn no_objects() -> Vec<Vec<u8>> {
    let nested = |open: &str, close: &str, times: usize| {
        format!("{}{}", open.repeat(times), close.repeat(times)).into_bytes()
    };
    vec![
        vec![],
        b" ".to_vec(),
        b"null".to_vec(),
        b"[{}]".to_vec(),
        b"\"text\"".to_vec(),
        b"{".to_vec(),
        b"{}{}".to_vec(),
        b"{\"a\":\"\xff\"}".to_vec(),
        b"{\"a\":\"\0\"}".to_vec(),
        vec![0xff; 1_000],
        vec![0; 1_000],
        nested("[", "]", DEPTH),
        nested("[", "", BRACKETS),
        nested("{\"a\":", "}", DEPTH),
    ]
}

/// A genuine body with each of its values in turn replaced by what a parser may stumble on, and with
/// all of its members doubled.
fn damaged(text: &str) -> Vec<(String, Vec<u8>)> {
    let deep = format!("{}1{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    let mut bodies = Vec::new();
    let starts = text
        .match_indices("\":")
        .map(|(at, found)| at + found.len());
    for start in starts {
        let (head, rest) = text.split_at(start);
        let end = end_of_value(rest);
        let tail = rest.get(end..).unwrap_or_default();
        for value in [
            "null",
            "7",
            "-1e308",
            "\"\"",
            "\"\\ud800 \\u0000\"",
            "[]",
            "{}",
            "[[null,{}]]",
            "18446744073709551616",
        ] {
            let name = format!("{value} from byte {start}");
            bodies.push((name, format!("{head}{value}{tail}").into_bytes()));
        }
        let doubled = format!("{head}{deep},\"zz\":1{tail}").into_bytes();
        bodies.push((format!("deep from byte {start}"), doubled));
    }
    let twice = text.replacen('{', &format!("{{\"entry\":7,\"zz\":{deep},"), 1);
    bodies.push(("doubled members".to_owned(), twice.into_bytes()));
    bodies
}

/// Where a JSON value ends that a text begins with.
fn end_of_value(text: &str) -> usize {
    let mut values =
        serde_json::Deserializer::from_str(text).into_iter::<Box<serde_json::value::RawValue>>();
    match values.next() {
        Some(Ok(_)) => values.byte_offset(),
        _ => 0,
    }
}
