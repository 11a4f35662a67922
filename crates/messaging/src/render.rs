//! Puts an outbound message as requests to `POST /{version}/{account}/messages`.
//!
//! Limits are Meta's; what breaks one is refused by its name, except a text that is too long, which
//! is split. A caption, which attachments here do not have, follows as a text of its own.

mod choices;

use chatly_channel::Header;
use chatly_channel::check::{
    Result, at_most, at_most_units, invalid, not_empty, object, path_segment,
};
use chatly_channel::outbound::{
    Auth, Content, MediaLocation, MediaSource, Message, ReactionTo, RenderError, Request, Sender,
    Template,
};
use chatly_channel::text::pieces;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::Platform;
pub use choices::{
    MAX_BUTTONS, MAX_ELEMENT_CHARS, MAX_ELEMENTS, MAX_QUICK_REPLIES, MAX_TITLE_CHARS,
};

/// Version of the Graph API that requests are written for.
const API_VERSION: &str = "v26.0";
/// Most characters of what comes back in the echo of a message.
const MAX_METADATA_CHARS: u32 = 1_000;

/// The requests that send a message, in order.
pub fn render(platform: Platform, from: &Sender, message: &Message) -> Result<Vec<Request>> {
    let url = url(platform, from)?;
    let to = recipient(platform, message)?;
    let put = |messages: Vec<Value>| messages_of(platform, message, &to, messages);
    let bodies = match &message.content {
        Content::Text(text) => put(texts(platform, text)?)?,
        Content::Media(source) => {
            let mut all = vec![media(platform, source)?];
            if let Some(caption) = source.caption.as_deref().filter(|it| !it.is_empty()) {
                all.extend(texts(platform, caption)?);
            }
            put(all)?
        }
        Content::Buttons(text, buttons) => put(vec![choices::buttons(platform, text, buttons)?])?,
        Content::QuickReplies(text, replies) => {
            put(vec![choices::quick_replies(platform, text, replies)?])?
        }
        Content::Menu(text, menu) => {
            let mut all = texts(platform, text)?;
            all.push(choices::carousel(menu)?);
            put(all)?
        }
        Content::Template(template) => vec![utility(platform, &to, message, template)?],
        Content::Reaction(reaction) => vec![react(platform, &to, reaction)?],
        Content::MarkRead(_) => vec![action(&to, "mark_seen", None)],
        Content::Typing(_) => vec![action(&to, "typing_on", None)],
        Content::Location(_) => return Err(RenderError::Unsupported("location".to_owned())),
        Content::Contacts(_) => return Err(RenderError::Unsupported("contacts".to_owned())),
    };
    let request = |body: String| Request {
        method: "POST".to_owned(),
        url: url.clone(),
        headers: vec![Header::new("content-type", "application/json")],
        body: body.into_bytes(),
        auth: Auth::Bearer,
    };
    Ok(bodies.into_iter().map(request).collect())
}

/// An Instagram account is addressed by its id at `graph.instagram.com`; with the token of a page at
/// `graph.facebook.com` the token names it.
fn url(platform: Platform, from: &Sender) -> Result<String> {
    let what = match platform {
        Platform::Messenger => "page id",
        Platform::Instagram => "id of an Instagram account",
    };
    let account = path_segment(from, what)?;
    let base = from.base_url.trim_end_matches('/');
    let by_page = platform == Platform::Instagram && base.ends_with("://graph.facebook.com");
    let owner = if by_page { "me" } else { account };
    Ok(format!("{base}/{API_VERSION}/{owner}/messages"))
}

/// Who gets it, by the scheme of the identity.
fn recipient(platform: Platform, message: &Message) -> Result<Value> {
    let (scheme, id) = (message.to.scheme.as_str(), message.to.id.as_str());
    let is_messenger = platform == Platform::Messenger;
    let field = match scheme {
        _ if message.chat.is_some() => return Err(invalid("there are no groups here")),
        _ if scheme == platform.person() => "id",
        // A private reply to whoever wrote it.
        "comment" => "comment_id",
        "post" if is_messenger => "post_id",
        "user_ref" if is_messenger => "user_ref",
        "notification_messages_token" if is_messenger => "notification_messages_token",
        _ => {
            return Err(RenderError::Invalid(format!(
                "the recipient is no {}",
                platform.person()
            )));
        }
    };
    not_empty("recipient", id)?;
    Ok(json!({ field: id }))
}

/// Addresses messages. The message replied to is named on the first of several only. The reference goes
/// with each, so that the echo of none is taken for what somebody wrote elsewhere.
fn messages_of(
    platform: Platform,
    message: &Message,
    to: &Value,
    messages: Vec<Value>,
) -> Result<Vec<String>> {
    let mut bodies = Vec::with_capacity(messages.len());
    for (at, mut content) in messages.into_iter().enumerate() {
        if platform == Platform::Messenger
            && let (Some(reference), Some(content)) = (&message.reference, content.as_object_mut())
        {
            at_most("metadata", MAX_METADATA_CHARS, reference)?;
            content.insert("metadata".to_owned(), reference.as_str().into());
        }
        let reply_to = message.reply_to.as_ref().filter(|_| at == 0);
        let kind = match (&message.tag, platform) {
            (Some(_), _) => Some("MESSAGE_TAG".into()),
            (None, Platform::Messenger) => Some("RESPONSE".into()),
            (None, Platform::Instagram) => None,
        };
        let body = object([
            ("recipient", Some(to.clone())),
            ("messaging_type", kind),
            ("tag", message.tag.as_deref().map(Into::into)),
            ("reply_to", reply_to.map(|id| json!({ "mid": id }))),
            ("message", Some(content)),
        ]);
        bodies.push(body.to_string());
    }
    Ok(bodies)
}

fn action(to: &Value, name: &str, payload: Option<Value>) -> String {
    object([
        ("recipient", Some(to.clone())),
        ("sender_action", Some(name.into())),
        ("payload", payload),
    ])
    .to_string()
}

/// Only Instagram lets a business react, and only with its heart.
fn react(platform: Platform, to: &Value, reaction: &ReactionTo) -> Result<String> {
    if platform == Platform::Messenger {
        return Err(RenderError::Unsupported("reaction".to_owned()));
    }
    not_empty("message id", &reaction.message_id)?;
    let id = &reaction.message_id;
    Ok(match reaction.emoji.as_deref() {
        None | Some("") => action(to, "unreact", Some(json!({ "message_id": id }))),
        Some("❤" | "❤\u{fe0f}" | "love") => {
            let payload = json!({ "message_id": id, "reaction": "love" });
            action(to, "react", Some(payload))
        }
        Some(_) => return Err(invalid("the only reaction that can be sent here is ❤")),
    })
}

/// The text as messages that are not too long.
fn texts(platform: Platform, text: &str) -> Result<Vec<Value>> {
    not_empty("text", text)?;
    let (max, unit) = platform.longest_text();
    let messages = pieces(text, max, unit).map(|piece| json!({ "text": piece }));
    Ok(messages.collect())
}

/// Refuses a text that may not be split because something hangs below it.
fn one_text(platform: Platform, text: &str) -> Result<()> {
    let (max, unit) = platform.longest_text();
    not_empty("text", text)?;
    at_most_units("text", max, unit, text)
}

fn media(platform: Platform, source: &MediaSource) -> Result<Value> {
    let is_instagram = platform == Platform::Instagram;
    let attachment =
        |kind: &str, payload: Value| json!({ "attachment": { "type": kind, "payload": payload } });
    let kind = match source.kind.as_str() {
        kind @ ("image" | "video" | "audio") => kind,
        "voice" => "audio",
        "document" | "file" => "file",
        "sticker" if is_instagram => return heart(source),
        "share" if is_instagram => {
            return match &source.location {
                MediaLocation::Id(id) => {
                    not_empty("media", id)?;
                    Ok(attachment("MEDIA_SHARE", json!({ "id": id })))
                }
                MediaLocation::Url(_) => Err(invalid("a post is shared by its id")),
            };
        }
        other => return Err(RenderError::Unsupported(format!("media of kind {other:?}"))),
    };
    Ok(match &source.location {
        MediaLocation::Id(id) => {
            not_empty("media", id)?;
            let field = if is_instagram { "id" } else { "attachment_id" };
            attachment(kind, json!({ field: id }))
        }
        MediaLocation::Url(url) if url.starts_with("https://") || url.starts_with("http://") => {
            attachment(kind, json!({ "url": url }))
        }
        MediaLocation::Url(_) => {
            return Err(invalid("the link to the media is no http or https URL"));
        }
    })
}

fn heart(source: &MediaSource) -> Result<Value> {
    match &source.location {
        MediaLocation::Id(id) if id == "like_heart" => {
            Ok(json!({ "attachment": { "type": "like_heart" } }))
        }
        _ => Err(invalid(
            "the only sticker is the one with the id like_heart",
        )),
    }
}

/// A utility message, which a page may send at any time. Its parameters are put as they stand, so
/// that none of their numbers is rewritten.
fn utility(
    platform: Platform,
    to: &Value,
    message: &Message,
    template: &Template,
) -> Result<String> {
    if platform == Platform::Instagram {
        return Err(RenderError::Unsupported("template".to_owned()));
    }
    not_empty("name of the template", &template.name)?;
    not_empty("language of the template", &template.language)?;
    let mut content = Map::new();
    if let Some(reference) = &message.reference {
        at_most("metadata", MAX_METADATA_CHARS, reference)?;
        content.insert("metadata".to_owned(), reference.as_str().into());
    }
    let name = json!({ "name": template.name, "language": { "code": template.language } });
    content.insert("template".to_owned(), name);
    let body = json!({ "recipient": to, "messaging_type": "UTILITY", "message": content });
    let body = body.to_string();
    let Some(components) = &template.components else {
        return Ok(body);
    };
    if serde_json::from_str::<Vec<&RawValue>>(components).is_err() {
        return Err(invalid("the components of the template are no JSON list"));
    }
    // The template is the last member of the body, so body, message and template end together.
    let open = body
        .strip_suffix("}}}")
        .ok_or_else(|| invalid("the template cannot be written"))?;
    Ok(format!("{open},\"components\":{}}}}}}}", components.trim()))
}
