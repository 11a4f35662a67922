//! Walks `entry[]` and the lists in it.

use std::ops::ControlFlow;

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
    /// An item of `changes[]` that has a field and a value that is an object; or an entry that has
    /// both itself, as Instagram with Instagram Login shows it.
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

/// Gives every item of a body to `each`, in order and one at a time, until it breaks; none when the
/// body is no JSON object. A list that is empty or absent where something is due makes its parent
/// a broken item, so that no part of a body vanishes.
pub fn walk<'a>(
    body: &'a [u8],
    mut each: impl FnMut(Item<'a>) -> ControlFlow<()>,
) -> Option<ControlFlow<()>> {
    let envelope = Json::parse(body)?.object()?;
    let entries = envelope.list("entry");
    if entries.is_empty() {
        return Some(each(Item::Broken {
            entry: None,
            item: envelope.json(),
        }));
    }
    Some(
        entries
            .into_iter()
            .try_for_each(|entry| walk_entry(entry, &mut each)),
    )
}

fn walk_entry<'a>(
    json: Json<'a>,
    each: &mut impl FnMut(Item<'a>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let Some(object) = json.object() else {
        return each(Item::Broken {
            entry: None,
            item: json,
        });
    };
    let entry = Entry {
        id: object.id("id"),
        at: object.millis("time"),
        time: object.get("time"),
    };
    let mut is_empty = true;
    if object.get("field").is_some() && object.get("value").is_some() {
        is_empty = false;
        each(walk_item(&entry, "changes", json))?;
    }
    for list in ["changes", "messaging", "standby"] {
        match object.get(list).map(|value| (value, value.list())) {
            None => {}
            Some((_, Some(items))) => {
                is_empty &= items.is_empty();
                items
                    .into_iter()
                    .try_for_each(|item| each(walk_item(&entry, list, item)))?;
            }
            Some((value, None)) => {
                is_empty = false;
                each(Item::Broken {
                    entry: Some(entry.clone()),
                    item: value,
                })?;
            }
        }
    }
    if is_empty {
        each(Item::Broken {
            entry: Some(entry),
            item: json,
        })
    } else {
        ControlFlow::Continue(())
    }
}

fn walk_item<'a>(entry: &Entry<'a>, list: &str, json: Json<'a>) -> Item<'a> {
    let entry = entry.clone();
    let Some(object) = json.object() else {
        return Item::Broken {
            entry: Some(entry),
            item: json,
        };
    };
    if list != "changes" {
        return Item::Messaging {
            entry,
            standby: list == "standby",
            item: object,
        };
    }
    match (object.string("field"), object.object("value")) {
        (Some(field), Some(value)) => Item::Change {
            entry,
            field,
            value,
            item: json,
        },
        _ => Item::Broken {
            entry: Some(entry),
            item: json,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shape(body: &str) -> Option<Vec<String>> {
        let mut items = Vec::new();
        let _ = walk(body.as_bytes(), |item| {
            items.push(item);
            ControlFlow::Continue(())
        })?;
        let id = |entry: Entry| entry.id.unwrap_or_default();
        Some(
            items
                .into_iter()
                .map(|item| match item {
                    Item::Change { entry, field, .. } => format!("change {} {field}", id(entry)),
                    Item::Messaging {
                        entry,
                        standby,
                        item,
                    } => format!("{standby} {} {}", id(entry), item.json().text()),
                    Item::Broken { item, .. } => format!("broken {}", item.text()),
                })
                .collect(),
        )
    }

    #[test]
    fn nothing_of_a_body_vanishes() {
        for (name, body, want) in [
            (
                "two entries",
                r#"{"entry":[{"id":"1","changes":[{"field":"a","value":{}}]},{"id":2,"changes":[{"field":"b","value":{}}]}]}"#,
                vec!["change 1 a", "change 2 b"],
            ),
            (
                "both lists",
                r#"{"entry":[{"id":"1","messaging":[{}],"standby":[{"a":1}]}]}"#,
                vec!["false 1 {}", r#"true 1 {"a":1}"#],
            ),
            (
                "siblings of broken ones",
                r#"{"entry":[7,{"id":"1","changes":[null,"x",{"field":"a","value":1},{"value":{}},{"field":"b","value":{}}]}]}"#,
                vec![
                    "broken 7",
                    "broken null",
                    r#"broken "x""#,
                    r#"broken {"field":"a","value":1}"#,
                    r#"broken {"value":{}}"#,
                    "change 1 b",
                ],
            ),
            (
                "list that is none",
                r#"{"entry":[{"changes":{},"messaging":[{}]}]}"#,
                vec!["broken {}", "false  {}"],
            ),
            (
                "a field on the entry",
                r#"{"entry":[{"id":"1","field":"a","value":{}},{"id":"2","field":"b","value":1,"messaging":[{}]}]}"#,
                vec![
                    "change 1 a",
                    r#"broken {"id":"2","field":"b","value":1,"messaging":[{}]}"#,
                    "false 2 {}",
                ],
            ),
            (
                "empty entry",
                r#"{"entry":[{"id":"1"}]}"#,
                vec![r#"broken {"id":"1"}"#],
            ),
            (
                "no entries",
                r#"{"entry":[]}"#,
                vec![r#"broken {"entry":[]}"#],
            ),
            ("another object", "{}", vec!["broken {}"]),
        ] {
            assert_eq!(shape(body).unwrap(), want, "{name}");
        }
        for body in ["", "[]", "1", "null", "{", "{}x", "\u{feff}{}"] {
            assert_eq!(shape(body), None, "{body}");
        }
    }

    #[test]
    fn a_walk_can_be_stopped() {
        let mut seen = 0;
        let stopped = walk(br#"{"entry":[{"changes":[1,2,3]},4]}"#, |_| {
            seen += 1;
            if seen == 2 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert_eq!((stopped, seen), (Some(ControlFlow::Break(())), 2));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>) {
            let _ = walk(&body, |_| ControlFlow::Continue(()));
        }
    }
}
