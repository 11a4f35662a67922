//! The same body in other words, and events without what such words change.

use serde_json::{Value, json};

/// What begins a key that is a digest of the item's own text.
const HASHED: &str = ":sha256:";
/// From here on a number counts milliseconds, not seconds.
const FIRST_MILLIS: u64 = 1_000_000_000_000;

/// Events without what the text of a body decides: kept JSON, and digests of it.
pub(crate) fn comparable(events: &[Value]) -> Vec<Value> {
    let mut events = events.to_vec();
    for event in &mut events {
        if let Some(key) = event.get_mut("key") {
            let whole = key.as_str().unwrap_or_default();
            let start = whole.split_once(HASHED).map_or(whole, |(start, _)| start);
            *key = start.into();
        }
        if let Some(external) = event.get_mut("external") {
            forget(external, &["data"]);
        }
        forget(event, &["raw"]);
    }
    events
}

fn forget(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !names.contains(&name.as_str()));
            members
                .values_mut()
                .for_each(|member| forget(member, names));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| forget(item, names)),
        _ => {}
    }
}

/// Writes a timestamp in another way.
type Rewrite = fn(u64) -> Value;

/// The body with its timestamps as strings, as numbers, in milliseconds and in seconds.
pub(crate) fn retyped(body: &Value, names: &[&str]) -> Vec<(&'static str, Value)> {
    let disguises: [(&str, Rewrite); 4] = [
        ("timestamps as strings", |number| number.to_string().into()),
        ("timestamps as numbers", Value::from),
        ("timestamps in milliseconds", |number| {
            if number < FIRST_MILLIS {
                (number * 1000).into()
            } else {
                number.into()
            }
        }),
        ("timestamps in seconds", |number| {
            if number >= FIRST_MILLIS && number.is_multiple_of(1000) {
                (number / 1000).into()
            } else {
                number.into()
            }
        }),
    ];
    disguises
        .into_iter()
        .map(|(name, to)| {
            let mut body = body.clone();
            rewrite(&mut body, names, to);
            (name, body)
        })
        .collect()
}

fn rewrite(value: &mut Value, names: &[&str], to: Rewrite) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let number = match &*member {
                    Value::Number(number) => number.as_u64(),
                    Value::String(text) => text.parse().ok(),
                    _ => None,
                };
                match number {
                    Some(number) if names.contains(&name.as_str()) => *member = to(number),
                    _ => rewrite(member, names, to),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, names, to)),
        _ => {}
    }
}

/// The body with fields in each of its objects that no platform sends.
pub(crate) fn with_unknown_fields(body: &Value) -> Value {
    match body {
        Value::Object(members) => {
            let mut members: serde_json::Map<_, _> = members
                .iter()
                .map(|(name, member)| (name.clone(), with_unknown_fields(member)))
                .collect();
            members.insert("zz_new_scalar".into(), json!("zz"));
            members.insert("zz_new_object".into(), json!({ "zz": [1, null] }));
            Value::Object(members)
        }
        Value::Array(items) => items.iter().map(with_unknown_fields).collect(),
        other => other.clone(),
    }
}

/// A form with fields that no platform sends behind its own, and in reverse order.
pub(crate) fn forms(body: &str) -> [(&'static str, String); 2] {
    let reversed: Vec<&str> = body.rsplit('&').collect();
    [
        (
            "unknown fields",
            format!("{body}&ZzNew=zz%20z&ZzEmpty=&ZzNew=again"),
        ),
        ("reverse order", reversed.join("&")),
    ]
}
