//! The events of one value of `changes[]`: comments, mentions, notices.

use chatly_canonical::{Body, Comment, Event};
use chatly_channel::event::{Events, event, unknown};
use chatly_channel::json::{Json, Object};
use chatly_channel::key::{Keys, named};

use crate::Platform;
use crate::item::Reader;
use crate::parse::{first_id, first_string};

/// What a value says, with the key where it has an id.
struct Read {
    body: Body,
    key: Option<String>,
    held: bool,
}

/// Adds the events of a value; never none.
pub(crate) fn events(
    reader: &Reader,
    field: &str,
    value: &Object,
    change: Json,
    keys: &mut Keys,
    events: &mut Events,
) {
    if Reader::is_item(value) {
        return reader.events(value, keys, events);
    }
    let read = match field {
        "comments" | "live_comments" => comment(reader, field, value),
        "mentions" | "mention" => mention(reader, value),
        "feed" => feed(reader, value),
        _ if reader.platform == Platform::Messenger => {
            chatly_meta::notice(field, value).map(|body| Read {
                body,
                key: None,
                held: false,
            })
        }
        _ => None,
    };
    let at = ["created_time", "timestamp"]
        .iter()
        .find_map(|name| value.millis(name))
        .or(reader.entry_at());
    let found = match read {
        None => Event {
            at,
            ..unknown(
                reader.platform.name(),
                keys,
                &reader.scope,
                change,
                reader.entry_time(),
            )
        },
        Some(read) => {
            let key = read
                .key
                .unwrap_or_else(|| reader.hashed(change, value, keys));
            let from = value.object("from");
            let sender = from
                .as_ref()
                .and_then(|from| reader.party(from, &["id"]))
                .or_else(|| reader.party(value, &["sender_id"]));
            Event {
                at,
                sender,
                raw: (!read.held).then(|| change.raw()),
                ..event(reader.platform.name(), &reader.scope, key, read.body)
            }
        }
    };
    events.push(Event {
        standby: field == "standby",
        ..found
    });
}

/// A comment on a post, reel or live video of an Instagram account.
fn comment(reader: &Reader, field: &str, value: &Object) -> Option<Read> {
    let id = first_id(value, &["id", "comment_id"])?;
    let media = value.object("media");
    let held = field == "comments"
        && value.has_only(&["id", "parent_id", "from", "text", "media"])
        && media.as_ref().is_none_or(|it| it.has_only(&["id"]))
        && value
            .object("from")
            .is_none_or(|it| it.has_only(&["id", "username"]));
    Some(Read {
        key: Some(key(reader, &id, &[])),
        body: Body::Comment(Comment {
            id,
            parent_id: value.id("parent_id"),
            post_id: media.and_then(|media| media.id("id")),
            text: value.string("text"),
        }),
        held,
    })
}

/// A mention in a comment, or in the post itself.
fn mention(reader: &Reader, value: &Object) -> Option<Read> {
    let post_id = first_id(value, &["media_id", "post_id"]);
    let id = value.id("comment_id").or_else(|| post_id.clone())?;
    Some(Read {
        key: Some(key(reader, &id, &["mention"])),
        body: Body::Comment(Comment {
            id,
            parent_id: None,
            post_id,
            text: first_string(Some(value), &["message"]),
        }),
        held: false,
    })
}

/// Of a page's feed, comments that are new or edited; all else is only kept.
fn feed(reader: &Reader, value: &Object) -> Option<Read> {
    let verb = value.string("verb").unwrap_or_default();
    if value.string("item").as_deref() != Some("comment")
        || !matches!(verb.as_str(), "add" | "edit" | "edited")
    {
        return None;
    }
    let id = value.id("comment_id")?;
    Some(Read {
        key: (verb == "add").then(|| key(reader, &id, &[])),
        body: Body::Comment(Comment {
            id,
            parent_id: value.id("parent_id"),
            post_id: value.id("post_id"),
            text: value.string("message"),
        }),
        held: false,
    })
}

fn key(reader: &Reader, id: &str, steps: &[&str]) -> String {
    named(reader.platform.name(), &reader.scope.account, id, steps)
}
