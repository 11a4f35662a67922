//! Commands, components and modals as messages.

use chatly_canonical::{Body, InteractiveReply, Media, Message, MessageType};
use chatly_channel::json::{Json, Object};

use crate::parse::Kind;

/// The message of an interaction; none for what is no message: completions, and what has no data.
pub(crate) fn body(object: &Object, kind: Kind, id: &str) -> Option<Body> {
    let data = object.object("data")?;
    let message = match kind {
        Kind::Command => command(&data)?,
        Kind::Component => component(object, &data)?,
        Kind::Modal => modal(object, &data)?,
        _ => return None,
    };
    // The token lets a reply find its way; see the crate's documentation.
    let id = match object.string("token") {
        Some(token) => format!("{id}:{token}"),
        None => id.to_owned(),
    };
    Some(Body::Message(Message {
        id,
        raw: Some(data.json().raw()),
        ..message
    }))
}

/// The command as it is typed: `/order size:XL`, or the name of one from a menu.
fn command(data: &Object) -> Option<Message> {
    let name = data.string("name")?;
    // 1 is typed; 2 and 3 are picked from the menu of a user or a message.
    let is_typed = data.get("type").and_then(Json::integer).unwrap_or(1) == 1;
    let mut words = vec![if is_typed { format!("/{name}") } else { name }];
    let mut options = data.list("options");
    // A group holds a subcommand, and that its options: three levels at most.
    for _ in 0..3 {
        let inner = match options.as_slice() {
            [only] => only.object().filter(|it| it.get("value").is_none()),
            _ => None,
        };
        let Some(inner) = inner else { break };
        words.extend(inner.string("name"));
        options = inner.list("options");
    }
    for option in options.into_iter().filter_map(Json::object) {
        let value = option.get("value").and_then(Json::scalar);
        words.extend(
            option
                .string("name")
                .zip(value)
                .map(|(name, value)| format!("{name}:{value}")),
        );
    }
    let attachments = data
        .object("resolved")
        .and_then(|it| it.object("attachments"));
    let media = attachments
        .iter()
        .flat_map(|it| it.values())
        .filter_map(|it| Some(media(&it.object()?)))
        .filter(|media| media.id.is_some())
        .collect();
    Some(Message {
        kind: MessageType::Text,
        text: Some(words.join(" ")),
        media,
        // A command of a message's menu is about that message.
        reply_to: data
            .id("target_id")
            .filter(|_| data.get("type").and_then(Json::integer) == Some(3)),
        ..Message::default()
    })
}

pub(crate) fn media(file: &Object) -> Media {
    let mime_type = file.string("content_type");
    let family = mime_type.as_deref().and_then(|it| it.split('/').next());
    let kind = family
        .filter(|family| matches!(*family, "image" | "audio" | "video"))
        .unwrap_or("document");
    Media {
        kind: kind.to_owned(),
        id: file.id("id"),
        url: file.string("url"),
        filename: file.string("filename"),
        caption: file.string("description"),
        bytes: file.get("size").and_then(Json::integer),
        mime_type,
        ..Media::default()
    }
}

/// A button by its `custom_id`, a menu by the first value that was picked; the rest is raw.
fn component(object: &Object, data: &Object) -> Option<Message> {
    let custom_id = data.id("custom_id")?;
    let value = data.list("values").first().and_then(|value| value.scalar());
    let message = object.object("message");
    let title = message
        .as_ref()
        .and_then(|message| label(message, &custom_id, value.as_deref()));
    Some(Message {
        kind: MessageType::Reply,
        reply: Some(InteractiveReply {
            id: value.or(Some(custom_id)),
            title,
        }),
        reply_to: message.and_then(|message| message.id("id")),
        ..Message::default()
    })
}

/// What the button or the option says, looked up in the rows of the message.
fn label(message: &Object, custom_id: &str, value: Option<&str>) -> Option<String> {
    let rows = message
        .list("components")
        .into_iter()
        .filter_map(Json::object);
    let mut elements = rows
        .flat_map(|row| row.list("components"))
        .filter_map(Json::object);
    let element = elements.find(|it| it.id("custom_id").as_deref() == Some(custom_id))?;
    match value {
        None => element.string("label"),
        Some(value) => {
            let mut options = element.list("options").into_iter().filter_map(Json::object);
            options
                .find(|it| it.get("value").and_then(Json::scalar).as_deref() == Some(value))?
                .string("label")
        }
    }
}

/// A form that was sent: what was typed is the text, field after field.
fn modal(object: &Object, data: &Object) -> Option<Message> {
    let mut typed = Vec::new();
    for row in data.list("components").into_iter().filter_map(Json::object) {
        // A label holds one component, an old action row a list of them.
        let fields = row
            .get("component")
            .into_iter()
            .chain(row.list("components"));
        let values = fields
            .filter_map(Json::object)
            .filter_map(|it| it.string("value"));
        typed.extend(values);
    }
    Some(Message {
        kind: MessageType::Reply,
        text: Some(typed.join("\n")).filter(|text| !text.is_empty()),
        reply: Some(InteractiveReply {
            id: Some(data.id("custom_id")?),
            title: None,
        }),
        reply_to: object.object("message").and_then(|it| it.id("id")),
        ..Message::default()
    })
}
