//! Walks `entry[]` and the lists in it.

use chatly_channel::json::{Json, Object};

/// What one entry has in common for all its items.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// The business or account that the entry is about.
    pub id: Option<String>,
    /// When it was sent, in Unix milliseconds; WhatsApp gives it on administrative fields only.
    pub at: Option<u64>,
    /// The time as it was sent.
    pub time: Option<Json<'a>>,
}

/// One item of an envelope.
#[derive(Debug, Clone)]
pub enum Item<'a> {
    /// An item of `changes[]` that has a field and a value that is an object.
    Change {
        /// The entry that it is in.
        entry: Entry<'a>,
        /// The name of what changed.
        field: String,
        /// What it changed to.
        value: Object<'a>,
        /// The whole item.
        item: Json<'a>,
    },
    /// An item of `messaging[]` or `standby[]` that is an object.
    Messaging {
        /// The entry that it is in.
        entry: Entry<'a>,
        /// Whether another app owns the conversation.
        standby: bool,
        /// The item.
        item: Object<'a>,
    },
    /// Anything that is not of the form.
    Broken {
        /// The entry that it is in, where it is in one.
        entry: Option<Entry<'a>>,
        /// The part of the body that could not be walked.
        item: Json<'a>,
    },
}

/// Every item of a body, in order; none when it is no JSON object. A list that is empty or absent
/// where something is due makes its parent a broken item, so that no part of a body vanishes.
pub fn walk(body: &[u8]) -> Option<Vec<Item<'_>>> {
    let envelope = Json::parse(body)?.object()?;
    let entries = envelope.list("entry");
    let items: Vec<Item> = entries.into_iter().flat_map(walk_entry).collect();
    if items.is_empty() {
        return Some(vec![Item::Broken { entry: None, item: envelope.json() }]);
    }
    Some(items)
}

fn walk_entry(json: Json<'_>) -> Vec<Item<'_>> {
    let Some(object) = json.object() else {
        return vec![Item::Broken { entry: None, item: json }];
    };
    let entry = Entry { id: object.id("id"), at: object.millis("time"), time: object.get("time") };
    let mut items = Vec::new();
    for list in ["changes", "messaging", "standby"] {
        match object.get(list).map(|value| (value, value.list())) {
            None => {}
            Some((_, Some(found))) => items.extend(found.into_iter().map(|item| walk_item(&entry, list, item))),
            Some((value, None)) => items.push(Item::Broken { entry: Some(entry.clone()), item: value }),
        }
    }
    if items.is_empty() {
        items.push(Item::Broken { entry: Some(entry), item: json });
    }
    items
}

fn walk_item<'a>(entry: &Entry<'a>, list: &str, json: Json<'a>) -> Item<'a> {
    let entry = entry.clone();
    let Some(object) = json.object() else {
        return Item::Broken { entry: Some(entry), item: json };
    };
    if list != "changes" {
        return Item::Messaging { entry, standby: list == "standby", item: object };
    }
    match (object.string("field"), object.object("value")) {
        (Some(field), Some(value)) => Item::Change { entry, field, value, item: json },
        _ => Item::Broken { entry: Some(entry), item: json },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shape(body: &str) -> Option<Vec<String>> {
        let items = walk(body.as_bytes())?;
        let id = |entry: Entry| entry.id.unwrap_or_default();
        Some(items.into_iter().map(|item| match item {
            Item::Change { entry, field, .. } => format!("change {} {field}", id(entry)),
            Item::Messaging { entry, standby, item } => format!("{standby} {} {}", id(entry), item.json().text()),
            Item::Broken { item, .. } => format!("broken {}", item.text()),
        }).collect())
    }

    #[test]
    fn nothing_of_a_body_vanishes() {
        for (name, body, want) in [
            ("two entries", r#"{"entry":[{"id":"1","changes":[{"field":"a","value":{}}]},{"id":2,"changes":[{"field":"b","value":{}}]}]}"#, vec!["change 1 a", "change 2 b"]),
            ("both lists", r#"{"entry":[{"id":"1","messaging":[{}],"standby":[{"a":1}]}]}"#, vec!["false 1 {}", r#"true 1 {"a":1}"#]),
            ("siblings of broken ones", r#"{"entry":[7,{"id":"1","changes":[null,"x",{"field":"a","value":1},{"value":{}},{"field":"b","value":{}}]}]}"#,
                vec!["broken 7", "broken null", r#"broken "x""#, r#"broken {"field":"a","value":1}"#, r#"broken {"value":{}}"#, "change 1 b"]),
            ("list that is none", r#"{"entry":[{"changes":{},"messaging":[{}]}]}"#, vec!["broken {}", "false  {}"]),
            ("empty entry", r#"{"entry":[{"id":"1"}]}"#, vec![r#"broken {"id":"1"}"#]),
            ("no entries", r#"{"entry":[]}"#, vec![r#"broken {"entry":[]}"#]),
            ("another object", "{}", vec!["broken {}"]),
        ] {
            assert_eq!(shape(body).unwrap(), want, "{name}");
        }
        for body in ["", "[]", "1", "null", "{", "{}x", "\u{feff}{}"] {
            assert_eq!(shape(body), None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>) {
            let _ = walk(&body);
        }
    }
}
