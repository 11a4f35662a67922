//! Bodies whose events would be far larger than they are: what is written once and shared by many
//! items, and lists of items that are next to nothing.

use std::collections::HashSet;

use anyhow::{Context as _, Result, ensure};
use chatly_canonical::Weight;
use chatly_channel::event::{MAX_EVENT_BYTES, MAX_EVENTS};
use chatly_channel::{Channel, Delivery, form};
use serde_json::Value;

use crate::{Case, folder, load};

/// Items of a list with too many: some more than one body may have events.
const TOO_MANY: usize = MAX_EVENTS + 100;
/// Lengths of what is shared: as long as an id may be, and longer.
const SHARED_BYTES: [usize; 2] = [6_000, 100_000];
/// The longest body that any platform sends.
const LONGEST_BYTES: usize = 3 << 20;

/// Parses each genuine body with each of its lists filled up, and beside that each of its texts made
/// long: the events are at most as many, and weigh at most as much, as those of one body may.
pub fn multiplied<C: Channel>(channel: &str) -> Result<()> {
    let check = |body: Vec<u8>, delivery: &Delivery| -> Result<()> {
        let length = body.len();
        let delivery = Delivery {
            body,
            ..delivery.clone()
        };
        let events = C::parse(&delivery, Some("1"));
        let weight: usize = events.iter().map(Weight::weight).sum();
        ensure!(
            events.len() <= MAX_EVENTS && weight <= MAX_EVENT_BYTES,
            "{length} bytes are {} events of {weight} bytes",
            events.len()
        );
        Ok(())
    };
    let mut tried = HashSet::new();
    for case in load(&folder().join(channel))? {
        let delivery = case.delivery();
        let Some(body) = json(&case) else {
            continue;
        };
        for change in changes(&body) {
            // Cases share their envelopes: what stands in the same places is tried once.
            let places = (change.list.clone(), change.empty, change.text.clone());
            if !tried.insert(places) {
                continue;
            }
            let body = written(&case, &change.of(&body));
            check(body, &delivery).with_context(|| format!("case {}, {change:?}", case.name))?;
        }
    }
    for byte in [0, b'[', b'"', 0xff] {
        let body = vec![byte; LONGEST_BYTES];
        check(body, &Delivery::default()).with_context(|| format!("bytes {byte}"))?;
    }
    Ok(())
}

/// The JSON of a case: its body, or what a form of it holds.
fn json(case: &Case) -> Option<Value> {
    let in_form = || {
        let pairs = form::pairs(case.form()?.as_bytes());
        let (_, json) = pairs.iter().find(|(name, _)| name == b"payload")?;
        serde_json::from_slice(json).ok()
    };
    case.body().or_else(in_form)
}

fn written(case: &Case, body: &Value) -> Vec<u8> {
    let json = body.to_string();
    if case.form().is_some() {
        form::encode([("payload", json.as_str())]).into_bytes()
    } else {
        json.into_bytes()
    }
}

/// What is done to a body.
#[derive(Debug)]
struct Change {
    /// The list that is filled up.
    list: String,
    /// With how many items.
    items: usize,
    /// Whether they are empty objects, not the list's first item.
    empty: bool,
    /// The text that is made long, and how long.
    text: Option<(String, usize)>,
}

impl Change {
    fn of(&self, body: &Value) -> Value {
        let mut body = body.clone();
        if let Some(Value::Array(items)) = body.pointer_mut(&self.list) {
            let first = items.first().cloned().filter(|_| !self.empty);
            let item = first.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
            *items = vec![item; self.items];
        }
        if let Some((text, length)) = &self.text
            && let Some(text) = body.pointer_mut(text)
        {
            *text = Value::String("7".repeat(*length));
        }
        body
    }
}

/// Each list filled up in turn, and beside a filled one each text made long.
fn changes(body: &Value) -> Vec<Change> {
    let pointers = pointers(body);
    let of_kind = |is: fn(&Value) -> bool| {
        let pointers = pointers.iter();
        pointers.filter(move |at| body.pointer(at).is_some_and(is))
    };
    let mut changes = Vec::new();
    for list in of_kind(Value::is_array) {
        let filled = |items, empty, text| Change {
            list: list.clone(),
            items,
            empty,
            text,
        };
        changes.extend([true, false].map(|empty| filled(TOO_MANY, empty, None)));
        let inside = format!("{list}/");
        for text in of_kind(Value::is_string).filter(|at| !at.starts_with(&inside)) {
            // In each item, the text alone is too much.
            let sharing = |length| MAX_EVENT_BYTES / length + 1;
            let long = |length| filled(sharing(length), false, Some((text.clone(), length)));
            changes.extend(SHARED_BYTES.map(long));
        }
    }
    changes
}

/// Where each value of a body is.
fn pointers(body: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match body {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, value)| (at.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    let mut all = vec![String::new()];
    for (name, value) in inner {
        all.extend(
            pointers(value)
                .into_iter()
                .map(|rest| format!("/{name}{rest}")),
        );
    }
    all
}
