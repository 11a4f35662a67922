//! Every event of a delivery is there, the same each time, whatever stands beside it.

use std::collections::BTreeMap;

use chatly_canonical::Event;
use chatly_channel::Delivery;
use serde_json::{Value, json};

use super::cases::Golden;
use super::{Outcome, Subject, failed};
use crate::plugin::Plugin;

/// What begins a key that is a digest of the item's own text.
const HASHED: &str = ":sha256:";
/// Most lists of one body that are looked into.
const MAX_LISTS: usize = 400;

pub(super) fn golden(subject: &mut Subject) -> Outcome {
    let Subject { plugin, golden } = subject;
    let (mut count, mut shown) = (0, Vec::new());
    for golden in golden.iter() {
        let delivery = golden.documented.as_ref().unwrap_or(&golden.delivery);
        let events = to_json(&parse(plugin, golden, delivery)?);
        shown.extend(events.iter().filter_map(kind));
        let Some(want) = &golden.events else { continue };
        count += 1;
        // Order of members says nothing.
        if &events != want {
            return Err(format!(
                "{} gives {} not {}",
                golden.name,
                Value::from(events),
                Value::from(want.clone())
            ));
        }
    }
    let described = plugin.describe().map_err(failed("describe"))?.kinds;
    if let Some(kind) = shown.iter().find(|kind| !described.contains(kind)) {
        return Err(format!("the kind {kind} is given but not described"));
    }
    Ok(format!("{count} deliveries"))
}

pub(super) fn batches(subject: &mut Subject) -> Outcome {
    let Subject { plugin, golden } = subject;
    let (mut count, mut lists) = (0, 0);
    for golden in golden.iter() {
        let whole = counted(&parse(plugin, golden, &golden.delivery)?);
        if !golden.parts.is_empty() {
            let mut alone = Vec::new();
            for part in &golden.parts {
                alone.extend(parse(plugin, golden, part)?);
            }
            count += 1;
            same(&counted(&alone), &whole, false)
                .map_err(|lost| format!("{}: {lost}", golden.name))?;
        }
        if !golden.parts.is_empty() || !golden.lists.is_empty() {
            let found = strangers(plugin, golden)?;
            if found.is_empty() {
                return Err(format!(
                    "{}: of no list does it give more than one item",
                    golden.name
                ));
            }
            if let Some(list) = golden.lists.iter().find(|list| !found.contains(list)) {
                return Err(format!(
                    "{}: the list {list} gives no more events with its first item twice",
                    golden.name
                ));
            }
            lists += found.len();
        }
    }
    Ok(match count + lists {
        0 => "one thing a delivery".to_owned(),
        _ => format!("{lists} lists"),
    })
}

pub(super) fn twice(subject: &mut Subject) -> Outcome {
    let Subject { plugin, golden } = subject;
    let mut before = Vec::new();
    for golden in golden.iter() {
        before.push(parse(plugin, golden, &golden.delivery)?);
    }
    // What one call leaves behind may show in the next, and not in another instance.
    for (golden, events) in golden.iter().zip(&before).rev() {
        for what in ["again", "in a new instance"] {
            if &parse(plugin, golden, &golden.delivery)? != events {
                return Err(format!("{} gives other events {what}", golden.name));
            }
            plugin.forget();
        }
    }
    let first = plugin.describe().map_err(failed("describe"))?;
    plugin.forget();
    match plugin.describe().map_err(failed("describe"))? == first {
        true => Ok(format!("{} deliveries, three times", golden.len())),
        false => Err("it describes itself otherwise the second time".to_owned()),
    }
}

/// The lists of siblings in a body, each tried with items in it that no platform sends.
fn strangers(plugin: &mut Plugin, golden: &Golden) -> Result<Vec<String>, String> {
    let Ok(body) = serde_json::from_slice::<Value>(&golden.delivery.body) else {
        return Ok(Vec::new());
    };
    // Written anew, as the kept JSON of the others will be.
    let anew = edited(golden, &body, "", |_| {});
    let whole = &counted(&parse(plugin, golden, &anew)?);
    let mut pointers = Vec::new();
    find_lists(&body, &mut String::new(), &mut pointers);
    let mut found = Vec::new();
    for pointer in pointers.into_iter().take(MAX_LISTS) {
        let doubled = edited(golden, &body, &pointer, |items| {
            items.extend(items.first().cloned());
        });
        if parse(plugin, golden, &doubled)?.len() <= whole.values().sum() {
            continue;
        }
        let strangers = [json!({ "zz_unknown": { "zz": 1 } }), json!(7), json!("zz")];
        let mixed = edited(golden, &body, &pointer, |items| {
            for (n, stranger) in strangers.iter().enumerate() {
                items.insert(items.len() * n / 2, stranger.clone());
            }
        });
        let given = counted(&parse(plugin, golden, &mixed)?);
        let name = format!("{} with strangers in {pointer}", golden.name);
        same(whole, &given, true).map_err(|lost| format!("{name}: {lost}"))?;
        let more = given.values().sum::<usize>() - whole.values().sum::<usize>();
        if more < strangers.len() {
            return Err(format!(
                "{name}: of {} strangers only {more} are events",
                strangers.len()
            ));
        }
        found.push(pointer);
    }
    Ok(found)
}

fn find_lists(value: &Value, at: &mut String, found: &mut Vec<String>) {
    let length = at.len();
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                at.push('/');
                at.push_str(&name.replace('~', "~0").replace('/', "~1"));
                find_lists(member, at, found);
                at.truncate(length);
            }
        }
        Value::Array(items) => {
            // Of a list of ids only ids are items.
            if items.first().is_some_and(Value::is_object) {
                found.push(at.clone());
            }
            for (n, item) in items.iter().enumerate() {
                at.push_str(&format!("/{n}"));
                find_lists(item, at, found);
                at.truncate(length);
            }
        }
        _ => {}
    }
}

/// The delivery with another list at a pointer.
fn edited(
    golden: &Golden,
    body: &Value,
    pointer: &str,
    edit: impl FnOnce(&mut Vec<Value>),
) -> Delivery {
    let mut body = body.clone();
    if let Some(Value::Array(items)) = body.pointer_mut(pointer) {
        edit(items);
    }
    Delivery {
        body: body.to_string().into_bytes(),
        ..golden.delivery.clone()
    }
}

/// Events without what the text of a body decides, and how often each is there.
pub(super) type Counted = BTreeMap<String, usize>;

pub(super) fn counted(events: &[Event]) -> Counted {
    let mut counted = Counted::new();
    for event in events {
        let key = event.key.split_once(HASHED).map(|(start, _)| start);
        let event = Event {
            key: key.unwrap_or(&event.key).to_owned(),
            // May stand above the list.
            at: None,
            raw: None,
            ..event.clone()
        };
        let text = serde_json::to_string(&event).unwrap_or_default();
        *counted.entry(text).or_default() += 1;
    }
    counted
}

fn same(want: &Counted, given: &Counted, may_be_more: bool) -> Result<(), String> {
    for (event, count) in want {
        let there = given.get(event).copied().unwrap_or_default();
        if there < *count {
            return Err(format!("an event is lost: {event}"));
        }
    }
    let (most, count): (usize, usize) = (want.values().sum(), given.values().sum());
    match may_be_more || count <= most {
        true => Ok(()),
        false => Err(format!("{count} events, not {most}")),
    }
}

fn parse(plugin: &mut Plugin, golden: &Golden, delivery: &Delivery) -> Result<Vec<Event>, String> {
    plugin
        .parse(delivery, golden.account.as_deref())
        .map_err(failed(&golden.name))
}

fn to_json(events: &[Event]) -> Vec<Value> {
    let events = events.iter();
    events
        .map(|event| serde_json::to_value(event).unwrap_or_default())
        .collect()
}

fn kind(event: &Value) -> Option<String> {
    Some(event.get("kind")?.as_str()?.to_owned())
}
