//! Puts an outbound message as requests to `POST /{version}/{phone_number_id}/messages`.
//!
//! Limits are Meta's; what breaks one is refused by its name, except a text that is too long,
//! which is split.

pub(crate) mod interactive;

use chatly_canonical::ContactCard;
use chatly_channel::outbound::{
    Auth, Content, MediaLocation, MediaSource, Message, RenderError, Request, Sender, Template,
};
use chatly_channel::{Header, TextUnit, text};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use chatly_channel::check::{Result, at_most, invalid, not_empty, object, path_segment};
use interactive::{buttons, menu};

/// Version of the Graph API that requests are written for.
pub(crate) const API_VERSION: &str = "v26.0";

/// Most characters of a text message.
pub(crate) const MAX_TEXT_CHARS: u32 = 4096;
/// Most characters of a caption.
pub(crate) const MAX_CAPTION_CHARS: u32 = 1024;

/// The requests that send a message, in order.
pub(crate) fn render(from: &Sender, message: &Message) -> Result<Vec<Request>> {
    let url = url(from)?;
    let bodies = match &message.content {
        Content::MarkRead(id) => vec![read(id, false)?],
        Content::Typing(Some(id)) => vec![read(id, true)?],
        Content::Typing(None) => {
            return Err(invalid(
                "typing needs the id of the message that is being answered",
            ));
        }
        Content::Text(text) => {
            not_empty("text", text)?;
            let pieces = text::pieces(text, MAX_TEXT_CHARS, TextUnit::Characters);
            let contents = pieces.map(|piece| json!({ "preview_url": false, "body": piece }));
            let bodies = contents
                .enumerate()
                .map(|(at, content)| body(message, "text", content, at == 0));
            bodies.collect::<Result<_>>()?
        }
        Content::Template(template) => vec![with_components(
            body(message, "template", name(template)?, true)?,
            template,
        )?],
        content => {
            let (kind, content) = single(content)?;
            vec![body(message, kind, content, true)?]
        }
    };
    Ok(bodies
        .into_iter()
        .map(|body| Request {
            method: "POST".to_owned(),
            url: url.clone(),
            headers: vec![Header::new("content-type", "application/json")],
            body: body.into_bytes(),
            auth: Auth::Bearer,
        })
        .collect())
}

/// The account ends up in a path, so it must be one segment of harmless characters.
fn url(from: &Sender) -> Result<String> {
    let account = path_segment(from, "phone number id")?;
    Ok(format!(
        "{}/{API_VERSION}/{account}/messages",
        from.base_url.trim_end_matches('/')
    ))
}

fn read(id: &str, typing: bool) -> Result<String> {
    not_empty("message id", id)?;
    let mut body = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": id });
    if typing && let Some(body) = body.as_object_mut() {
        body.insert("typing_indicator".to_owned(), json!({ "type": "text" }));
    }
    Ok(body.to_string())
}

/// Addresses a content. The message replied to is named on the first of several only.
fn body(message: &Message, kind: &str, content: Value, first: bool) -> Result<String> {
    let mut body = Map::new();
    body.insert("messaging_product".to_owned(), "whatsapp".into());
    let to = message.to.id.as_str();
    let (recipient_type, field, to) = match (&message.chat, message.to.scheme.as_str()) {
        (Some(group), _) => ("group", "to", group.as_str()),
        (None, "phone") => ("individual", "to", to),
        (None, "bsuid" | "parent_bsuid") => ("individual", "recipient", to),
        (None, _) => return Err(invalid("the recipient is neither a phone nor a BSUID")),
    };
    not_empty("recipient", to)?;
    body.insert("recipient_type".to_owned(), recipient_type.into());
    body.insert(field.to_owned(), to.into());
    if first
        && kind != "reaction"
        && let Some(id) = &message.reply_to
    {
        body.insert("context".to_owned(), json!({ "message_id": id }));
    }
    if let Some(reference) = &message.reference {
        body.insert(
            "biz_opaque_callback_data".to_owned(),
            reference.as_str().into(),
        );
    }
    body.insert("type".to_owned(), kind.into());
    body.insert(kind.to_owned(), content);
    Ok(Value::Object(body).to_string())
}

/// A content that is always one message.
fn single(content: &Content) -> Result<(&str, Value)> {
    Ok(match content {
        Content::Media(source) => (media_kind(source)?, media(source)?),
        Content::Location(place) => {
            if !((-90.0..=90.0).contains(&place.latitude)
                && (-180.0..=180.0).contains(&place.longitude))
            {
                return Err(invalid("the location is not on Earth"));
            }
            let all = [
                ("latitude", Some(place.latitude.into())),
                ("longitude", Some(place.longitude.into())),
                ("name", place.name.as_deref().map(Value::from)),
                ("address", place.address.as_deref().map(Value::from)),
            ];
            ("location", object(all))
        }
        Content::Contacts(cards) if cards.is_empty() => return Err(invalid("there is no contact")),
        Content::Contacts(cards) => (
            "contacts",
            cards.iter().map(contact).collect::<Result<_>>()?,
        ),
        Content::Reaction(reaction) => {
            not_empty("message id", &reaction.message_id)?;
            let emoji = reaction.emoji.as_deref().unwrap_or_default();
            (
                "reaction",
                json!({ "message_id": reaction.message_id, "emoji": emoji }),
            )
        }
        Content::Buttons(text, choices) | Content::QuickReplies(text, choices) => {
            ("interactive", buttons(text, choices)?)
        }
        Content::Menu(text, choices) => ("interactive", menu(text, choices)?),
        Content::Text(_) | Content::Template(_) | Content::MarkRead(_) | Content::Typing(_) => {
            return Err(RenderError::Unsupported("this content".to_owned()));
        }
    })
}

fn media_kind(source: &MediaSource) -> Result<&str> {
    match source.kind.as_str() {
        kind @ ("image" | "audio" | "video" | "document" | "sticker") => Ok(kind),
        "voice" => Ok("audio"),
        other => Err(RenderError::Unsupported(format!("media of kind {other:?}"))),
    }
}

fn media(source: &MediaSource) -> Result<Value> {
    let kind = media_kind(source)?;
    let (field, place) = match &source.location {
        MediaLocation::Id(id) => ("id", id),
        MediaLocation::Url(url) if url.starts_with("https://") || url.starts_with("http://") => {
            ("link", url)
        }
        MediaLocation::Url(_) => {
            return Err(invalid("the link to the media is no http or https URL"));
        }
    };
    not_empty("media", place)?;
    let caption = source
        .caption
        .as_deref()
        .filter(|caption| !caption.is_empty());
    if let Some(caption) = caption {
        if matches!(kind, "audio" | "sticker") {
            return Err(RenderError::Unsupported(format!(
                "a caption of media of kind {kind:?}"
            )));
        }
        at_most("caption", MAX_CAPTION_CHARS, caption)?;
    }
    let filename = source.filename.as_deref().filter(|_| kind == "document");
    Ok(object([
        (field, Some(place.as_str().into())),
        ("caption", caption.map(Value::from)),
        ("filename", filename.map(Value::from)),
    ]))
}

/// Meta asks for a formatted name and at least one part of it.
fn contact(card: &ContactCard) -> Result<Value> {
    let name = card.name.as_deref().unwrap_or_default();
    not_empty("name of the contact", name)?;
    let rows = |field: &str, values: &[String]| {
        let rows: Vec<Value> = values
            .iter()
            .map(|value| object([(field, Some(value.as_str().into()))]))
            .collect();
        (!rows.is_empty()).then(|| rows.into())
    };
    Ok(object([
        (
            "name",
            Some(json!({ "formatted_name": name, "first_name": name })),
        ),
        ("phones", rows("phone", &card.phones)),
        ("emails", rows("email", &card.emails)),
        (
            "org",
            card.org.as_deref().map(|org| json!({ "company": org })),
        ),
    ]))
}

fn name(template: &Template) -> Result<Value> {
    not_empty("name of the template", &template.name)?;
    not_empty("language of the template", &template.language)?;
    Ok(json!({ "name": template.name, "language": { "code": template.language } }))
}

/// Adds a template's parameters as they stand, so that none of their numbers is rewritten.
fn with_components(body: String, template: &Template) -> Result<String> {
    let Some(components) = &template.components else {
        return Ok(body);
    };
    if serde_json::from_str::<Vec<&RawValue>>(components).is_err() {
        return Err(invalid("the components of the template are no JSON list"));
    }
    // The template is the last member of the body, so both end where the text ends.
    let open = body
        .strip_suffix("}}")
        .ok_or_else(|| invalid("the template cannot be written"))?;
    Ok(format!("{open},\"components\":{}}}}}", components.trim()))
}

#[cfg(test)]
mod tests;
